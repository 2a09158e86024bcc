"""Bad input over REST: a clear error for its sender, and nothing for anyone else."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import jwt
import pytest

from tests.harness import SECRET, Api, Json, Listener, ServerProcess, token


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, api: Api) -> AsyncIterator[Listener]:
    """A customer who watches their order throughout, and hears of it afterwards as if nothing had been."""
    async with server.listener("bystander") as listener:
        order = await api.create(customerId="bystander")
        yield listener
        await api.patch(order["orderId"], status="accepted")
        await listener.settle()
        assert [event for event, _ in listener.heard] == ["order:created", "order:updated"]


def problem(response: httpx2.Response, status: int, type: str) -> Json:
    """The problem document of a refusal (RFC 9457)."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    body: Json = response.json()
    assert (body["status"], body["type"]) == (status, f"urn:ordercast:{type}")
    assert body["title"]
    assert body["detail"]
    return body


BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "malformed": (b'{"status": "accepted"', 400, "malformed-json", "JSON"),
    "no JSON at all": (b"status=accepted", 400, "malformed-json", "JSON"),
    "not UTF-8": (b'{"note": "\xff\xfe"}', 400, "malformed-json", "JSON"),
    "empty": (b"", 422, "invalid", "body"),
    "a list": (b"[]", 422, "invalid", "body"),
    "null": (b"null", 422, "invalid", "body"),
    "unknown status": (b'{"status": "teleported"}', 422, "unknown-status", "Known are: received, accepted"),
    "status that is no string": (b'{"status": 3}', 422, "invalid", "status"),
    "forbidden step": (b'{"status": "delivered"}', 409, "transition-not-allowed", "Allowed are: accepted"),
    "wrong version": (b'{"status": "accepted", "expectedVersion": 7}', 409, "version-conflict", "version 1, not 7"),
    "version that is no number": (b'{"status": "accepted", "expectedVersion": "1"}', 422, "invalid", "expectedVersion"),
    "unknown field": (b'{"status": "accepted", "stauts": "x"}', 422, "invalid", "stauts"),
    "snake_case field": (b'{"expected_version": 1}', 422, "invalid", "expected_version"),
    "time without a zone": (b'{"expectedAt": "2026-01-01T12:00:00"}', 422, "invalid", "expectedAt"),
    "time that is none": (b'{"expectedAt": "soon"}', 422, "invalid", "expectedAt"),
    "overlong note": (json.dumps({"note": "x" * 2_001}).encode(), 422, "invalid", "note"),
    "NUL in a note": (b'{"note": "\\u0000"}', 422, "invalid", "note"),
    "lone surrogate in a note": (b'{"note": "\\ud800"}', 400, "malformed-json", "JSON"),
    "contact that is no object": (b'{"contact": "me"}', 422, "invalid", "contact"),
    "nested 33 deep": (b'{"contact": ' + b'{"a":' * 33 + b"1" + b"}" * 34, 422, "invalid", "32 levels"),
    "nested too deep to read": (b"[" * 100_000, 400, "malformed-json", "nested too deeply"),
    "NaN": (b'{"contact": {"x": NaN}}', 400, "malformed-json", "JSON"),
    "infinite": (b'{"contact": {"x": 1e999}}', 400, "malformed-json", "out of range"),
    "forced by hand": (b'{"status": "accepted", "force": "yes"}', 422, "invalid", "force"),
}


