"""The commands, as a shop's developer types them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.harness import SECRET, ServerProcess, token


def ordercast(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, with nothing in its environment but these settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "ordercast", *arguments],
        env=kept | {f"ORDERCAST_{name.upper()}": value for name, value in settings.items()},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "no secret": ({}, "set ORDERCAST_JWT_SECRET"),
    "a weak secret": ({"jwt_secret": "hunter2"}, "at least 32 bytes"),
    "two kinds of keys": ({"jwt_secret": SECRET, "jwks_url": "https://id.example/keys"}, "set only one of"),
    "a database in no folder": (
        {"jwt_secret": SECRET, "database_url": "sqlite:////no/such/folder/orders.db"},
        "the folder /no/such/folder does not exist",
    ),
    "a database of another kind": (
        {"jwt_secret": SECRET, "database_url": "mysql://root@localhost/x"},
        "must be sqlite",
    ),
    "a workflow that is not there": ({"jwt_secret": SECRET, "workflow": "nowhere.toml"}, "nowhere.toml cannot be read"),
    "a port that is none": ({"jwt_secret": SECRET, "port": "http"}, "ORDERCAST_PORT"),
    "an interval of nothing": ({"jwt_secret": SECRET, "monitor_interval": "0"}, "ORDERCAST_MONITOR_INTERVAL"),
    "more workers than SQLite takes": ({"jwt_secret": SECRET, "workers": "4"}, "needs PostgreSQL and Redis"),
}


@pytest.mark.parametrize("what", WRONG)
def test_serve_stops_with_one_sentence_that_says_what_to_do(tmp_path: Path, what: str) -> None:
    settings, words = WRONG[what]
    done = ordercast(tmp_path, "serve", **settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"ordercast: .+\n", done.stderr), done.stderr
    assert words in done.stderr
    assert SECRET not in done.stderr


def test_a_taken_port_and_a_file_that_is_no_database_stop_it_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = ordercast(tmp_path, "serve", "--port", str(port), jwt_secret=SECRET)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"Port {port} is taken" in done.stderr
    assert "choose another --port" in done.stderr
    (tmp_path / "orders.db").write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    done = ordercast(tmp_path, "serve", "--port", "0", jwt_secret=SECRET, database_url="sqlite:///orders.db")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is not an SQLite database" in done.stderr


def test_a_token_from_the_command_line_opens_the_server(server: ServerProcess, tmp_path: Path) -> None:
    done = ordercast(tmp_path, "token", "--user", "42", "--role", "operator", jwt_secret=SECRET)
    assert done.returncode == 0, done.stderr
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    assert httpx2.get(f"{server.url}/api/orders", headers=headers).status_code == 200
    done = ordercast(tmp_path, "token", "--user", "no such id", jwt_secret=SECRET)
    assert done.returncode == 2
    assert "1 to 64" in done.stderr


def test_check_names_everything_that_is_wrong_at_once(tmp_path: Path) -> None:
    good = ordercast(tmp_path, "check", jwt_secret=SECRET)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "will make it" in good.stdout
    assert not (tmp_path / "ordercast.db").exists()
    bad = ordercast(
        tmp_path, "check", database_url="postgresql://127.0.0.1:1/x", redis_url="redis://127.0.0.1:1", jwt_secert=SECRET
    )
    assert bad.returncode == 1
    for words in ("set ORDERCAST_JWT_SECRET", "cannot be reached", "Redis does not answer", "did you mean"):
        assert words in bad.stdout


def test_migrate_makes_a_database_once(tmp_path: Path) -> None:
    first, second = ordercast(tmp_path, "migrate"), ordercast(tmp_path, "migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "from schema none to" in first.stdout
    assert "at the current schema already" in second.stdout
    assert "holds 0 orders" in ordercast(tmp_path, "check", jwt_secret=SECRET).stdout


async def test_a_server_told_to_stop_says_so_and_loses_nothing(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        async with server.api() as api, server.listener("op", "operator") as operator:
            order = await api.create(orderId="o-1")
            await operator.until("order:created")
            os.kill(server.pid, signal.SIGTERM)
            await operator.client.wait()
        assert server.ended() == 0  # told once: a second signal may find nobody who handles it
        assert "reason='server shutting down'" in server.log
        assert "Traceback" not in server.log
        server.port = 0
        server.start()
        async with server.api() as api:
            assert await api.get("/api/orders/o-1") == order


async def test_the_monitor_counts_connections_and_operators(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, monitor_interval="0.2") as server:
        async with (
            server.listener("ana", "operator"),
            server.listener("ana", "operator"),
            server.listener("bo", "admin"),
        ):
            async with server.listener(42):
                assert _gauge(server, "connections") == 4
                assert _gauge(server, "operators_online") == 2
                await _until(server, "Connections: 4 | Operators online: 2")
            await _until(server, "Connections: 3 | Operators online: 2")
        await _until(server, "Connections: 0 | Operators online: 0")
        assert _gauge(server, "connections") == 0
        assert _gauge(server, "events_skipped_total") == 0
        before = _gauge(server, 'requests_total{method="GET"}')
        for path, status in (("/health/live", 200), ("/health/ready", 200), ("/metrics", 200)):
            assert httpx2.get(server.url + path).status_code == status
        httpx2.get(f"{server.url}/socket.io/?EIO=4&transport=polling")  # the engine's, which counts its own
        assert httpx2.request("PROPFIND", server.url).status_code in (404, 405)
        assert _gauge(server, 'requests_total{method="other"}') == 1
        assert _gauge(server, 'requests_total{method="GET"}') == before + 5  # the three, and two to count


async def test_one_connection_per_user_where_that_is_wanted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, max_connections_per_user="1") as server:
        async with server.listener(42) as first, server.listener(43) as other:
            async with httpx2.AsyncClient() as client:
                # The first is younger than the 5 s in which a newcomer is refused instead.
                handshake = await client.get(f"{server.url}/socket.io/?EIO=4&transport=polling")
                sid = json.loads(handshake.text[1:])["sid"]
                url = f"{server.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
                await client.post(url, content=f'40{{"token":"{token(42)}"}}')
                assert "new_login" in (await client.get(url)).text
            assert first.client.connected
            assert other.client.connected


def _gauge(server: ServerProcess, name: str) -> float:
    text = httpx2.get(f"{server.url}/metrics").text
    found = re.search(rf"^ordercast_{re.escape(name)} (\S+)$", text, re.M)
    assert found is not None
    return float(found[1])


async def _until(server: ServerProcess, words: str) -> None:
    async with asyncio.timeout(60):
        while words not in server.log:  # noqa: ASYNC110 - another process's file
            await asyncio.sleep(0.05)


def test_check_says_which_file_was_read_and_where_values_come_from(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(f'jwt_secret = "{SECRET}"\nmax_watches = 7\nmax_body = 9\nredis_url = "redis://127.0.0.1:1"')
    file.chmod(0o644)
    postgres = {"database_url": "postgresql://u:hunter2@127.0.0.1:1/x", "max_body": "8"}
    done = ordercast(tmp_path, "--config", "shop.toml", "check", "--offline", **postgres)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"ok +settings +shop\.toml\n", done.stdout)
    for words in (
        r"max_watches +7 +from shop\.toml",
        r"max_body +8 +from ORDERCAST_MAX_BODY",
        r"jwt_secret +not shown +from shop\.toml",
        r"database_url +not shown +from ORDERCAST_DATABASE_URL",
        r"note +shop\.toml holds jwt_secret and can be read by everyone",
        r"note +max_body in shop\.toml counts for nothing: ORDERCAST_MAX_BODY overrules it",
    ):
        assert re.search(words, done.stdout), done.stdout
    assert SECRET not in done.stdout
    assert "hunter2" not in done.stdout
    file.write_text("max_watchs = 7")
    for command in (["check"], ["serve"], ["migrate"], ["token", "--user", "1"], ["webhook", "list"]):
        wrong = ordercast(tmp_path, "-c", "shop.toml", *command)
        assert (wrong.returncode, wrong.stdout) == (1, ""), command
        assert wrong.stderr == "ordercast: shop.toml: 'max_watchs' is no setting; did you mean max_watches?\n"
