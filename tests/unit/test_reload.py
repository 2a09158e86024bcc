"""A reload: what other settings change of a running Ordercast, what they leave alone, and what they cannot spoil."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ordercast.app import Ordercast
from ordercast.config import Settings, load
from ordercast.config_catalogue import SETTINGS, Taken
from ordercast.config_changes import Changes
from ordercast.engineio import PacketType
from ordercast.errors import SettingsError, UnknownStatus
from ordercast.hangup import release
from ordercast.reloading import Reloader
from ordercast.webhooks.addresses import AddressRefused
from tests.fakes import FakeTransport, request
from tests.harness import ROOT, SECRET, token
from tests.rest import ask
from tests.visitor import Visitor

NEWER = "a-newer-secret-of-the-tests-that-is-long-enough-987654321"
ELSEWHERE = "https://elsewhere.example"

FLOW = """
initial = "new"
[statuses.new]
label = "New"
step = 1
category = "open"
[statuses.gone]
label = "{}"
step = 2
category = "done"
[[transitions]]
from = "new"
to = "gone"
"""


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ordercast]:
    for name in os.environ:
        if name.upper().startswith("ORDERCAST_") or name.upper() == "JWT_SECRET":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    async with Ordercast(Settings(jwt_secret=SECRET)) as app:
        yield app


async def reload(app: Ordercast, **settings: Any) -> Changes:
    """Reloads with these beside what is the default."""
    return await app.reload(lambda: Settings(**{"jwt_secret": SECRET, **settings}))


async def status(app: Ordercast, signed: str) -> int:
    """What REST says to who comes with this token."""
    headers = [(b"authorization", f"Bearer {signed}".encode())]
    return (await ask(app.asgi, "GET", "/api/orders", headers=headers))[0]


async def metric(app: Ordercast, name: str) -> float:
    """What /metrics has under this name."""
    _, _, body = await ask(app.asgi, "GET", "/metrics")
    (line,) = [line for line in body.decode().splitlines() if line.startswith(f"ordercast_{name} ")]
    return float(line.split()[-1])


def flow(label: str) -> Path:
    """A workflow's file."""
    path = Path("flow.toml")
    path.write_text(FLOW.format(label))
    return path


async def test_a_secret_is_rotated(app: Ordercast) -> None:
    old, new = token("ana", "operator"), token("ana", "operator", secret=NEWER)
    connected = Visitor(app, "ana", "operator")
    await connected.come()
    assert (await status(app, old), await status(app, new)) == (200, 401)
    both = await reload(app, jwt_secret=f"{NEWER},{SECRET}")
    assert both.words == ("jwt_secret (not shown)",)
    assert (await status(app, old), await status(app, new)) == (200, 200)
    await reload(app, jwt_secret=NEWER)
    assert (await status(app, old), await status(app, new)) == (401, 200), "also one that was remembered"
    late = Visitor(app, "ana", "operator")
    with pytest.raises(AssertionError, match="Invalid token"):
        await late.come()
    assert (await connected.call("watch:order", "none"))["error"] == "not_found", "who was there stays"


async def test_clients_stay_and_hear_on(app: Ordercast) -> None:
    ana = Visitor(app, "ana", "operator")
    await ana.come()
    await reload(app, max_watches=1, ping_interval=1, cors_origins=ELSEWHERE, webhook_timeout=1, log_level="error")
    service = Visitor(app, "shop", "service")
    headers = [(b"authorization", f"Bearer {service.token}".encode()), (b"content-type", b"application/json")]
    made, _, _ = await ask(app.asgi, "POST", "/api/orders", [b'{"customerId": 42, "orderId": 7}'], headers=headers)
    assert made == 201
    assert [event for event, _ in await ana.hear()].count("order:created") == 1
    assert (await ana.call("watch:order", 7))["orderId"] == 7
    assert (await ana.call("watch:order", 8))["error"] == "too_many_watches"


async def test_origins(app: Ordercast) -> None:
    async def allowed() -> tuple[bool, bool]:
        origin = [(b"origin", ELSEWHERE.encode())]
        _, found, _ = await ask(app.asgi, "GET", "/health/live", headers=origin)
        rest = any(name == b"access-control-allow-origin" for name, _ in found)
        code, _, _ = await ask(app.asgi, "GET", "/socket.io/", headers=origin, query=b"EIO=4&transport=polling")
        return rest, code == 200

    assert await allowed() == (False, False)
    await reload(app, cors_origins=ELSEWHERE)
    assert await allowed() == (True, True)
    await reload(app)
    assert await allowed() == (False, False)


