"""The log of all orders in SQLite: `EventLog` of the domain's ports."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from ordercast.orders.announcements import needs_order
from ordercast.orders.models import Logged, Order, OrderEvent
from ordercast.storage.rows import EVENT_COLUMNS, event_from, from_ms
from ordercast.storage.sqlite import Readers
from ordercast.storage.tail import SIZE, Tail

_EVENT = ", ".join(EVENT_COLUMNS)
_SELECT_AFTER = f"SELECT {_EVENT} FROM order_events WHERE position > ? ORDER BY position LIMIT ?"  # noqa: S608 - our own names
_SELECT_OF_CUSTOMER = (
    f"SELECT {_EVENT} FROM order_events WHERE customer_id = ? AND position > ? AND position <= ? "  # noqa: S608
    "ORDER BY position LIMIT ?"
)
_SELECT_HEAD = "SELECT n, floor FROM log_head"
_SELECT_AT = "SELECT at FROM order_events WHERE position = ?"

MAX_POSITION = 2**63 - 1
"""What SQLite keeps as an integer."""

_log = structlog.get_logger("ordercast.storage")


class SqliteLog:
    """The log. The newest events come from memory, the rest from the file; see `Tail` on why that is the same."""

    def __init__(self, readers: Readers, log_id: str, floor: int) -> None:
        self._readers = readers
        self._log_id = log_id
        self._floor = floor
        self._tail = Tail()
        self._orders: dict[int, Order] = {}  # of the newest commit, where announcing it needs them
        self._wakes: set[Callable[[], None]] = set()

    @property
    def log_id(self) -> str:
        return self._log_id

    @property
    def floor(self) -> int:
        return self._floor

    async def head(self) -> int:
        head: int
        head, floor = await self._readers.run(lambda db: db.execute(_SELECT_HEAD).fetchone())
        self.removed(floor)
        return head

    async def at(self, position: int) -> datetime | None:
        if not self._floor < position <= MAX_POSITION:
            return None
        if recent := self._tail.after(position - 1, 1):
            return recent[0].at
        row = await self._readers.run(lambda db: db.execute(_SELECT_AT, (position,)).fetchone())
        return None if row is None else from_ms(row[0])

    def recent(self, position: int, limit: int) -> Sequence[Logged]:
        return [(event, self._orders.get(event.position)) for event in self._tail.after(position, limit)]

    async def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        recent = self._tail.after(position, limit)
        if recent:
            return recent

        def read(db: sqlite3.Connection) -> tuple[list[OrderEvent], int]:
            found = [event_from(row) for row in db.execute(_SELECT_AFTER, (min(position, MAX_POSITION), limit))]
            # Read after them, the floor tells of all that was missing among them.
            return found, db.execute("SELECT floor FROM log_head").fetchone()[0]

        events, floor = await self._readers.run(read)
        self.removed(floor)
        return events

    async def of_customer(self, customer_id: str, position: int, limit: int) -> tuple[Sequence[OrderEvent], int]:
        if recent := self._tail.after(position, SIZE):
            found = [event for event in recent if event.customer_id == customer_id][:limit]
            return found, found[-1].position if len(found) == limit else recent[-1].position

        def read(db: sqlite3.Connection) -> tuple[list[OrderEvent], int, int]:
            # The head before them and the floor after them: nothing is committed or removed unnoticed in between.
            (head,) = db.execute("SELECT n FROM log_head").fetchone()
            rows = db.execute(_SELECT_OF_CUSTOMER, (customer_id, min(position, MAX_POSITION), head, limit))
            found = [event_from(row) for row in rows]
            return found, head, db.execute("SELECT floor FROM log_head").fetchone()[0]

        events, head, floor = await self._readers.run(read)
        self.removed(floor)
        return events, events[-1].position if len(events) == limit else max(head, position)

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        # Wrapped, so that the same function may subscribe twice.
        def subscribed() -> None:
            wake()

        self._wakes.add(subscribed)
        return lambda: self._wakes.discard(subscribed)

    def removed(self, floor: int) -> None:
        """Called with what was read or written of the floor."""
        if floor > self._floor:
            self._floor = floor
            self._tail.forget(floor)

    def committed(self, written: Sequence[Logged]) -> None:
        """Called by the `Writer` after each commit."""
        self._tail.extend(event for event, _ in written)
        self._orders = {event.position: order for event, order in written if order and needs_order(event)}
        for wake in tuple(self._wakes):
            try:
                wake()
            except Exception:  # or whoever waits for this commit would wait for ever
                _log.exception("whoever follows the log failed to wake")
