"""A log whose beginning was removed: what is left, and how one knows."""

from __future__ import annotations

import pytest

from ordercast.orders.models import OrderQuery
from ordercast.orders.ports import EventLog, OrderRepository
from tests.contract.support import Clock, Ports, create, noting, positions, setting


@pytest.fixture
async def ten(orders: OrderRepository, clock: Clock) -> None:
    """Ten events of two orders, a second apart; the newest is of now."""
    for n in range(10):
        clock.tick(1)
        if n < 2:
            await create(orders, "ab"[n])
        else:
            await orders.change("ab"[n % 2], noting(str(n)))


async def test_at_first_all_is_there(log: EventLog, orders: OrderRepository, clock: Clock) -> None:
    assert log.floor == 0
    for position in (-1, 0, 1, 2**63 - 1, 2**63, 10**30):
        assert await log.at(position) is None
    before = clock.time
    await create(orders)
    clock.tick(5)
    await create(orders)
    assert (await log.at(1), await log.at(2), await log.at(3), await log.at(0)) == (before, clock.time, None, None)
    assert log.floor == 0


@pytest.mark.usefixtures("ten")
async def test_what_is_old_is_removed(ports: Ports, log: EventLog, clock: Clock) -> None:
    await ports.retain(10)
    assert (log.floor, await positions(log)) == (0, [*range(1, 11)])
    times = [await log.at(position) for position in range(11)]
    await ports.retain(5)  # as old as that is not older
    assert log.floor == 4
    assert await log.head() == 10
    assert await positions(log, 4) == [5, 6, 7, 8, 9, 10]
    assert await positions(log, 7, 2) == [8, 9]
    assert await positions(log, 10) == []
    assert await positions(log, 0) == await positions(log, 3) == [5, 6, 7, 8, 9, 10]  # the floor tells
    assert [event.position for event, _ in log.recent(4, 100)] in ([], [5, 6, 7, 8, 9, 10])
    assert [await log.at(position) for position in range(11)] == [None] * 5 + times[5:]
    await ports.retain(5)
    await ports.retain(100)
    assert log.floor == 4


@pytest.mark.usefixtures("ten")
async def test_orders_stay_as_they_are(ports: Ports, orders: OrderRepository, log: EventLog, clock: Clock) -> None:
    before = [await orders.get(id) for id in "ab"]
    clock.tick(1)
    await ports.retain(0.5)
    assert (log.floor, await log.head(), await positions(log)) == (10, 10, [])
    assert [await orders.get(id) for id in "ab"] == before
    assert [await orders.history(id) for id in "ab"] == [[], []]
    page = await orders.find(OrderQuery())
    assert (page.position, len(page.orders)) == (10, 2)
    written = await orders.change("a", setting(status="accepted"))
    assert written.event is not None
    assert (written.event.position, written.event.version) == (11, 6)
    created = await create(orders)
    assert created.event is not None
    assert (created.event.position, created.order.order_id) == (12, "1")
    snapshot = await orders.snapshot("a")
    assert snapshot is not None
    assert (snapshot.position, snapshot.order) == (12, written.order)
    assert await positions(log, 10) == [11, 12]
    assert list(await orders.history("a")) == [written.event]


@pytest.mark.usefixtures("ten")
async def test_a_history_loses_its_beginning(ports: Ports, orders: OrderRepository) -> None:
    await ports.retain(5)
    assert [event.version for event in await orders.history("a")] == [3, 4, 5]
    assert [event.position for event in await orders.history("b")] == [6, 8, 10]


async def test_one_of_a_wrong_clock_keeps_all_behind_it(
    ports: Ports, orders: OrderRepository, log: EventLog, clock: Clock
) -> None:
    """Removing those would leave a hole."""
    start = clock.time
    await create(orders)
    clock.tick(1_000_000)
    await create(orders)
    clock.time = start
    await create(orders)
    clock.tick(100)
    await ports.retain(10)
    assert (log.floor, await positions(log, 1)) == (1, [2, 3])
    clock.tick(1_000_000)
    await ports.retain(10)
    assert (log.floor, await positions(log, 3)) == (3, [])
