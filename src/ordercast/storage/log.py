"""The log of all orders in SQL: `EventLog` of the domain's ports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from ordercast.orders.announcements import needs_order
from ordercast.orders.models import Logged, Order, OrderEvent
from ordercast.storage.driver import Readers
from ordercast.storage.rows import EVENT_COLUMNS, event_from, from_ms
from ordercast.storage.tail import SIZE, Tail

_EVENT = ", ".join(EVENT_COLUMNS)
# The floor with them, of the same moment, so that it tells of all that is missing among them.
_SELECT_AFTER = (
    f"SELECT floor, {_EVENT} FROM log_head LEFT JOIN (SELECT {_EVENT} FROM order_events WHERE position > ? "  # noqa: S608 - our own names
    "ORDER BY position LIMIT ?) AS later ON true ORDER BY position"
)
_MOVED = ", ".join(f"moved.{column}" for column in EVENT_COLUMNS)
# Theirs, and what made one of their orders another customer's: after an event of theirs comes one that is not. That is
# looked for among all events since, or, where these are many, from each of theirs on.
_SELECT_OF_CUSTOMER = (
    f"SELECT n, floor, {_EVENT} FROM log_head LEFT JOIN (SELECT {_EVENT} FROM order_events "  # noqa: S608
    f"WHERE customer_id = ? AND position > ? UNION ALL SELECT {_MOVED} FROM %s WHERE theirs.customer_id = ? AND "
    "moved.order_id = theirs.order_id AND moved.version = theirs.version + 1 AND theirs.version = moved.version - 1 "
    "AND moved.fields LIKE '%%customer_id%%' AND moved.customer_id <> theirs.customer_id AND moved.position > ? "
    "ORDER BY position LIMIT ?) AS found ON true ORDER BY position"
)
# Which comes first, SQLite takes from these (and the version said from both sides), PostgreSQL from its statistics.
_SELECT_SINCE = _SELECT_OF_CUSTOMER % "order_events AS moved CROSS JOIN order_events AS theirs"
_SELECT_FROM_FAR = _SELECT_OF_CUSTOMER % "order_events AS theirs CROSS JOIN order_events AS moved"
_SELECT_HEAD = "SELECT n, floor FROM log_head"
_SELECT_AT = "SELECT at FROM order_events WHERE position = ?"

MAX_POSITION = 2**63 - 1
"""What the databases keep as an integer."""

_BATCH = 256  # events per look at what others wrote
_FAR = 10_000  # events; to go through them takes some ms

_log = structlog.get_logger("ordercast.storage")


class SqlLog:
    """The log. The newest events come from memory, the rest from the database; see `Tail` on why that is the same."""

    def __init__(self, readers: Readers, log_id: str, head: int, floor: int) -> None:
        self._readers = readers
        self._log_id = log_id
        self._seen = head
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
        ((head, floor),) = await self._readers.fetch(_SELECT_HEAD)
        self.removed(floor)
        return head

    async def at(self, position: int) -> datetime | None:
        if not self._floor < position <= MAX_POSITION:
            return None
        if recent := self._tail.after(position - 1, 1):
            return recent[0].at
        rows = await self._readers.fetch(_SELECT_AT, position)
        return from_ms(rows[0][0]) if rows else None

    def recent(self, position: int, limit: int) -> Sequence[Logged]:
        return [(event, self._orders.get(event.position)) for event in self._tail.after(position, limit)]

    async def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        return self._tail.after(position, limit) or await self._read(position, limit)

    async def _read(self, position: int, limit: int) -> Sequence[OrderEvent]:
        rows = await self._readers.fetch(_SELECT_AFTER, min(position, MAX_POSITION), limit)
        self.removed(rows[0][0])
        return [event_from(row[1:]) for row in rows if row[1] is not None]

    async def of_customer(self, customer_id: str, position: int, limit: int) -> tuple[Sequence[OrderEvent], int]:
        if recent := self._tail.after(position, SIZE):
            found = [event for event in recent if event.customer_id == customer_id][:limit]
            return found, found[-1].position if len(found) == limit else recent[-1].position
        if (ahead := await self.head() - position) <= 0:
            return [], position
        after = customer_id, min(position, MAX_POSITION)
        sql = _SELECT_SINCE if ahead <= _FAR else _SELECT_FROM_FAR
        rows = await self._readers.fetch(sql, *after, *after, limit)
        self.removed(rows[0][1])
        found = [event_from(row[2:]) for row in rows if row[2] is not None]
        return found, found[-1].position if len(found) == limit else max(rows[0][0], position)

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
        self._orders = {event.position: order for event, order in written if order and needs_order(event)}
        self._heard([event for event, _ in written])

    async def catch_up(self) -> None:
        """Reads what other processes wrote into memory, once for all who follow, and wakes them. Raises
        `StorageError`."""
        more = True
        while more:
            events = await self._read(self._seen, _BATCH)
            more = len(events) == _BATCH
            # While that was read, this process may have committed and told the same or more.
            if events and events[-1].position > self._seen:
                self._orders = {}
                self._heard([event for event in events if event.position > self._seen])

    def _heard(self, events: Sequence[OrderEvent]) -> None:
        self._tail.extend(events)
        for event in events:
            # Who it was may be rewritten in what came before (`personal.py`), and is to hear of it too.
            if "customer_id" in event.fields:
                self._tail.forget(event.position)
        self._seen = max(self._seen, events[-1].position)
        for wake in tuple(self._wakes):
            try:
                wake()
            except Exception:  # or whoever waits for this commit would wait for ever
                _log.exception("whoever follows the log failed to wake")