async def test_a_heartbeat_is_another_for_new_connections_alone(app: Ordercast) -> None:
    before = app.io.engine.open(request(b"EIO=4&transport=websocket"), FakeTransport())
    await reload(app, ping_interval=5, ping_timeout=1)
    transport = FakeTransport()
    after = app.io.engine.open(request(b"EIO=4&transport=websocket"), transport)
    assert before.heartbeat is not after.heartbeat is app.io.engine.heartbeat
    after.flush()
    (hello,) = [packet.data for packet in transport.packets if packet.type is PacketType.OPEN]
    assert b'"pingInterval":5000' in hello
    await reload(app)
    assert app.io.engine.heartbeat is before.heartbeat, "no more of them than there are settings"


async def test_addresses_are_counted_anew(app: Ordercast) -> None:
    gate = app.io.engine.gate
    sessions = [app.io.engine.open(request(b"EIO=4&transport=websocket"), FakeTransport()) for _ in range(2)]
    await reload(app, max_sessions_per_address=2)
    assert sum(gate._of_address.values()) == 2
    for session in sessions:
        session.abort()
    assert not gate._of_address


async def test_a_connection_limit_comes_and_goes(app: Ordercast) -> None:
    first, second = Visitor(app, 42), Visitor(app, 42)
    await first.come()
    await reload(app, max_connections_per_user=1)
    with pytest.raises(AssertionError, match="new_login"):
        await second.come()
    await reload(app)
    await second.come()


async def test_the_workflows_file_is_read_again(app: Ordercast) -> None:
    path = flow("Gone")
    assert (await reload(app, workflow=path)).words == ("workflow: none → flow.toml",)
    with pytest.raises(UnknownStatus):
        app.orders.workflow.status("ready")
    assert (await reload(app, workflow=path)).taken == ()
    flow("Away")
    changed = await reload(app, workflow=path, status_map="WEG=gone")
    assert changed.taken == ("status_map", "workflow")
    assert app.orders.workflow.status("WEG").label == app.board.workflow.status("gone").label == "Away"
    _, described = await Visitor(app, "ana", "operator").get("/api/workflow")
    assert [one["label"] for one in described["statuses"]] == ["New", "Away"]
    assert (await Visitor(app, "ana", "operator").get("/api/stats"))[0] == 200


async def test_what_the_rest_routes_use(app: Ordercast) -> None:
    ana = Visitor(app, "ana", "operator")
    await reload(app, login_url="/sign-in", shop_time_zone="Europe/Berlin", max_body=10)
    assert (await ana.get("/api/stats"))[1]["timeZone"] == "Europe/Berlin"
    headers = [(b"authorization", f"Bearer {ana.token}".encode()), (b"content-type", b"application/json")]
    assert (await ask(app.asgi, "POST", "/api/orders", [b'{"customerId": 42}'], headers=headers))[0] == 413


async def test_webhooks(app: Ordercast) -> None:
    client = app._parts.client
    with pytest.raises(AddressRefused):
        await client.check("http://127.0.0.1/")
    await reload(app, webhook_allow_private="127.0.0.0/8", webhook_retries="1 2")
    await client.check("http://127.0.0.1/")
    assert app.sender.line.schedule == (1, 2)
    await reload(app)
    with pytest.raises(AddressRefused):
        await client.check("http://127.0.0.1/")


async def test_what_needs_a_restart_is_named_and_stays(app: Ordercast) -> None:
    before = app.settings
    found = await reload(app, database_url="postgresql://h/d", port=1, secret_key="k" * 40, max_watches=5)
    assert (found.taken, found.waits) == (("max_watches",), ("port", "database_url", "secret_key"))
    assert app.settings.database_url == before.database_url
    assert app.settings.max_watches == 5
    assert await metric(app, 'config_reloads_total{outcome="taken"}') == 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"jwt_secret": ()}, "No key to verify tokens with"),
        ({"workflow": Path("none.toml")}, "none.toml cannot be read"),
        ({"status_map": {"X": "nowhere"}}, "which is none of"),
        ({"jwt_secret": (), "jwt_public_key": "none.pem", "jwt_issuer": "i", "jwt_audience": "a"}, "cannot be read"),
        (
            {"jwt_secret": (), "jwks_url": "http://127.0.0.1:1/", "jwt_issuer": "i", "jwt_audience": "a"},
            "ORDERCAST_JWKS_URL gives no keys",
        ),
    ],
)
async def test_what_is_wrong_changes_nothing(app: Ordercast, wrong: dict[str, Any], words: str) -> None:
    before, since = app.settings, await metric(app, "config_last_reload_success_timestamp_seconds")
    with pytest.raises(SettingsError, match=words):
        await reload(app, cors_origins=ELSEWHERE, max_watches=1, **wrong)
    assert app.settings is before
    assert not app.io.engine.options.cors_origins
    assert await status(app, token("ana", "operator")) == 200
    assert await metric(app, "config_last_reload_successful") == 0
    assert await metric(app, "config_last_reload_success_timestamp_seconds") == since
    assert await metric(app, 'config_reloads_total{outcome="refused"}') == 1
    await reload(app, max_watches=1)
    assert await metric(app, "config_last_reload_successful") == 1
    assert await metric(app, "config_last_reload_success_timestamp_seconds") > since


