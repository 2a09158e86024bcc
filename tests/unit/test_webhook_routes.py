"""Webhooks over REST: who may, and what is refused in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.webhooks.models import TYPES, Delivery, Settled
from tests.rest import BACKEND, JSON, MAX_BODY, Headers, Side, ask, bearer

URL = "https://shop.example/orders"


@pytest.fixture
async def side() -> Side:
    return await Side.open()


@pytest.fixture
def app(side: Side) -> ASGIApp:
    return create_api(side.services, max_body=MAX_BODY)


async def call(
    app: ASGIApp, method: str, path: str, body: object = None, headers: Headers = BACKEND, query: bytes = b""
) -> tuple[int, Any]:
    sent = b"" if body is None else json.dumps(body).encode()
    status, _, answer = await ask(app, method, f"/api/webhooks{path}", [sent], headers + JSON, query=query)
    return status, json.loads(answer) if answer else None


async def made(app: ASGIApp, **more: Any) -> Any:
    status, answer = await call(app, "POST", "", {"url": URL, **more})
    assert status == 201
    return answer


async def test_from_added_to_removed(app: ASGIApp) -> None:
    new = await made(app, events=["order.changed", "order.created"], shops=[7, "north"], description="the till's")
    secret = new.pop("secret")
    assert secret.startswith("whsec_")
    assert new == {
        "id": new["id"],
        "url": URL,
        "description": "the till's",
        "events": ["order.created", "order.changed"],
        "shops": [7, "north"],
        "enabled": True,
        "problem": None,
        "oldSecretUntil": None,
        "position": 2,
        "waiting": 0,
        "dead": 0,
        "createdAt": new["createdAt"],
    }
    path = f"/{new['id']}"
    assert await call(app, "GET", path) == (200, new)
    assert await call(app, "GET", "") == (200, {"webhooks": [new]})
    changed = {"events": None, "shops": None, "enabled": False, "url": "https://b.example/"}
    after = new | changed | {"events": [*TYPES]}
    assert await call(app, "PATCH", path, changed) == (200, after)
    status, answer = await call(app, "POST", f"{path}/rotate")
    assert status == 200
    assert answer.pop("secret") != secret
    assert answer.pop("oldSecretUntil") > new["createdAt"]
    assert answer == {name: value for name, value in after.items() if name != "oldSecretUntil"}
    assert (await call(app, "POST", f"{path}/test"))[1]["delivered"] is True
    assert await call(app, "DELETE", path) == (204, None)
    for method, rest in [("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("POST", "/resend")]:
        status, answer = await call(app, method, path + rest)
        assert (status, answer["type"]) == (404, "urn:ordercast:not-found")
        assert "no such webhook" in answer["detail"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "url"),
        ({"url": "https://private.example/"}, "url: is private"),
        ({"url": URL, "events": ["order.eaten"]}, "is none of order.created"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "shops": []}, "shops"),
        ({"url": URL, "shops": ["a b"]}, "shops"),
        ({"url": URL, "secret": "mine"}, "secret"),
        ({"url": URL, "enabled": 1}, "enabled"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(app: ASGIApp, body: object, words: str) -> None:
    status, answer = await call(app, "POST", "", body)
    assert status == 422
    assert words in answer["detail"]
    assert await call(app, "GET", "") == (200, {"webhooks": []})


async def test_changes_that_cannot_be(app: ASGIApp) -> None:
    new = await made(app)
    no_changes: tuple[Any, ...] = (
        {},
        {"url": "https://private.example/"},
        {"events": ["x"]},
        {"id": 1},
        {"enabled": None},
    )
    for body in no_changes:
        assert (await call(app, "PATCH", f"/{new['id']}", body))[0] == 422
    for overlap in (-1, 10**9):
        assert (await call(app, "POST", f"/{new['id']}/rotate", {"overlap": overlap}))[0] == 422
    assert (await call(app, "POST", f"/{new['id']}/resend", {"messageIds": ["msg_x_1_created_wh_other"]}))[0] == 422
    assert (await call(app, "GET", f"/{new['id']}/deliveries", query=b"after=x"))[0] == 422
    assert (await call(app, "GET", f"/{new['id']}/deliveries", query=b"state=eaten"))[0] == 422


@pytest.mark.parametrize("who", [bearer("customer"), bearer("operator"), bearer("service", shops=["north"])])
async def test_who_may_not(app: ASGIApp, who: Headers) -> None:
    for method, path in [("GET", ""), ("POST", ""), ("GET", "/x"), ("DELETE", "/x"), ("POST", "/x/rotate")]:
        status, answer = await call(app, method, path, {"url": URL} if (method, path) == ("POST", "") else None, who)
        assert (status, answer["type"]) == (403, "urn:ordercast:forbidden")
    assert (await call(app, "GET", "", headers=[]))[0] == 401
    assert (await call(app, "GET", "", headers=bearer("admin")))[0] == 200


async def test_dead_messages_by_pages(app: ASGIApp, side: Side) -> None:
    new = await made(app)
    id, store = new["id"], side.storage.webhooks
    dead = [
        Delivery(position=n, type=TYPES[1], order_id="7", at=0, state="dead", status=500, reason="no", attempts=3)
        for n in (1, 2, 3)
    ]
    await store.lease(id, "me")
    await store.settle(id, "me", Settled(3, tuple(dead)))
    _, page = await call(app, "GET", f"/{id}/deliveries", query=b"limit=2")
    assert [one["position"] for one in page["deliveries"]] == [1, 2]
    assert page["deliveries"][0] == {
        "messageId": f"msg_{side.storage.log.log_id}_1_status_changed_{id}",
        "type": "order.status_changed",
        "orderId": 7,
        "position": 1,
        "at": "1970-01-01T00:00:00.000Z",
        "state": "dead",
        "attempts": 3,
        "nextAttemptAt": None,
        "status": 500,
        "reason": "no",
        "answer": "",
    }
    _, page = await call(app, "GET", f"/{id}/deliveries", query=f"limit=2&after={page['next']}".encode())
    assert [one["position"] for one in page["deliveries"]] == [3]
    assert page["next"] is None
    ids = [page["deliveries"][0]["messageId"]]
    assert await call(app, "POST", f"/{id}/resend", {"messageIds": ids}) == (200, {"resent": 1})
    assert await call(app, "POST", f"/{id}/resend") == (200, {"resent": 2})
