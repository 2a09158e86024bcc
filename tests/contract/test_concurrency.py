"""Many writers at once: one after the other, each on what the one before left, without a hole."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.errors import (
    OrderExists,
    TransitionNotAllowed,
    VersionConflict,
)
from ordercast.orders.models import (
    Change,
    EventKind,
    Order,
    OrderEvent,
    Written,
)
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from tests.contract.support import all_of, create, noting, whole


async def test_many_writers_leave_no_hole(orders: OrderRepository, log: EventLog) -> None:
    ids = [str(n) for n in range(1, 8)]
    for id in ids:
        await create(orders, id)

    async def write(n: int) -> OrderEvent | None:
        id = ids[n % len(ids)]
        if n % 5 == 0:  # a refusal among them
            with pytest.raises(OrderExists):
                await create(orders, id)
            return None
        if n % 5 == 1:
            assert (await orders.change(id, lambda order: None)).event is None
            return None
        if n % 5 == 2:
            return (await create(orders)).event
        return (await orders.change(id, noting(str(n)))).event

    told = [event for event in await asyncio.gather(*(write(n) for n in range(400))) if event is not None]
    assert len(told) == 240
    await whole(orders, log, len(ids) + 240)
    logged = await all_of(log)
    assert sorted(told, key=lambda event: event.position) == logged[len(ids) :]
    assert {event.order_id for event in logged[len(ids) :]} == {*ids, *(str(n) for n in range(8, 88))}


async def test_each_change_sees_the_one_before(orders: OrderRepository) -> None:
    await create(orders, "1", note="0")

    def count_up(order: Order) -> Change:
        return Change(kind=EventKind.CHANGED, values={"note": str(int(order.note or "0") + 1)}, updated_by="7")

    await asyncio.gather(*(orders.change("1", count_up) for _ in range(300)))
    order = await orders.get("1")
    assert order is not None
    assert (order.note, order.version) == ("300", 301)


async def test_of_writers_who_expect_the_same_version_one_wins(orders: OrderRepository) -> None:
    service = OrderService(orders, load_workflow())
    by = Principal("shop", Role.SERVICE)
    await create(orders, "1")
    for version in (1, 2, 3):
        outcomes = await asyncio.gather(
            *(service.update("1", by, fields={"note": f"{version}.{n}"}, expected_version=version) for n in range(60)),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, Written)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, VersionConflict)]
        assert (len(won), len(lost)) == (1, 59)
        assert won[0].order == await orders.get("1")
        assert {conflict.extra["version"] for conflict in lost} == {version + 1}


async def test_of_writers_who_take_the_same_step_one_moves_the_order(orders: OrderRepository) -> None:
    service = OrderService(orders, load_workflow())
    by = Principal("shop", Role.SERVICE)
    await create(orders, "1")
    steps = ["accepted", "cancelled", "rejected"] * 30
    outcomes = await asyncio.gather(
        *(service.update("1", by, status=status) for status in steps), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {Written, TransitionNotAllowed}
    moved = [event.status for event in await orders.history("1") if event.previous_status]
    # accepted may be cancelled later; nothing follows the others
    assert moved in (["accepted"], ["accepted", "cancelled"], ["cancelled"], ["rejected"])