async def test_a_client_that_is_opened_for_long_holds_up_no_reload(app: Ordercast) -> None:
    async with app._parts.client._opening, asyncio.timeout(30):
        await reload(app, webhook_timeout=1)


async def test_the_signal_ends_nothing_that_stops(app: Ordercast) -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        with Reloader(app, lambda: load(jwt_secret=SECRET)).listening():
            pass
        assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL, "a thread that does not hold it may get it"
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)
        release()


def blocks(language: str) -> list[str]:
    """Those of docs/howto/settings.md."""
    page = (ROOT / "docs" / "howto" / "settings.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)


def test_the_file_of_the_manual(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    path = tmp_path / "ordercast.toml"
    path.write_text(text, "utf-8")
    loaded = load(config=path).settings
    assert loaded.status_map == {"SHIPPED": "out_for_delivery"}
    assert loaded.workflow == tmp_path / "workflow.toml"
    assert len(loaded.jwt_secret) == 1


async def test_the_application_of_the_manual(app: Ordercast, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = blocks("python")
    code = compile(text, "settings.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    await eval(code, {"live": app, "Settings": Settings, "secrets_of_my_vault": lambda: (NEWER,)})
    assert capsys.readouterr().out == "('jwt_secret',) ()\n"
    assert await status(app, token("ana", "operator", secret=NEWER)) == 200


OTHERS: dict[str, Any] = {
    "order_retention": 365 * 86_400,
    "cors_origins": ELSEWHERE, "trusted_proxies": "10.0.0.1", "log_format": "json", "log_level": "error",
    "status_map": "SHIPPED=ready", "jwt_secret": f"{NEWER},{SECRET}", "jwt_issuer": "i", "jwt_audience": "a",
    "jwt_user_claim": "u", "jwt_role_claim": "r", "jwt_role_map": "a=admin", "public_url": "https://a",
    "shop_name": "Marea", "shop_phone": "+49 30 12345", "shop_time_zone": "Europe/Berlin", "login_url": "/in",
    "refresh_url": "/again", "webhook_allow_private": "10.0.0.0/8", "hooks": "a=whsec_" + "A" * 32,
}  # fmt: skip
"""A value that is not the default, for each setting that is no number and can be changed."""


async def test_every_setting_that_is_said_to_be_taken_is(app: Ordercast) -> None:
    settings = dict(OTHERS)
    for name, entry in SETTINGS.items():
        default = getattr(app.settings, name)
        if entry.taken is not Taken.RESTART and name not in settings:
            if isinstance(default, tuple):
                settings[name] = (*default, 1)
            elif default is not None and not isinstance(default, dict):
                settings[name] = default + 1
    found = await reload(app, **{**settings, "webhook_retries": "1"})
    expected = {name for name, entry in SETTINGS.items() if entry.taken is not Taken.RESTART}
    assert set(found.taken) == expected - {"workflow", "jwt_public_key", "jwks_url"}
    assert found.waits == ()
    options = app.io.engine.options
    for name in app.settings.server_options():
        holder = options if hasattr(options, name) else app.io
        if hasattr(holder, name):
            assert getattr(holder, name) == getattr(app.settings, name), name
    parts = app._parts
    assert parts.watching.max_watches == parts.replay._max_watches == 1_001
    assert parts.monitor._interval == parts.position._interval == 31
    assert parts.storage.retention._keep_ms == (30 * 86_400 + 1) * 1_000
    assert parts.services.shop.shop_name == "Marea"
    assert app.io._waiting.delay == 11
