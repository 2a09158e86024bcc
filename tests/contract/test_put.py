"""`OrderRepository.put`: creates or changes, in one transaction, whoever else does it at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ordercast.errors import Forbidden, Invalid, OrderExists, UnknownStatus, VersionConflict
from ordercast.orders.models import Change, EventKind, NewOrder, Order, OrderQuery, Written
from ordercast.orders.ports import Decide, EventLog, OrderRepository, Put
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from tests.contract.support import FULL, Clock, all_of, create, setting, unchanged, whole

BY = Principal("shop", Role.SERVICE)
LONG_AGO = datetime(2019, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
ARGUMENTS: dict[str, Any] = {"status": None, "updated_by": None, "reason": None}
CREATED = Change(kind=EventKind.CREATED, values={}, updated_by="pos", reason="from the till")


@pytest.fixture
def service(orders: OrderRepository) -> OrderService:
    return OrderService(orders, load_workflow())


def never(order: Order) -> Change:
    raise AssertionError(f"{order.order_id} was there")


async def test_it_creates_what_is_not_there(orders: OrderRepository, clock: Clock) -> None:
    written = await orders.put(replace(FULL, created_at=LONG_AGO), "ready", CREATED, never)
    order, event = written.order, written.event
    assert await orders.get(FULL.order_id or "") == order
    assert (order.status, order.version, order.created_at, order.updated_at) == ("ready", 1, LONG_AGO, clock.time)
    assert (order.items, order.contact, order.expected_at) == (FULL.items, FULL.contact, FULL.expected_at)
    assert event is not None
    assert (event.kind, event.version, event.position) == (EventKind.CREATED, 1, 1)
    assert (event.updated_by, event.reason, event.at) == ("pos", "from the till", clock.time)
    assert written.created


async def test_it_changes_what_is_there(orders: OrderRepository, log: EventLog, clock: Clock) -> None:
    await create(orders, "1", note="old")
    clock.tick()
    change = setting(customer_id="43", shop_id="north", created_at=LONG_AGO, note=None, status="delivered", items=[1])
    written = await orders.put(NewOrder(order_id="1", customer_id="43"), "received", CREATED, change)
    order = await orders.get("1")
    assert order == written.order
    assert order is not None
    assert (order.customer_id, order.shop_id, order.created_at, order.note) == ("43", "north", LONG_AGO, None)
    assert (order.status, order.items, order.version) == ("delivered", [1], 2)
    assert not written.created
    (_, event) = await all_of(log)
    assert event == written.event
    assert (event.customer_id, event.shop_id, event.previous_status) == ("43", "north", "received")
    assert event.fields == ("customer_id", "shop_id", "created_at", "note", "items")


async def test_what_is_the_same_or_refused_changes_nothing(orders: OrderRepository, log: EventLog) -> None:
    new = NewOrder(order_id="1", customer_id="42")
    order = (await orders.put(new, "received", CREATED, never)).order
    written = await orders.put(new, "received", CREATED, lambda order: None)
    assert written == Written(order)
    with pytest.raises(AssertionError, match="was there"):
        await orders.put(new, "received", CREATED, never)
    await unchanged(orders, log, order, 1)


async def test_pages_are_by_the_shops_own_times(orders: OrderRepository) -> None:
    times = {"a": 2026, "b": 1955, "c": 1969, "d": 2031, "e": 1}
    for id, year in times.items():
        new = NewOrder(order_id=id, customer_id="42", created_at=datetime(year, 1, 2, tzinfo=UTC))
        await orders.put(new, "received", CREATED, never)
    found: list[str] = []
    after = None
    while True:
        page = await orders.find(OrderQuery(limit=1, after=after))
        found += [order.order_id for order in page.orders]
        after = page.next
        if after is None:
            break
    assert found == ["d", "a", "c", "b", "e"]


async def test_of_many_at_once_one_creates_and_the_others_change(
    orders: OrderRepository, log: EventLog, service: OrderService
) -> None:
    ids = [str(n) for n in range(5)]
    written = await asyncio.gather(
        *(service.put(NewOrder(order_id=id, customer_id="42", note=str(n)), BY) for n in range(60) for id in ids)
    )
    assert sum(one.created for one in written) == len(ids)
    assert {one.order.version for one in written} == {*range(1, 61)}
    await whole(orders, log, 300)


async def test_the_same_many_times_at_once_is_one_event(
    orders: OrderRepository, log: EventLog, service: OrderService
) -> None:
    written = await asyncio.gather(*(service.put(FULL, BY, status="ready") for _ in range(100)))
    assert sum(one.created for one in written) == 1
    assert {one.order.version for one in written} == {1}
    await whole(orders, log, 1)


async def test_against_patches_that_expect_a_version_nothing_is_lost(
    orders: OrderRepository, log: EventLog, service: OrderService
) -> None:
    await service.put(NewOrder(order_id="1", customer_id="42"), BY)

    async def patch() -> None:
        while True:
            order = await service.get("1", BY)
            try:
                fields = {"contact": {"count": (order.contact or {"count": 0})["count"] + 1}}
                await service.update("1", BY, fields=fields, expected_version=order.version)
            except VersionConflict:
                continue
            return

    await asyncio.gather(*(patch() for _ in range(10)))
    assert ((await service.get("1", BY)).contact or {})["count"] == 10
    outcomes = await asyncio.gather(
        *(service.update("1", BY, fields={"note": f"patch {n}"}, expected_version=11) for n in range(20)),
        *(service.put(NewOrder(order_id="1", customer_id="42", note=f"put {n}"), BY) for n in range(20)),
        return_exceptions=True,
    )
    puts = [outcome for outcome in outcomes[20:] if isinstance(outcome, Written)]
    assert len(puts) == 20
    lost = [outcome for outcome in outcomes[:20] if isinstance(outcome, VersionConflict)]
    assert len(lost) >= 19
    await whole(orders, log, 11 + 20 + 20 - len(lost))
    assert (await service.get("1", BY)).contact is None


async def test_an_order_of_another_shop_is_not_the_callers(orders: OrderRepository, service: OrderService) -> None:
    await service.put(NewOrder(order_id="1", customer_id="42", shop_id="south"), BY)
    north = Principal("shop", Role.SERVICE, shops=frozenset({"north"}))
    with pytest.raises(OrderExists):
        await service.put(NewOrder(order_id="1", customer_id="42"), north)
    assert (await service.get("1", BY)).shop_id == "south"


# -- many at once -------------------------------------------------------------------------------------------


def put(id: str, note: str | None = None, decide: Decide = never) -> Put:
    return Put(NewOrder(order_id=id, customer_id="42", note=note), "received", CREATED, decide)


async def test_many_are_told_of_in_their_order(orders: OrderRepository, log: EventLog) -> None:
    await create(orders, "there")

    def refuse(order: Order) -> Change:
        raise OrderExists("not yours")

    given = [put("1"), put("there", decide=setting(note="x")), put("there", decide=refuse), put("2")]
    given += [put("1", decide=setting(note="again")), put("3"), put("3", decide=lambda order: None)]
    first, changed, refused, second, again, third, same = await orders.put_all(given)
    assert isinstance(refused, OrderExists)
    for written, id, version in ((first, "1", 1), (changed, "there", 2), (second, "2", 1), (again, "1", 2)):
        assert isinstance(written, Written)
        assert (written.order.order_id, written.order.version, written.created) == (id, version, version == 1)
    assert isinstance(third, Written)
    assert same == Written(third.order)
    by_position = {event.position: event for event in await all_of(log)}
    assert len(by_position) == 6
    for written in (first, changed, second, again, third):
        assert isinstance(written, Written)
        assert written.event is not None
        assert by_position[written.event.position] == written.event
    await whole(orders, log, 6)
    assert await orders.put_all([]) == []


async def test_many_against_others_that_do_the_same(
    orders: OrderRepository, log: EventLog, service: OrderService
) -> None:
    ids = [str(n) for n in range(40)]

    async def bring(note: str) -> None:
        told = [(NewOrder(order_id=id, customer_id="42", note=note), ARGUMENTS) for id in ids]
        assert all(isinstance(one, Written) for one in await service.put_all(told, BY))

    await asyncio.gather(
        *(bring(f"all {n}") for n in range(5)),
        *(service.put(NewOrder(order_id=id, customer_id="42", note="one"), BY) for id in reversed(ids)),
    )
    await whole(orders, log, await log.head())
    assert {(await service.get(id, BY)).note for id in ids} <= {"one", *(f"all {n}" for n in range(5))}


async def test_of_many_those_that_are_wrong_are_refused_alone(service: OrderService) -> None:
    told: list[tuple[NewOrder, dict[str, Any]]] = [
        (NewOrder(order_id="1", customer_id="42"), ARGUMENTS | {"status": "ready", "updated_by": "pos"}),
        (NewOrder(order_id="2", customer_id="42"), ARGUMENTS | {"status": "teleported"}),
        (NewOrder(customer_id="42"), ARGUMENTS),
        (NewOrder(order_id="4", customer_id="42"), ARGUMENTS),
    ]
    first, unknown, nameless, last = await service.put_all(told, BY)
    assert isinstance(first, Written)
    assert (first.order.status, first.event and first.event.updated_by) == ("ready", "pos")
    assert first.event is not None
    assert first.event.kind is EventKind.IMPORTED
    assert isinstance(unknown, UnknownStatus)
    assert isinstance(nameless, Invalid)
    assert isinstance(last, Written)
    assert last.created
    (forbidden,) = await service.put_all(told[:1], Principal("ana", Role.OPERATOR))
    assert isinstance(forbidden, Forbidden)
