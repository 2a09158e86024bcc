"""``PUT /api/orders/{id}``: the shop's backend says how an order is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ordercast.api.application import create_api
from ordercast.orders.models import EventKind
from tests.rest import BACKEND, JSON, MAX_BODY, Headers, Side, ask, bearer

ORDER = {
    "customerId": 42,
    "shopId": "north",
    "reference": "R 8",
    "fulfilment": "pickup",
    "items": [{"name": "Margherita", "gift": 1}],
    "total": 8.5,
    "currency": "EUR",
    "note": "ring",
    "contact": {"phone": "+49"},
    "expectedAt": "2026-01-02T04:00:00.000Z",
    "createdAt": "2026-01-02T03:04:05.006Z",
    "status": "preparing",
}


class Shop:
    """A shop's backend, or who else ``caller`` is."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.app = create_api(side.services, max_body=MAX_BODY, cors_origins=())

    async def put(self, id: object, body: Any, caller: Headers = BACKEND) -> tuple[int, Any]:
        status, headers, answer = await ask(
            self.app, "PUT", f"/api/orders/{id}", [json.dumps(body).encode()], caller + JSON
        )
        location = dict(headers).get(b"location")
        assert location == (f"/api/orders/{id}".encode() if status == 201 else None)
        return status, json.loads(answer)

    async def history(self, id: object) -> list[Any]:
        _, _, answer = await ask(self.app, "GET", f"/api/orders/{id}/events", headers=BACKEND)
        events: list[Any] = json.loads(answer)["events"]
        return events


@pytest.fixture
async def shop() -> Shop:
    return Shop(await Side.open())


async def test_it_creates_with_the_shops_own_id_status_and_time(shop: Shop) -> None:
    status, order = await shop.put(8, {**ORDER, "updatedBy": "till", "reason": "from the till"})
    assert status == 201
    assert order == {
        **ORDER, "orderId": 8, "step": 2, "version": 1, "claimedBy": None, "firstContactAt": None,
        "updatedAt": order["updatedAt"], "statusSince": ORDER["createdAt"],
    }  # fmt: skip
    (event,) = await shop.history(8)
    assert (event["kind"], event["status"], event["forced"]) == ("created", "preparing", False)
    assert (event["updatedBy"], event["reason"]) == ("till", "from the till")


async def test_the_same_again_changes_nothing(shop: Shop) -> None:
    _, order = await shop.put(8, {**ORDER, "orderId": "8"})
    head = shop.side.storage.log.newest
    assert await shop.put(8, {**ORDER, "updatedBy": "somebody", "reason": "else"}) == (200, order)
    same = {**ORDER, "createdAt": "2026-01-02T04:04:05.0067+01:00", "expectedAt": "2026-01-02T04:00:00Z", "total": 8.50}
    assert await shop.put(8, same) == (200, order)
    assert shop.side.storage.log.newest == head


async def test_it_is_whole_but_for_status_and_time(shop: Shop) -> None:
    await shop.put(8, ORDER)
    status, order = await shop.put(8, {"customerId": 42})
    assert status == 200
    assert {name: order[name] for name in ORDER} == {
        **dict.fromkeys(ORDER), "customerId": 42, "fulfilment": "delivery", "items": [],
        "status": "preparing", "createdAt": ORDER["createdAt"],
    }  # fmt: skip
    assert order["version"] == 2
    (_, event) = await shop.history(8)
    assert (event["kind"], event["previousStatus"]) == ("changed", None)
    assert {*event["changed"]} == ORDER.keys() - {"customerId", "status", "createdAt"}


async def test_a_null_is_a_field_that_is_left_out(shop: Shop) -> None:
    _, order = await shop.put(8, ORDER)
    with_nulls = {**ORDER, "status": None, "createdAt": None, "updatedBy": None, "reason": None}
    assert await shop.put(8, with_nulls) == (200, order)


@pytest.mark.parametrize(("before", "after"), [([1], [True]), ([{"a": 0}], [{"a": False}]), ([1], [1.0])])
async def test_values_that_only_python_has_equal_are_a_change(shop: Shop, before: list[Any], after: list[Any]) -> None:
    await shop.put(8, {"customerId": 42, "items": before})
    _, order = await shop.put(8, {"customerId": 42, "items": after})
    assert json.dumps(order["items"]) == json.dumps(after)
    assert order["version"] == 2