@pytest.mark.parametrize("what", BODIES)
async def test_a_bad_body_is_refused_in_words(api: Api, what: str) -> None:
    content, status, type, word = BODIES[what]
    order = await api.create()
    headers = {"Content-Type": "application/json"}
    response = await api.send("PATCH", f"/api/orders/{order['orderId']}", content=content, headers=headers)
    assert word in problem(response, status, type)["detail"]
    assert await api.get(f"/api/orders/{order['orderId']}") == order


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("customerId", None),
        ("customerId", True),
        ("customerId", 4.5),
        ("customerId", -1),
        ("customerId", 10**64),
        ("customerId", "a b"),
        ("customerId", "x" * 65),
        ("customerId", "../admin"),
        ("customerId", {"id": 4}),
        ("orderId", ""),
        ("orderId", "ü"),
        ("shopId", [1]),
        ("fulfilment", "teleport"),
        ("items", "pizza"),
        ("items", [0] * 501),
        ("total", -1),
        ("total", "12.50 EUR"),
        ("total", False),
        ("currency", "euro"),
        ("reference", ""),
        ("status", "delivered"),
    ],
)
async def test_a_bad_order_is_not_created(api: Api, field: str, value: Any) -> None:
    before = (await api.get("/api/events"))["position"]
    response = await api.send("POST", "/api/orders", json={"customerId": 42, field: value})
    body = problem(response, 422, "invalid")
    assert field in body["detail"]
    assert body["errors"][0]["field"].startswith(field)
    assert (await api.get("/api/events"))["position"] == before


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_huge_body_is_refused_before_it_is_read(api: Api, chunked: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    content: Any = pieces() if chunked else b" " * 2_000_000
    headers = {"Content-Type": "application/json"}
    response = await api.send("POST", "/api/orders", content=content, headers=headers)
    assert "1048576 bytes" in problem(response, 413, "content-too-large")["detail"]


async def test_an_idempotency_key_answers_once_and_only_its_own_request(api: Api) -> None:
    async def post(customer: object, key: str) -> httpx2.Response:
        body = {"customerId": customer}
        return await api.send("POST", "/api/orders", json=body, headers={"Idempotency-Key": key})

    first, again = await post(42, "key-1"), await post(42, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "new key" in problem(await post(43, "key-1"), 422, "idempotency-key-reused")["detail"]
    assert (await post(43, "key-2")).json()["orderId"] != first.json()["orderId"]
    problem(await post(43, ""), 422, "invalid")
    problem(await post(43, "k" * 256), 422, "invalid")


def _tampered() -> str:
    head, _, signature = token(42).split(".")
    forged = base64.urlsafe_b64encode(json.dumps({"userId": 42, "role": "admin", "exp": time.time() + 60}).encode())
    return f"{head}.{forged.decode().rstrip('=')}.{signature}"


CLAIMS = {"userId": 42, "role": "customer", "exp": time.time() + 600}
TOKENS: dict[str, tuple[str | None, str]] = {
    "none": (None, "Authentication required"),
    "empty": ("", "Authentication required"),
    "expired": (token(42, lifetime=-1), "Token expired"),
    "tampered": (_tampered(), "Invalid token"),
    "alg none": (jwt.encode(CLAIMS, "", algorithm="none"), "Invalid token"),
    "another key": (token(42, secret=SECRET[::-1]), "Invalid token"),
    "HS512": (jwt.encode(CLAIMS, SECRET * 2, algorithm="HS512"), "Invalid token"),
    "no exp": (token(42, exp=None), "Invalid token"),
    "for ever": (token(42, lifetime=401 * 86_400), "Invalid token"),
    "unknown role": (token(42, "root"), "Invalid token"),
    "user that is no id": (token({"$gt": 0}), "Invalid token"),
    "garbage": ("not.a.token", "Invalid token"),
    "too large": ("x" * 10_000, "Invalid token"),
}


@pytest.mark.parametrize("what", TOKENS)
async def test_a_bad_token_is_refused_in_the_contracts_words(server: ServerProcess, what: str) -> None:
    text, message = TOKENS[what]
    headers = {} if text is None else {"Authorization": f"Bearer {text}".strip()}
    async with httpx2.AsyncClient(base_url=server.url) as client:
        response = await client.get("/api/orders", headers=headers)
    body = problem(response, 401, "unauthorized")
    assert body["title"] == message
    assert response.headers["www-authenticate"] == "Bearer"
    assert not text or text not in server.log


async def test_a_token_of_ten_megabytes_is_refused_at_the_door(server: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=server.url) as client:
        try:
            response = await client.get("/api/orders", headers={"Authorization": "Bearer " + "x" * 10_000_000})
        except httpx2.TransportError:
            return  # hung up on while still sending, which some clients see before the answer
        assert response.status_code == 431
        assert "16 kB" in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/orders?status=teleported", 422),
        ("GET", "/api/orders?limit=0", 422),
        ("GET", "/api/orders?limit=many", 422),
        ("GET", "/api/orders?cursor=forged", 422),
        ("GET", "/api/orders/%00", 422),
        ("GET", "/api/orders/a%20b", 422),
        ("GET", "/api/events?after=yesterday", 422),
        ("GET", "/api/events?after=-1", 422),
        ("GET", "/api/events?after=999999999", 410),
        ("GET", "/api/events?after=other-log.1", 410),
        ("GET", "/api/events?after=9223372036854775807", 410),
        ("GET", "/api/events?after=9223372036854775808", 422),
        ("GET", "/api/tokens/revoke", 405),
        ("GET", "/api/events?wait=3600", 422),
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/orders", 405),
    ],
)
async def test_a_bad_address_is_a_problem_too(api: Api, method: str, path: str, status: int) -> None:
    response = await api.send(method, path)
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, response.json()["status"]) == (status, status)


async def test_roles_keep_to_what_is_theirs(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=42)
    path = f"/api/orders/{order['orderId']}"
    async with server.api("customer", 42) as customer, server.api("operator", "op") as operator:
        problem(await customer.send("POST", "/api/orders", json={"customerId": 42}), 403, "forbidden")
        problem(await customer.send("PATCH", path, json={"status": "accepted"}), 403, "forbidden")
        problem(await customer.send("POST", f"{path}/contact"), 403, "forbidden")
        problem(await api.send("POST", f"{path}/contact"), 403, "forbidden")
        for extra in ({"force": True}, {"updatedBy": "someone-else"}):
            problem(await operator.send("PATCH", path, json={"status": "accepted", **extra}), 403, "forbidden")
        assert (await operator.get(path))["version"] == 1
