"""``POST /api/tokens/revoke``, and what a revoked token still opens: nothing, whichever way a request goes."""

from __future__ import annotations

import asyncio
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.auth import TokenVerifier
from ordercast.config import Settings
from ordercast.errors import InvalidToken
from ordercast.orders.principal import Role
from ordercast.testing import memory_storage
from tests.harness import SECRET
from tests.rest import BACKEND, EXPIRY, JSON, MAX_BODY, Headers, Side, ask, bearer

REVOKE = "/api/tokens/revoke"
ROUTES = [
    ("GET", "/api/orders/7", b""),
    ("PATCH", "/api/orders/7", b'{"note": "x"}'),
    ("PATCH", "/api/orders/7", b'{"expectedAt": "2026-01-01T12:00:00Z"}'),  # not for the short way
    ("POST", "/api/orders", b'{"customerId": 1}'),
    ("GET", "/api/orders", b""),
    ("GET", "/api/orders/7/events", b""),
    ("POST", "/api/orders/7/contact", b""),
    ("GET", "/api/events", b""),
    ("POST", REVOKE, b'{"userId": 1}'),
]


def api(side: Side) -> ASGIApp:
    return create_api(side.services, max_body=MAX_BODY)


async def revoke(app: ASGIApp, body: object, caller: Headers = BACKEND) -> tuple[int, Any]:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _, answer = await ask(app, "POST", REVOKE, [text], caller + JSON)
    return status, json.loads(answer) if answer else None


@pytest.mark.parametrize("role", ["service", "admin"])
@pytest.mark.parametrize("named", [{"userId": 9}, {"userId": "9"}, {"tokenId": "t"}, {"tokenId": "t", "userId": None}])
async def test_a_revoked_token_opens_nothing(role: str, named: dict[str, Any]) -> None:
    """Although the verifier has seen it before, and with the words for any bad token."""
    side = await Side.open()
    app = api(side)
    revoked, other = bearer(role, 9, jti="t"), bearer(role, 8, jti="u")
    for method, path, body in ROUTES:
        assert (await ask(app, method, path, [body], revoked + JSON))[0] != 401
    assert await revoke(app, named) == (204, None)
    events = len(side.storage.log.events)
    for method, path, body in ROUTES:
        status, headers, answer = await ask(app, method, path, [body], revoked + JSON)
        assert (status, json.loads(answer)["title"]) == (401, "Invalid token")
        assert (b"www-authenticate", b"Bearer") in headers
    assert len(side.storage.log.events) == events
    for method, path, body in ROUTES:
        assert (await ask(app, method, path, [body], other + JSON))[0] != 401


async def test_a_token_of_later_is_good() -> None:
    side = await Side.open()
    app = api(side)
    old, new = bearer("customer", 42, iat=time.time() - 1), bearer("customer", 42, iat=time.time() + 20)
    await revoke(app, {"userId": 42})
    assert (await ask(app, "GET", "/api/orders/7", headers=old))[0] == 401
    assert (await ask(app, "GET", "/api/orders/7", headers=new))[0] == 200


async def test_what_the_verifier_remembers_is_asked_each_time() -> None:
    side = await Side.open()
    token = bearer("customer", 42, jti="t")[0][1].decode()
    assert (await side.services.authenticate(token)).token_id == "t"
    assert TokenVerifier.from_settings(Settings(jwt_secret=SECRET)).verify_now(token).issued_at == 1
    await side.storage.revocations.revoke_token("t")
    for _ in range(2):
        with pytest.raises(InvalidToken, match=r"^Invalid token$"):
            await side.services.authenticate(token)