async def test_members_in_another_order_are_no_change(shop: Shop) -> None:
    await shop.put(8, {"customerId": 42, "contact": {"a": 1, "b": [{"c": 2, "d": 3}]}})
    _, order = await shop.put(8, {"customerId": 42, "contact": {"b": [{"d": 3, "c": 2}], "a": 1}})
    assert order["version"] == 1


async def test_any_status_may_be_set_and_the_history_marks_the_leaps(shop: Shop) -> None:
    for status in ("accepted", "delivered", "received", "received"):
        _, order = await shop.put(8, {"customerId": 42, "status": status, "note": status})
        assert order["status"] == status
    steps = [(event["status"], event["forced"], event["kind"]) for event in await shop.history(8)]
    assert steps == [
        ("accepted", False, "created"),
        ("delivered", True, "status_changed"),
        ("received", True, "status_changed"),
    ]
    await shop.put(8, {"customerId": 42, "status": "accepted", "note": "received"})
    assert (await shop.history(8))[-1]["forced"] is False


async def test_without_a_status_it_begins_where_the_workflow_does(shop: Shop) -> None:
    _, order = await shop.put(8, {"customerId": 42})
    assert order["status"] == "received"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"customerId": 42, "status": "teleported"}, "Known are: received, accepted"),
        ({"customerId": 42, "orderId": 9}, "orderId: must be the one in the address"),
        ({}, "customerId: Field required"),
        ({"customerId": 42, "createdAt": "yesterday"}, "createdAt: "),
        ({"customerId": 42, "createdAt": "0001-01-01T00:00:00+14:00"}, "createdAt: must lie in the years 1 to 9999"),
        ({"customerId": 42, "expectedVersion": 1}, "expectedVersion: Extra inputs"),
        ({"customerId": 42, "claimedBy": "ana"}, "claimedBy: Extra inputs"),
    ],
)
async def test_what_cannot_be_accepted_is_refused_in_words(shop: Shop, body: Any, words: str) -> None:
    for id in (8, 7):  # one that is not there, and one that is
        head = shop.side.storage.log.newest
        status, problem = await shop.put(id, body)
        assert (status, shop.side.storage.log.newest) == (422, head)
        assert words in problem["detail"]


@pytest.mark.parametrize("role", ["customer", "operator", "admin"])
async def test_it_is_for_the_shops_backend(shop: Shop, role: str) -> None:
    for id in (7, 8):
        status, problem = await shop.put(id, {"customerId": 42}, bearer(role, 42))
        assert status == 403
        assert "service token" in problem["detail"]


async def test_a_token_that_names_shops_is_for_orders_of_these(shop: Shop) -> None:
    north = bearer("service", "shop", shops=["north"])
    status, order = await shop.put(8, {"customerId": 42}, north)
    assert (status, order["shopId"]) == (201, "north")
    assert (await shop.put(9, {"customerId": 42, "shopId": "south"}, north))[0] == 422
    status, problem = await shop.put(7, {"customerId": 42}, north)
    assert (status, problem["type"]) == (409, "urn:ordercast:order-exists")
    assert (await shop.side.storage.orders.get("7")).shop_id is None  # type: ignore[union-attr]


async def test_who_was_told_stays_told(shop: Shop) -> None:
    """What operators did is not the backend's to say."""
    _, order = await shop.put(8, ORDER)
    await ask(shop.app, "POST", "/api/orders/8/contact", headers=bearer("operator"))
    _, order = await shop.put(8, {**ORDER, "note": "new"})
    assert order["firstContactAt"] is not None
    assert [event.kind for event in shop.side.storage.log.events[-2:]] == [EventKind.CONTACTED, EventKind.CHANGED]


async def test_an_order_of_before_today_is_not_of_today(shop: Shop) -> None:
    """Its figures would be those of whoever brought it in, not of those who worked."""
    for id, time in ((8, "2020-01-02T03:04:05Z"), (9, None)):
        await shop.put(id, {"customerId": 42, "status": "delivered", "createdAt": time})
    _, _, answer = await ask(shop.app, "GET", "/api/stats", headers=bearer("operator"))
    figures = json.loads(answer)
    assert (figures["done"], figures["orders"]["delivered"]) == (1, 1)
    await shop.put(8, {"customerId": 42, "status": "collected"})
    _, _, answer = await ask(shop.app, "GET", "/api/stats", headers=bearer("operator"))
    assert json.loads(answer)["orders"]["collected"] == 1
