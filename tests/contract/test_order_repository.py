"""`OrderRepository`: what every keeper of orders promises, held to it in memory and in a file."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ordercast.errors import (
    Conflict,
    NotFound,
    OrderExists,
)
from ordercast.orders.models import (
    Change,
    EventKind,
    Fulfilment,
    IdempotencyKey,
    NewOrder,
    Order,
    OrderEvent,
    OrderQuery,
    Written,
)
from ordercast.orders.ports import EventLog, OrderRepository
from tests.contract.support import FULL, Clock, all_of, create, noting, unchanged

LATER = datetime(2026, 3, 1, 12, 30, 0, 5_000, tzinfo=UTC)


# -- creating and reading -----------------------------------------------------------------------------------


async def test_what_was_created_is_there(orders: OrderRepository, clock: Clock) -> None:
    written = await orders.create(FULL, "received", "shop")
    assert written == Written(
        Order(
            order_id="a.b:c-1_2",
            customer_id="42",
            shop_id="north",
            reference=FULL.reference,
            fulfilment=Fulfilment.PICKUP,
            status="received",
            version=1,
            items=FULL.items,
            total=12.34,
            currency="EUR",
            note=FULL.note,
            contact=FULL.contact,
            expected_at=FULL.expected_at,
            claimed_by=None,
            first_contact_at=None,
            created_at=clock.time,
            status_since=clock.time,
            updated_at=clock.time,
        ),
        OrderEvent(
            position=1,
            order_id="a.b:c-1_2",
            version=1,
            kind=EventKind.CREATED,
            status="received",
            previous_status=None,
            fields=(),
            customer_id="42",
            shop_id="north",
            updated_by="shop",
            reason=None,
            forced=False,
            at=clock.time,
        ),
    )
    assert await orders.get("a.b:c-1_2") == written.order


async def test_the_least_that_can_be_said(orders: OrderRepository) -> None:
    written = await orders.create(NewOrder(customer_id="42"), "new", "shop")
    order = await orders.get("1")
    assert order == written.order
    assert (order.shop_id, order.items, order.total, order.contact, order.expected_at) == (None, [], None, None, None)
    assert (order.fulfilment, order.status) == (Fulfilment.DELIVERY, "new")


async def test_what_is_not_there(orders: OrderRepository) -> None:
    await create(orders, "1")
    for id in ("2", "", "01", "1 ", "A" * 64):
        assert await orders.get(id) is None
        assert await orders.snapshot(id) is None
        assert await orders.history(id) == []
        with pytest.raises(NotFound):
            await orders.change(id, noting("x"))


async def test_ids_are_text_and_case_counts(orders: OrderRepository) -> None:
    for id in ("42", "042", "a", "A", "9" * 64):
        await create(orders, id)
    for id in ("42", "042", "a", "A", "9" * 64):
        found = await orders.get(id)
        assert found is not None
        assert found.order_id == id


async def test_what_was_handed_out_is_not_what_is_stored(orders: OrderRepository) -> None:
    items: list[Any] = [{"n": 1}]
    written = await orders.create(NewOrder(order_id="1", customer_id="42", items=items), "received", "shop")
    before = await orders.get("1")
    assert before is not None
    for handed in (items, written.order.items, (await orders.find(OrderQuery())).orders[0].items):
        handed.append("smuggled")
    snapshot = await orders.snapshot("1")
    assert snapshot is not None
    snapshot.order.items.clear()
    assert await orders.get("1") == replace(before, items=[{"n": 1}])


async def test_an_id_is_taken_once(orders: OrderRepository, log: EventLog) -> None:
    first = (await create(orders, "x", note="first")).order
    with pytest.raises(OrderExists, match="'x'"):
        await create(orders, "x", customer_id="43")
    await unchanged(orders, log, first, 1)


async def test_numbers_go_around_the_shops_own_ids(orders: OrderRepository) -> None:
    for id in ("2", "3", "05", "6", "x"):
        await create(orders, id)
    assert [(await create(orders)).order.order_id for _ in range(5)] == ["1", "4", "5", "7", "8"]
    with pytest.raises(OrderExists):
        await create(orders, "7")
    await create(orders, "9")
    assert (await create(orders)).order.order_id == "10"


async def test_a_number_is_not_spent_on_a_refusal(orders: OrderRepository) -> None:
    def fail(order: Order) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await orders.create(NewOrder(customer_id="42"), "received", "shop", IdempotencyKey("s", "k", "f"), fail)
    assert (await create(orders)).order.order_id == "1"


# -- changing -----------------------------------------------------------------------------------------------


async def test_a_change_with_all_it_can_carry(orders: OrderRepository, clock: Clock) -> None:
    await orders.create(FULL, "received", "shop")
    before = await orders.get("a.b:c-1_2")
    assert before is not None
    values = {
        "status": "accepted",
        "expected_at": LATER,
        "note": None,
        "contact": {"a": "ä"},
        "claimed_by": "7",
        "first_contact_at": LATER,
    }
    seen: list[Order] = []

    def decide(order: Order) -> Change:
        seen.append(order)
        return Change(kind=EventKind.STATUS_CHANGED, values=values, updated_by=None, reason="why ☂", forced=True)

    created = clock.time
    at = clock.tick(1)
    written = await orders.change(before.order_id, decide)
    assert seen == [before]
    assert written == Written(
        replace(
            before,
            status="accepted",
            status_since=at,
            version=2,
            expected_at=LATER,
            note=None,
            contact={"a": "ä"},
            claimed_by="7",
            first_contact_at=LATER,
            updated_at=at,
        ),
        OrderEvent(
            position=2,
            order_id=before.order_id,
            version=2,
            kind=EventKind.STATUS_CHANGED,
            status="accepted",
            previous_status="received",
            fields=("expected_at", "note", "contact", "claimed_by", "first_contact_at"),
            customer_id="42",
            shop_id="north",
            updated_by=None,
            reason="why ☂",
            forced=True,
            at=at,
        ),
    )
    assert await orders.get(before.order_id) == written.order
    assert written.order.created_at == created < written.order.updated_at


async def test_fields_alone_change_no_status(orders: OrderRepository) -> None:
    await create(orders, "1")
    event = (await orders.change("1", noting("x"))).event
    assert event is not None
    assert (event.kind, event.status, event.previous_status) == (EventKind.CHANGED, "received", None)
    assert event.fields == ("note",)


async def test_an_event_without_values(orders: OrderRepository) -> None:
    """A second contact changes nothing but is worth an entry."""
    await create(orders, "1")
    contacted = Change(kind=EventKind.CONTACTED, values={}, updated_by="7")
    written = await orders.change("1", lambda order: contacted)
    assert written.order.version == 2
    assert written.event is not None
    assert (written.event.kind, written.event.fields) == (EventKind.CONTACTED, ())


async def test_deciding_for_nothing_changes_nothing(orders: OrderRepository, log: EventLog, clock: Clock) -> None:
    order = (await create(orders, "1")).order
    clock.tick()
    assert await orders.change("1", lambda order: None) == Written(order)
    await unchanged(orders, log, order, 1)


@pytest.mark.parametrize("error", [Conflict("no"), ZeroDivisionError("oh"), KeyError("x"), OSError("disk")])
async def test_what_deciding_raises_comes_out_and_changes_nothing(
    orders: OrderRepository, log: EventLog, error: Exception
) -> None:
    order = (await create(orders, "1")).order

    def decide(order: Order) -> Change:
        raise error

    with pytest.raises(type(error)) as caught:
        await orders.change("1", decide)
    assert caught.value is error
    await unchanged(orders, log, order, 1)


async def test_what_cannot_be_shown_is_not_stored(orders: OrderRepository, log: EventLog) -> None:
    """Rendering the answer belongs to the transaction."""
    order = (await create(orders, "1")).order

    def fail(order: Order) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await orders.change("1", noting("x"), IdempotencyKey("s", "k", "f"), fail)
    await unchanged(orders, log, order, 1)


# -- snapshots and history ----------------------------------------------------------------------------------


async def test_a_history_is_in_order_and_of_one_order(orders: OrderRepository, log: EventLog) -> None:
    for id in ("a", "b"):
        await create(orders, id)
    for n in range(5):
        for id in ("b", "a"):
            await orders.change(id, noting(str(n)))
    history = list(await orders.history("a"))
    assert [event.version for event in history] == [1, 2, 3, 4, 5, 6]
    assert history == [event for event in await all_of(log) if event.order_id == "a"]


async def test_a_snapshot_is_complete_up_to_its_position(orders: OrderRepository) -> None:
    for id in ("a", "b"):
        await create(orders, id)

    async def write(n: int) -> None:
        await orders.change("ab"[n % 2], noting(str(n)))

    async def look() -> list[tuple[str, int, int]]:
        seen = []
        for id in "ab" * 40:
            snapshot = await orders.snapshot(id)
            assert snapshot is not None
            seen.append((id, snapshot.order.version, snapshot.position))
            page = await orders.find(OrderQuery())
            seen += [(order.order_id, order.version, page.position) for order in page.orders]
        return seen

    looking = asyncio.create_task(look())
    await asyncio.gather(*(write(n) for n in range(300)))
    seen = await looking
    final = await orders.snapshot("a")
    assert final is not None
    assert final.position == 302
    history = {id: await orders.history(id) for id in "ab"}
    for id, version, position in seen:
        assert version == sum(event.position <= position for event in history[id])