@pytest.mark.parametrize("role", [role.value for role in Role] + [None])
async def test_who_may(role: str | None) -> None:
    app = api(await Side.open())
    status, answer = await revoke(app, {"userId": "u"}, [] if role is None else bearer(role))
    if role in ("service", "admin"):
        assert (status, answer) == (204, None)
        assert (await revoke(app, {"userId": 1}, bearer(role)))[0] == 401  # it was its own
    else:
        assert status == (401 if role is None else 403)
        assert (await revoke(app, {"userId": 1}))[0] == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"userId": None}, 422),
        ({"userId": 42, "tokenId": "t"}, 422),
        ({"userId": "a b"}, 422),
        ({"userId": -1}, 422),
        ({"userId": True}, 422),
        ({"userId": [42]}, 422),
        ({"tokenId": ""}, 422),
        ({"tokenId": "x" * 256}, 422),
        ({"tokenId": "a\x00"}, 422),
        ({"tokenId": "a\n"}, 422),
        ({"tokenId": 7}, 422),
        ({"user_id": 42}, 422),
        ({"userId": 42, "reason": "x"}, 422),
        ([], 422),
        (b"{", 400),
        (b"", 422),
        (b"\xff", 400),
    ],
)
async def test_bad_bodies(body: object, status: int) -> None:
    side = await Side.open()
    heard: list[int] = []
    side.storage.revocations.subscribe(lambda: heard.append(1))
    found, answer = await revoke(api(side), body)
    assert (found, answer["status"]) == (status, status)
    assert heard == []


async def test_the_same_request_again_is_answered_and_revokes_nothing_anew() -> None:
    side = await Side.open()
    heard: list[int] = []
    side.storage.revocations.subscribe(lambda: heard.append(1))

    async def with_key(key: str, named: dict[str, Any], caller: Headers = BACKEND) -> tuple[int, bool]:
        headers = [*caller, *JSON, (b"idempotency-key", key.encode())]
        status, answer, _ = await ask(api(side), "POST", REVOKE, [json.dumps(named).encode()], headers)
        return status, (b"idempotency-replayed", b"true") in answer

    assert await with_key("k", {"userId": 42}) == (204, False)
    assert await with_key("k", {"userId": 42}) == (204, True)
    assert await with_key("k", {"userId": 43}) == (422, False)
    assert await with_key("k", {"tokenId": "t"}) == (422, False)
    assert heard == [1]
    assert await with_key("k", {"userId": 43}, bearer("admin", "ana")) == (204, False)
    assert await with_key("k2", {"tokenId": "t"}) == (204, False)
    assert await with_key(" ", {"userId": 42}) == (422, False)
    assert await with_key("k", {"userId": 42}, bearer("operator")) == (403, False)
    assert heard == [1, 1, 1]


@pytest.mark.parametrize("token_id", ["x" * 255, "ü €", "a b"])
async def test_any_jti_that_a_token_may_have(token_id: str) -> None:
    app = api(await Side.open())
    mine = bearer("customer", 42, jti=token_id)
    assert (await ask(app, "GET", "/api/orders/7", headers=mine))[0] == 200
    assert await revoke(app, {"tokenId": token_id}) == (204, None)
    assert (await ask(app, "GET", "/api/orders/7", headers=mine))[0] == 401


# -- who polls while it happens ------------------------------------------------------------------------------


async def test_a_poll_that_waits_is_ended() -> None:
    side = await Side.open()
    app = api(side)
    waiting = [
        asyncio.create_task(ask(app, "GET", "/api/events", headers=bearer("customer", user), query=b"after=2&wait=60"))
        for user in (42, 43)
    ]
    async with asyncio.timeout(30):
        while len(side.storage.revocations._revoked._callbacks) < 2:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    await side.storage.revocations.revoke_user("42")
    status, _, answer = await asyncio.wait_for(waiting[0], 30)
    assert (status, json.loads(answer)["title"]) == (401, "Invalid token")
    assert not waiting[1].done()
    await side.orders.change_status("north-1", "accepted", updated_by="7")
    status, _, answer = await asyncio.wait_for(waiting[1], 30)
    assert (status, json.loads(answer)["position"]) == (200, 3)
    assert (side.storage.log._wakes, side.storage.revocations._revoked._callbacks) == (set(), set())


async def test_a_poll_ends_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(memory_storage())
    monkeypatch.setattr("ordercast.api.events.time", SimpleNamespace(time=lambda: EXPIRY - 0.01))
    asked = ask(api(side), "GET", "/api/events", headers=bearer("customer", 42), query=b"after=0&wait=60")
    status, _, answer = await asyncio.wait_for(asked, 30)
    assert (status, json.loads(answer)["events"]) == (200, [])
