"""What the tests of the contract share: a clock that stands still, and what a shop's table can keep."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from ordercast.config import Settings
from ordercast.orders import models
from ordercast.orders.kept import Kept, OwnStorage, checked
from ordercast.orders.models import Change, EventKind, Fulfilment, NewOrder, Order, OrderEvent, Written
from ordercast.orders.ports import Decide, EventLog, OrderRepository

TTL = 60.0
"""s that a key is remembered for here."""

LATER = datetime(2026, 3, 1, 12, 30, 0, 5_000, tzinfo=UTC)
IDS = ("1", "x", "a.b:c-1_2", "a", "A", "042", "42", "9" * 64)


class Clock:
    """The time that storage sees: moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 2, 3, 4, 5, 6, 789_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def tick(self, seconds: float = 0.001) -> datetime:
        """Goes on, and returns the new time."""
        self.time += timedelta(seconds=seconds)
        return self.time


def stop_clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Has everybody ask this clock who has imported `ordercast.orders.models.now`."""
    clock = Clock()
    real = models.now
    for module in [*sys.modules.values()]:
        if getattr(module, "__dict__", {}).get("now") is real:
            monkeypatch.setattr(module, "now", clock)
    return clock


class Contract:
    """What a shop's tests say of its table, for those that cannot keep everything."""

    pytestmark = pytest.mark.asyncio

    customers: ClassVar[tuple[str, str, str]] = ("42", "43", "44")
    shops: ClassVar[tuple[str, str]] = ("north", "south")
    statuses: ClassVar[tuple[str, str, str, str]] = ("received", "accepted", "preparing", "ready")
    text: ClassVar[str] = "note"
    """An attribute of `Order` that keeps any short text."""

    changes: ClassVar[Mapping[str, Any]] = {
        "expected_at": LATER,
        "note": None,
        "contact": {"a": "ä"},
        "claimed_by": "7",
        "first_contact_at": LATER,
    }
    """What a change may set, each to another value than `full` has."""

    def order_id(self, n: int) -> str:
        """The ``n``-th of as many order ids as one likes."""
        return IDS[n] if n < len(IDS) else f"o{n}"

    def full(self) -> NewOrder:
        """An order with everything that the table can keep of one."""
        return NewOrder(
            order_id=self.order_id(2),
            customer_id=self.customers[0],
            shop_id=self.shops[0],
            reference="№ 7",
            fulfilment=Fulfilment.PICKUP,
            items=[{"name": "Döner 🥙", "options": [None, True, 1.5, 10**30]}, "x\x00y", []],
            total=12.34,
            currency="EUR",
            note="ring\ntwice",
            contact={"phone": "+49", "nested": {"a": [1]}},
            expected_at=datetime(2026, 2, 3, 5, 0, 0, 1_000, tzinfo=UTC),
        )

    # -- what is under test --------------------------------------------------------------------------------

    @pytest.fixture
    def storage(self) -> OwnStorage:
        """An empty storage of the shop's, not open yet."""
        raise NotImplementedError("override the fixture 'storage': it returns your storage, empty and not open yet")

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        return stop_clocks(monkeypatch)

    @pytest_asyncio.fixture
    async def kept(self, storage: OwnStorage, clock: Clock) -> AsyncIterator[Kept]:
        async with storage.opened(Settings(idempotency_ttl=TTL, log_retention=0)) as kept:
            yield checked(kept)

    @pytest.fixture
    def orders(self, kept: Kept) -> OrderRepository:
        return kept.orders

    @pytest.fixture
    def log(self, kept: Kept) -> EventLog:
        return kept.log

    # -- steps ---------------------------------------------------------------------------------------------

    async def create(self, orders: OrderRepository, order_id: str, customer_id: str = "", **more: Any) -> Written:
        """A new order, of the first customer in the first status where nothing else is said."""
        status = more.pop("status", self.statuses[0])
        new = NewOrder(order_id=order_id, customer_id=customer_id or self.customers[0], **more)
        return await orders.create(new, status, "shop")

    def noting(self, text: str) -> Decide:
        """Decides to set a text."""
        return setting(**{self.text: text})

    async def whole(self, orders: OrderRepository, log: EventLog, count: int) -> None:
        """So many events without a hole, the same in the log and in the orders' histories."""
        await whole(orders, log, count)

    async def unchanged(self, orders: OrderRepository, log: EventLog, order: Order, head: int) -> None:
        """Nothing has happened since, and what happens next leaves no hole."""
        assert await orders.get(order.order_id) == order
        assert await positions(log) == [*range(1, head + 1)]
        written = await orders.change(order.order_id, self.noting("next"))
        assert written.event is not None
        assert (written.event.version, written.event.position) == (order.version + 1, head + 1)
        await whole(orders, log, head + 1)


def setting(**values: Any) -> Callable[[Order], Change]:
    """Decides to set these values, whatever the order is."""
    kind = EventKind.STATUS_CHANGED if "status" in values else EventKind.CHANGED
    return lambda order: Change(kind=kind, values=values, updated_by="7")


async def all_of(log: EventLog) -> list[OrderEvent]:
    """The whole log, as far as it is there."""
    events: list[OrderEvent] = []
    while found := await log.after(events[-1].position if events else 0, 100_000):
        events += found  # what is at hand first, which need not be all
    return events


async def positions(log: EventLog, after: int = 0, limit: int = 10_000) -> list[int]:
    """The positions that one look finds."""
    return [event.position for event in await log.after(after, limit)]


async def whole(orders: OrderRepository, log: EventLog, count: int) -> None:
    """So many events without a hole, the same in the log and in the orders' histories."""
    events = await all_of(log)
    assert [event.position for event in events] == [*range(1, count + 1)]
    assert await log.head() == count
    histories = [await orders.history(id) for id in {event.order_id for event in events}]
    for history in histories:
        assert [event.version for event in history] == [*range(1, len(history) + 1)]
        order = await orders.get(history[0].order_id)
        assert order is not None
        assert (order.version, order.status) == (history[-1].version, history[-1].status)
    assert sorted((event for history in histories for event in history), key=lambda event: event.position) == events
