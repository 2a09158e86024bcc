"""What the contract tests share."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordercast.orders.models import Change, EventKind, Fulfilment, NewOrder, Order, OrderEvent, Written
from ordercast.orders.ports import (
    EventLog,
    Figures,
    OrderRepository,
    PersonalData,
    Requests,
    Revocations,
    Targets,
    Watches,
)
from ordercast.storage.database import Storage
from ordercast.storage.retention import Retention
from ordercast.storage.sqlite_writer import SqliteWriter

TTL = 60.0  # s that an idempotency key is remembered for, and a watch

CLOCKS = (
    "ordercast.testing.orders",
    "ordercast.testing.recovery",
    "ordercast.storage.idempotency",
    "ordercast.storage.order_retention",
    "ordercast.storage.orders",
    "ordercast.storage.retention",
    "ordercast.storage.revocations",
    "ordercast.storage.watches",
)
"""Modules that ask what time it is, by a name `now` of theirs."""


FULL = NewOrder(
    order_id="a.b:c-1_2",
    customer_id="42",
    shop_id="north",
    reference="№ 7",
    fulfilment=Fulfilment.PICKUP,
    items=[{"name": "Döner 🥙", "options": [None, True, 1.5, 10**30]}, "x\x00y", []],
    total=12.34,
    currency="EUR",
    note="ring\ntwice",
    contact={"phone": "+49", "nested": {"a": [1]}},
    expected_at=datetime(2026, 2, 3, 5, 0, 0, 1_000, tzinfo=UTC),
)
"""An order with everything that can be said of one."""


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
    """Has every keeper of orders ask this clock."""
    clock = Clock()
    for module in CLOCKS:
        monkeypatch.setattr(f"{module}.now", clock)
    return clock


@dataclass(frozen=True)
class Ports:
    """What is under test."""

    orders: OrderRepository
    log: EventLog
    watches: Watches
    revocations: Revocations
    figures: Figures
    targets: Targets
    personal: PersonalData
    requests: Requests
    retain: Callable[[float], Awaitable[None]]
    """Removes events that are older than so many seconds."""


def retention(storage: Storage, seconds: float) -> Retention:
    """What removes events older than this from an open database."""
    return Retention(storage.orders._writer, storage.orders._readers, storage.log, seconds)


def written_through(storage: Storage) -> sqlite3.Connection:
    """The connection that a file's writer has."""
    writer = storage.orders._writer
    assert isinstance(writer, SqliteWriter)
    return writer._db


def setting(**values: Any) -> Callable[[Order], Change]:
    """Decides to set these values, whatever the order is."""
    kind = EventKind.STATUS_CHANGED if "status" in values else EventKind.CHANGED
    return lambda order: Change(kind=kind, values=values, updated_by="7")


def noting(text: str) -> Callable[[Order], Change]:
    return setting(note=text)


async def create(orders: OrderRepository, order_id: str | None = None, customer_id: str = "42", **more: Any) -> Written:
    status = more.pop("status", "received")
    return await orders.create(NewOrder(order_id=order_id, customer_id=customer_id, **more), status, "shop")


async def all_of(log: EventLog) -> list[OrderEvent]:
    events: list[OrderEvent] = []
    while found := await log.after(events[-1].position if events else 0, 100_000):
        events += found  # what is at hand first, which need not be all
    return events


async def positions(log: EventLog, after: int = 0, limit: int = 10_000) -> list[int]:
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


async def unchanged(orders: OrderRepository, log: EventLog, order: Order, head: int) -> None:
    """Nothing has happened since, and what happens next leaves no hole."""
    assert await orders.get(order.order_id) == order
    assert await positions(log) == [*range(1, head + 1)]
    written = await orders.change(order.order_id, noting("next"))
    assert written.event is not None
    assert (written.event.version, written.event.position) == (order.version + 1, head + 1)
    await whole(orders, log, head + 1)


@asynccontextmanager
async def held(orders: OrderRepository) -> AsyncIterator[None]:
    """The writer of a file is busy with a change inside, so that all that is asked for meanwhile becomes one batch."""
    loop = asyncio.get_running_loop()
    begun, go_on = asyncio.Event(), threading.Event()

    def decide(order: Order) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(30)

    busy = asyncio.create_task(orders.change("x", decide))
    await begun.wait()
    try:
        yield
        await asyncio.sleep(0)  # whoever was started asks
    finally:
        go_on.set()
        await busy
