"""The sample shop: who takes an order contacts its customer and moves it along, and leaves alone what others have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ordercast.demo import OPERATOR, DemoShop, targets
from ordercast.orders.models import EventKind, now
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.testing import MemoryStorage, memory_storage

PATIENCE = 60.0  # s; bounds a failure only
WORKFLOW = load_workflow()
ANA = Principal(OPERATOR, Role.OPERATOR)


@asynccontextmanager
async def shop(seed: int) -> AsyncIterator[tuple[MemoryStorage, OrderService, DemoShop, str]]:
    """An open one, at a pace that nobody could watch, and its customer's order."""
    storage = memory_storage()
    orders = OrderService(storage.orders, WORKFLOW)
    demo = DemoShop(orders, seed, speed=2_000)
    order = await demo.open()
    yield storage, orders, demo, order.order_id


async def run(demo: DemoShop, storage: MemoryStorage, events: int) -> None:
    """Until so many more things have happened."""
    enough = storage.log.newest + events
    reached = asyncio.Event()
    stop = storage.log.subscribe(lambda: reached.set() if storage.log.newest >= enough else None)
    task = asyncio.create_task(demo.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
    finally:
        stop()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_an_order_is_taken_before_it_is_contacted_and_contacted_before_it_moves() -> None:
    async with shop(2016) as (storage, _, demo, customers):
        await run(demo, storage, 1_000)
        orders = storage.orders.all()
        for order in orders:
            history = await storage.orders.history(order.order_id)
            kinds = [event.kind for event in history[:3]]
            assert kinds == [EventKind.CREATED, EventKind.CLAIMED, EventKind.CONTACTED][: len(history)]
            assert {event.updated_by for event in history[1:]} <= {order.claimed_by}
            assert all(event.kind is EventKind.STATUS_CHANGED for event in history[3:])
        ended = [order for order in orders if not WORKFLOW.waits_in(order.status)]
        assert len(ended) > 20
        assert customers in [order.order_id for order in ended if order.status == "delivered"]


async def test_there_is_something_to_do_from_the_start() -> None:
    async with shop(7) as (storage, _, _, _):
        orders = storage.orders.all()
        assert len({order.status for order in orders}) >= 4
        assert sum(order.claimed_by is None for order in orders) >= 3
        late = [
            o for o in orders if o.expected_at is not None and o.expected_at < now() and WORKFLOW.waits_in(o.status)
        ]
        assert late


async def test_what_somebody_at_the_board_takes_is_theirs() -> None:
    async with shop(1) as (storage, orders, demo, _):
        free = [order.order_id for order in storage.orders.all() if order.claimed_by is None]
        for id in free:
            await orders.claim(id, ANA)
        begun = next(order for order in storage.orders.all() if order.claimed_by not in (None, OPERATOR))
        await orders.claim(begun.order_id, ANA, begun.claimed_by)
        before = {order.order_id: order for order in storage.orders.all() if order.claimed_by == OPERATOR}
        await run(demo, storage, 300)
        assert {order.order_id: order for order in storage.orders.all() if order.claimed_by == OPERATOR} == before
        for id in before:
            await orders.release(id, ANA)
        await run(demo, storage, 1_000)
        moved = [order for order in storage.orders.all() if order.order_id in before]
        assert all(order.claimed_by is not None for order in moved), "given back, they go on"


def test_targets_fit_the_pace() -> None:
    assert targets().keys() == {name for name in WORKFLOW.statuses if WORKFLOW.waits_in(name)}
    slow, fast = targets(0.5), targets(50)
    assert all(slow[name] > targets()[name] > fast[name] >= 1 for name in slow)
