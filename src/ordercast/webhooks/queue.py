"""One endpoint's messages on their way: an order's in their order, of many orders at once. Pure.

A message that failed waits for its next attempt, and its order's later ones wait behind it; other orders go on. What
waits is kept (`Delivery.recorded`), so that the cursor need not wait for it: a sender that takes over begins with what
is kept, and goes on with the log after the cursor. `LIMIT` bounds both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ordercast.webhooks.models import Delivery, Key, Settled

LIMIT = 1_000
"""Messages that are read ahead of one that waits: some 100 kB, and as many rows."""

FAILING = 5
"""Failures in a row, without one success, that say that it is the endpoint rather than a message of an order."""


class Queue:
    """``cursor``: how far the log is done with, as it was kept. ``read``: how far it has been read."""

    def __init__(self, cursor: int, kept: Iterable[Delivery] = (), limit: int = LIMIT) -> None:
        self.cursor = cursor
        self.read = cursor
        self.failures = 0
        self._limit = limit
        self._orders: dict[str, deque[Delivery]] = {}
        self._flying: set[str] = set()
        self._dropped: set[Key] = set()
        self._changed: dict[Key, Delivery] = {}
        self._open: dict[Key, Delivery] = {}
        for delivery in sorted(kept, key=lambda one: one.place):
            delivery.recorded = True
            self._put(delivery)

    def __len__(self) -> int:
        """Messages that are not delivered yet."""
        return len(self._open)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._open.values())

    @property
    def full(self) -> bool:
        """Whether to read on only when something was delivered."""
        return len(self._open) >= self._limit

    @property
    def failing(self) -> bool:
        """Whether nothing gets through at all."""
        return self.failures >= FAILING

    def add(self, position: int, deliveries: Iterable[Delivery]) -> None:
        """The messages of the next event of the log, which may be none."""
        self.read = position
        for delivery in deliveries:
            self._put(delivery)

    def take(self, now: int, most: int) -> list[Delivery]:
        """Up to ``most`` messages whose attempt is due, the oldest first, one of an order at a time.

        Each is on its way until `delivered`, `failed` or `died` says how that ended.
        """
        most = min(most, 1 - len(self._flying)) if self.failing else most
        if most <= 0:
            return []
        heads = [line[0] for id, line in self._orders.items() if id not in self._flying and line[0].due <= now]
        heads = sorted(heads, key=lambda one: one.place)[:most]
        self._flying.update(one.order_id for one in heads)
        return heads

    def next_due(self) -> int | None:
        """When the next attempt of what is not on its way is due."""
        return min((line[0].due for id, line in self._orders.items() if id not in self._flying), default=None)

    def delivered(self, delivery: Delivery, now: int) -> None:
        """It has arrived. Where nothing did before, all that waits is due now: the endpoint has come back."""
        if self.failing:
            for line in self._orders.values():
                line[0].due = min(line[0].due, now)
        self.failures = 0
        self._end(delivery)
        if delivery.recorded:
            self._dropped.add(delivery.key)

    def failed(self, delivery: Delivery, due: int) -> None:
        """It has not, and is tried again then."""
        self.failures += 1
        self._flying.discard(delivery.order_id)
        delivery.due = due
        for waits in self._orders[delivery.order_id]:
            if waits is delivery or not waits.recorded:
                self._changed[waits.key] = waits

    def put_back(self, delivery: Delivery, due: int) -> None:
        """It was not tried, for a reason of ours."""
        self._flying.discard(delivery.order_id)
        delivery.due = due

    def died(self, delivery: Delivery) -> None:
        """It will not: it is kept as a dead letter, and its order goes on after it."""
        self.failures += 1
        delivery.state = "dead"
        self._end(delivery)
        self._changed[delivery.key] = delivery

    def unsettled(self, *, all: bool = False) -> Settled | None:
        """What to write down now; ``None`` for nothing. ``all``: whatever is not delivered, for who stops here."""
        if all:
            self._changed.update((one.key, one) for one in self if not one.recorded)
        free = [one.position for one in self if not one.recorded and one.key not in self._changed]
        cursor = min(free) - 1 if free else self.read
        if not self._changed and not self._dropped and cursor == self.cursor:
            return None
        return Settled(cursor, tuple(replace(one) for one in self._changed.values()), tuple(self._dropped))

    def settled(self, written: Settled) -> None:
        """That was written down. Meanwhile more may have happened to the same messages."""
        self.cursor = written.cursor
        self._dropped.difference_update(written.drop)
        for kept in written.keep:
            if self._changed.get(kept.key) == kept:
                del self._changed[kept.key]
            if kept.key in self._open:
                self._open[kept.key].recorded = True
            elif kept.state == "waiting" and kept.key not in self._changed:
                self._dropped.add(kept.key)  # delivered since

    def _put(self, delivery: Delivery) -> None:
        line = self._orders.setdefault(delivery.order_id, deque())
        line.append(delivery)
        self._open[delivery.key] = delivery
        if line[0].attempts and not delivery.recorded:
            self._changed[delivery.key] = delivery

    def _end(self, delivery: Delivery) -> None:
        self._flying.discard(delivery.order_id)
        line = self._orders[delivery.order_id]
        line.popleft()
        del self._open[delivery.key]
        if not line:
            del self._orders[delivery.order_id]
        self._changed.pop(delivery.key, None)
