"""``POST /api/emit``: who may send what where, over orders in memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.live.rooms import order_room, rooms_on_connect, shop_room, user_room
from ordercast.orders.own_events import OUR_FAMILIES, OURS, room
from ordercast.orders.principal import Principal, Role
from ordercast.socketio.packet import RESERVED
from tests.harness import EVENTS
from tests.rest import BACKEND, JSON, Headers, Side, ask, bearer

NORTH = bearer("service", "shop", shops=["north"])


async def emit(side: Side, body: object, caller: Headers = BACKEND, *, max_body: int = 1_000_000) -> tuple[int, Any]:
    app: ASGIApp = create_api(side.services, max_body=max_body)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _, answer = await ask(app, "POST", "/api/emit", [text], caller + JSON)
    return status, json.loads(answer) if answer else None


@pytest.mark.parametrize("data", [None, 1, "x", [1, 2], {"deep": {"a": [True, 1.5, "ü🍕"]}}, 2**63 - 1, -(2**63)])
async def test_it_arrives_as_it_was_sent(data: Any) -> None:
    side = await Side.open()
    rooms = ["user:42", "order:never-was", "operators", "operators:north"]
    assert await emit(side, {"rooms": rooms, "event": "kitchen:bell", "data": data}) == (204, None)
    assert side.emitted == [(tuple(rooms), "kitchen:bell", (data,))]


async def test_without_data_there_is_no_argument() -> None:
    side = await Side.open()
    await emit(side, {"rooms": ["operators"], "event": "a bell rings"})
    assert side.emitted == [(("operators",), "a bell rings", ())]
    assert await side.storage.log.head() == 2


@pytest.mark.parametrize(
    "event",
    [
        *sorted(RESERVED),
        *sorted(OURS),
        *EVENTS,  # what clients hear of us
        *(f"{family}news" for family in OUR_FAMILIES),
        *("reconnect", "error", "ping", "", "x" * 65, "a\nb", "a\0b", 7, None),
    ],
)
async def test_names_that_are_not_the_shops(event: Any) -> None:
    side = await Side.open()
    status, problem = await emit(side, {"rooms": ["operators"], "event": event})
    assert status == 422
    assert problem["errors"][0]["field"] == "event"
    assert side.emitted == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "user",
        "user:",
        "user:a b",
        "User:42",
        "shared:7",
        "board",
        "operators:",
        "operator",
        "order:é",
        "abc",
        42,
        None,
        f"user:{'x' * 65}",
        "user:42 ",
        "order:7,order:8",
        ["operators"],
    ],
)
async def test_rooms_that_are_none(name: Any) -> None:
    side = await Side.open()
    status, problem = await emit(side, {"rooms": ["operators", name], "event": "news"})
    assert status == 422
    assert problem["errors"][0]["field"] == "rooms.1"
    assert side.emitted == []


def test_rooms_are_named_as_the_live_side_names_them() -> None:
    for theirs in (user_room("42"), order_room("a.b:c"), shop_room("north")):
        assert room(theirs) == theirs
    everywhere = rooms_on_connect(Principal("7", Role.OPERATOR)) + rooms_on_connect(
        Principal("7", Role.OPERATOR, shops=frozenset({"north"}))
    )
    assert {room(name) for name in everywhere if name != "board"} == {"user:7", "operators", "operators:north"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"event": "news"}, 422),
        ({"rooms": [], "event": "news"}, 422),
        ({"rooms": "operators", "event": "news"}, 422),
        ({"rooms": ["operators"] * 101, "event": "news"}, 422),
        ({"rooms": ["operators"]}, 422),
        ({"rooms": ["operators"], "event": "news", "date": 1}, 422),
        ({"rooms": ["operators"], "event": "news", "data": "x" * 65_535}, 422),
        ({"rooms": ["operators"], "event": "news", "data": 10**30}, 422),
        (b'{"rooms": ["operators"], "event": "news", "data": ' + b"[" * 40 + b"]" * 40 + b"}", 422),
        (b'{"rooms": ["operators"], "event": "news", "data": NaN}', 400),
        (b"[]", 422),
        (b"", 422),
    ],
)
async def test_bodies_that_cannot_be_sent(body: object, status: int) -> None:
    side = await Side.open()
    answered, problem = await emit(side, body)
    assert (answered, side.emitted) == (status, [])
    assert problem["detail"]


async def test_the_largest_data() -> None:
    side = await Side.open()
    assert (await emit(side, {"rooms": ["operators"], "event": "news", "data": "x" * 65_534}))[0] == 204
    assert (await emit(side, {"rooms": ["operators"], "event": "news", "data": "x" * 65_534}, max_body=100))[0] == 413


@pytest.mark.parametrize("caller", [bearer("customer", 42), bearer("operator", 7), bearer("admin", 1)])
async def test_only_the_backend_sends(caller: Headers) -> None:
    side = await Side.open()
    status, problem = await emit(side, {"rooms": ["user:42"], "event": "news"}, caller)
    assert (status, side.emitted) == (403, [])
    assert "service token" in problem["detail"]


@pytest.mark.parametrize("rooms", [["operators:north"], ["order:north-1"], ["order:north-1", "operators:north"]])
async def test_a_token_of_one_shop_reaches_it(rooms: list[str]) -> None:
    side = await Side.open()
    assert (await emit(side, {"rooms": rooms, "event": "news"}, NORTH))[0] == 204
    assert [sent[0] for sent in side.emitted] == [tuple(rooms)]


@pytest.mark.parametrize("outside", ["operators", "operators:south", "user:43", "order:7", "order:never-was"])
async def test_a_token_of_one_shop_reaches_nobody_else(outside: str) -> None:
    """An order of another shop and one that is not there are the same."""
    side = await Side.open()
    status, problem = await emit(side, {"rooms": ["operators:north", outside], "event": "news"}, NORTH)
    assert (status, problem["rooms"], side.emitted) == (422, [outside], [])


async def test_the_same_request_again_sends_nothing() -> None:
    side = await Side.open()
    keyed = [*BACKEND, (b"idempotency-key", b"k1")]
    body = {"rooms": ["operators"], "event": "news", "data": 1}
    assert (await emit(side, body, keyed))[0] == 204
    status, headers, _ = await ask(
        create_api(side.services, max_body=1_000), "POST", "/api/emit", [json.dumps(body).encode()], keyed + JSON
    )
    assert (status, (b"idempotency-replayed", b"true") in headers) == (204, True)
    assert len(side.emitted) == 1
    status, problem = await emit(side, {**body, "data": 2}, keyed)
    assert (status, problem["type"]) == (422, "urn:ordercast:idempotency-key-reused")
    assert len(side.emitted) == 1
