"""The newest events of the log in memory, so that following it costs no query."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from ordercast.orders.models import OrderEvent

SIZE = 4_096
"""Events kept: some MB, and more than any feed lags behind in health."""


class Tail:
    """A run of events without a gap, newest last.

    It holds what this process committed. Positions are unique and the run is contiguous, so what it gives after a
    position is exactly what the database has there; an event that another process wrote in between breaks the run,
    which then begins anew behind it. What it does not cover is asked of the database.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._events: deque[OrderEvent] = deque(maxlen=size)

    def extend(self, events: Iterable[OrderEvent]) -> None:
        """Adds events that were just committed, ascending."""
        for event in events:
            if self._events and event.position != self._events[-1].position + 1:
                self._events.clear()
            self._events.append(event)

    def forget(self, position: int) -> None:
        """Drops the events up to this position."""
        while self._events and self._events[0].position <= position:
            self._events.popleft()

    def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        """Up to ``limit`` events right after ``position``; empty where the run does not cover that place."""
        events = self._events
        if not events or not events[0].position <= position + 1 <= events[-1].position:
            return ()
        start = position + 1 - events[0].position
        # By index, not islice(), which would walk to the newest from the oldest.
        return [events[index] for index in range(start, min(start + limit, len(events)))]
