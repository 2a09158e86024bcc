"""``GET /api/events?after=`` and histories, where the log's beginning is gone or the cursor is none of it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from ordercast.api.application import create_api
from ordercast.orders.models import NewOrder
from tests.contract.support import Clock, stop_clocks
from tests.rest import BACKEND, MAX_BODY, SHARES, SHOP, Side, ask, bearer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture
async def side(clock: Clock) -> Side:
    """Six events a second apart: two orders created, then 7 is changed."""
    side = await Side.open()
    for status in ("accepted", "preparing", "ready", "out_for_delivery"):
        clock.tick(1)
        await side.orders.change_status("7", status, updated_by="kitchen")
    return side


async def get(side: Side, path: str, query: str = "", caller: Any = BACKEND) -> tuple[int, Any]:
    app = create_api(side.services, max_body=MAX_BODY)
    status, _, answer = await ask(app, "GET", path, headers=caller, query=query.encode())
    return status, json.loads(answer)


async def after(side: Side, cursor: object) -> tuple[int, Any]:
    return await get(side, "/api/events", f"after={quote(str(cursor))}")


def forget(side: Side, clock: Clock, seconds: float) -> None:
    side.storage.log.remove_before(clock.time - timedelta(seconds=seconds))


NO_CURSORS = [
    "",
    "yesterday",
    -1,
    "-0",
    2**63,
    10**100,
    f"memory.{2**63}",
    "memory.",
    ".1",
    "memory.-1",
    "memory.1 ",
]


@pytest.mark.parametrize("cursor", NO_CURSORS)
async def test_what_is_no_cursor(side: Side, cursor: object) -> None:
    status, problem = await after(side, cursor)
    assert (status, problem["type"]) == (422, "urn:ordercast:invalid")


@pytest.mark.parametrize("cursor", ["memory.7", 7, 2**63 - 1, "other.1", "other.99", "other.0", "7.1"])
async def test_cursors_of_another_log_or_from_the_future(side: Side, cursor: object) -> None:
    status, problem = await after(side, cursor)
    assert (status, problem["type"]) == (410, "urn:ordercast:cursor-gone")
    assert "not of this log" in problem["detail"]


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize("name", ["", "memory."])
async def test_below_the_floor_it_cannot_be_given_whole(side: Side, clock: Clock, position: int, name: str) -> None:
    forget(side, clock, 2.5)
    assert side.storage.log.floor == 3
    status, answer = await after(side, f"{name}{position}")
    if position < 3:
        assert (status, answer["type"]) == (410, "urn:ordercast:cursor-gone")
        assert "have been removed" in answer["detail"]
    else:
        assert (status, answer["cursor"]) == (200, "memory.6")
        assert {event["position"] for event in answer["events"]} == {*range(position + 1, 7)}


async def test_a_log_that_is_all_gone_can_still_be_followed(side: Side, clock: Clock) -> None:
    clock.tick(1)
    forget(side, clock, 0.5)
    status, answer = await get(side, "/api/events")
    assert (status, answer["cursor"]) == (200, "memory.6")
    assert (await after(side, answer["cursor"]))[1]["events"] == []
    await side.orders.change_status("7", "delivered", updated_by="kitchen")
    events = (await after(side, answer["cursor"]))[1]["events"]
    assert [(event["event"], event["position"]) for event in events] == [("order:status_changed", 7)]


async def test_what_is_removed_between_two_looks_is_missed_loudly(
    side: Side, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordercast.api.events._BATCH", 2)
    read = side.storage.log.after

    async def remove_after(position: int, limit: int) -> Any:
        found = await read(position, limit)
        if position == 0:
            forget(side, clock, 0.5)
        return found

    assert (await after(side, 0))[0] == 200
    monkeypatch.setattr(type(side.storage.log), "after", lambda log, position, limit: remove_after(position, limit))
    status, problem = await after(side, 0)
    assert (status, problem["type"]) == (410, "urn:ordercast:cursor-gone")


@pytest.mark.parametrize("caller", [BACKEND, bearer("customer", 42), bearer("operator")])
async def test_a_history_says_whether_it_is_whole(side: Side, clock: Clock, caller: Any) -> None:
    async def history() -> tuple[list[int], bool]:
        status, answer = await get(side, "/api/orders/7/events", caller=caller)
        assert status == 200
        return [event["version"] for event in answer["events"]], answer["complete"]

    assert await history() == ([1, 2, 3, 4, 5], True)
    forget(side, clock, 2.5)
    assert await history() == ([3, 4, 5], False)
    clock.tick(1)
    forget(side, clock, 0.5)
    assert await history() == ([], False)
    await side.orders.change_status("7", "delivered", updated_by="kitchen")
    assert await history() == ([6], False)


async def test_the_documentation_knows_the_route_and_the_field(side: Side) -> None:
    status, document = await get(side, "/openapi.json")
    assert status == 200
    assert "204" in document["paths"]["/api/tokens/revoke"]["post"]["responses"]
    assert document["components"]["schemas"]["History"]["required"] == ["events", "complete"]


# -- how much one request does -------------------------------------------------------------------------------


class Work:
    """Counts what is read of the log and of the orders."""

    def __init__(self, side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events = 0
        self.orders: set[str] = set()
        log, orders = type(side.storage.log), type(side.storage.orders)
        after, of_customer, get_all = log.after, log.of_customer, orders.get_all

        async def counted_after(log: Any, position: int, limit: int) -> Any:
            found = await after(log, position, limit)
            self.events += len(found)
            return found

        async def counted_of_customer(log: Any, customer_id: str, position: int, limit: int) -> Any:
            found, through = await of_customer(log, customer_id, position, limit)
            self.events += len(found)
            return found, through

        async def counted_get_all(orders: Any, order_ids: Any) -> Any:
            self.orders.update(order_ids)
            return await get_all(orders, order_ids)

        monkeypatch.setattr(log, "after", counted_after)
        monkeypatch.setattr(log, "of_customer", counted_of_customer)
        monkeypatch.setattr(orders, "get_all", counted_get_all)
        monkeypatch.setattr(orders, "get", None)
        monkeypatch.setattr("ordercast.api.events._BATCH", 2)
        monkeypatch.setattr("ordercast.api.events._LOOKS", 3)


@pytest.fixture
async def busy(side: Side) -> Side:
    """Thirty more events of a customer of no shop, and one more of the shop ``north`` and customer 43 at the end."""
    for number in range(15):
        await side.orders.create(NewOrder(customer_id="44", order_id=f"other-{number}"), SHOP)
        await side.orders.change_status(f"other-{number}", "accepted", updated_by="kitchen")
    await side.orders.change_status("north-1", "accepted", updated_by="kitchen")
    return side


async def test_one_request_looks_at_so_many_events_and_the_next_goes_on(
    busy: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(busy, monkeypatch)
    north = bearer("operator", "ana", shops=["north"])
    heard, cursor, requests = [], "memory.0", 0
    while cursor != "memory.37":
        before = work.events
        async with asyncio.timeout(30):  # it does not wait while there is more to look at
            status, answer = await get(busy, "/api/events", f"after={cursor}&wait=60", north)
        assert status == 200
        assert 0 < work.events - before <= 6
        assert int(answer["cursor"].split(".")[1]) == answer["position"] > int(cursor.split(".")[1])
        heard += [(event["event"], event["position"]) for event in answer["events"]]
        cursor, requests = answer["cursor"], requests + 1
    assert heard == [("order:created", 2), ("order:status_changed", 37)]
    assert requests == 7
    assert work.orders == {"north-1"}, "orders of other shops are not read"


async def test_a_customer_is_given_their_own_events_without_a_look_at_others(
    busy: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work(busy, monkeypatch)
    status, answer = await get(busy, "/api/events", "after=0", bearer("customer", 43))
    assert (status, answer["cursor"]) == (200, "memory.37")
    assert [(event["event"], event["position"]) for event in answer["events"]] == [
        ("order:created", 2),
        ("order:updated", 37),
    ]
    assert work.events == 2
    assert work.orders == {"north-1"}


async def test_a_customer_with_much_behind_goes_on_too(busy: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(busy, monkeypatch)
    positions, cursor, requests = [], "memory.0", 0
    while cursor != "memory.37":
        before = work.events
        _, answer = await get(busy, "/api/events", f"after={cursor}", bearer("customer", 44))
        assert work.events - before <= 6
        positions += [event["position"] for event in answer["events"]]
        assert answer["position"] > int(cursor.split(".")[1])
        cursor, requests = answer["cursor"], requests + 1
    assert positions == [*range(7, 37)]
    assert requests == 6


async def test_who_waits_at_the_end_still_hears_what_comes(busy: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    Work(busy, monkeypatch)
    waiting = asyncio.create_task(get(busy, "/api/events", "after=37&wait=60", bearer("customer", 43)))
    for _ in range(30):
        await asyncio.sleep(0)
    await busy.orders.change_status("7", "delivered", updated_by="kitchen")
    await busy.orders.change_status("north-1", "preparing", updated_by="kitchen")
    _, answer = await asyncio.wait_for(waiting, 30)
    assert [event["position"] for event in answer["events"]] == [39]
    assert answer["cursor"] == "memory.39"


async def test_whose_order_it_was_finds_that_it_is_so_no_more(side: Side) -> None:
    async def told(position: int, caller: Any) -> list[tuple[str, int]]:
        status, answer = await get(side, "/api/events", f"after={position}", caller)
        assert status == 200
        assert answer["position"] == side.storage.log.newest
        return [(event["event"], event["position"]) for event in answer["events"]]

    north, south = [bearer("operator", "ben", shops=[shop]) for shop in ("north", "south")]
    await side.orders.put(NewOrder(order_id="7", customer_id="43", shop_id="south"), SHOP)
    await side.orders.change_status("7", "delivered", updated_by="kitchen")
    assert await told(6, bearer("customer", 42)) == [("order:gone", 7)]
    assert await told(6, bearer("customer", 43)) == [("order:changed", 7), ("order:updated", 8)]
    assert await told(6, bearer("operator")) == [("order:changed", 7), ("order:status_changed", 8)]
    assert await told(6, south) == [("order:changed", 7), ("order:status_changed", 8)]
    assert await told(6, north) == []
    await side.orders.put(NewOrder(order_id="7", customer_id="43", shop_id="north"), SHOP)
    assert await told(8, south) == [("order:gone", 9)]
    assert await told(8, north) == [("order:changed", 9)]
    assert await told(8, bearer("customer", 43)) == [("order:changed", 9)]


async def test_a_share_link_of_a_former_customers_asks_in_vain(side: Side) -> None:
    link = [(b"authorization", b"Bearer " + SHARES.issue("7", "42").token.encode())]
    assert (await get(side, "/api/events", "after=0", link))[0] == 200
    await side.orders.put(NewOrder(order_id="7", customer_id="43"), SHOP)
    status, problem = await get(side, "/api/events", "after=0", link)
    assert (status, problem["type"]) == (401, "urn:ordercast:unauthorized")
