"""What the contract tests share."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from ordercast.orders.models import Change, NewOrder, Order, Written
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
from ordercast.testing.contract.kit import TTL, Clock, Contract, all_of, positions, setting, stop_clocks, whole

__all__ = [
    "FULL",
    "TTL",
    "Clock",
    "Ports",
    "all_of",
    "create",
    "held",
    "noting",
    "positions",
    "retention",
    "setting",
    "stop_clocks",
    "unchanged",
    "whole",
    "written_through",
]

FULL = Contract().full()
"""An order with everything that can be said of one."""


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


def noting(text: str) -> Callable[[Order], Change]:
    return setting(note=text)


async def create(orders: OrderRepository, order_id: str | None = None, customer_id: str = "42", **more: Any) -> Written:
    status = more.pop("status", "received")
    return await orders.create(NewOrder(order_id=order_id, customer_id=customer_id, **more), status, "shop")


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
