"""Deadlines of thousands of sessions on one timer of the event loop, on monotonic time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_GRAIN = 0.02  # s; what is due within this time is served too: one wake-up for many, never one too late


class Deadlines(Generic[T]):
    """Calls ``due(item)`` a fixed ``delay`` (s) after each `add`.

    Equal delays fall due in the order they were added, so a queue is enough and adding costs no heap. Items are
    not taken out when they no longer matter: ``due`` looks at the item and decides. A ``delay`` that is set anew counts
    for what is added from then on; behind what has a longer one, it may come late by the difference.
    """

    __slots__ = ("_timer", "delay", "due", "queue")

    def __init__(self, timer: Timer, delay: float, due: Callable[[T], None]) -> None:
        self.delay = delay
        self.due = due
        self.queue: deque[tuple[float, T]] = deque()
        self._timer = timer
        timer.queues.append(self)

    def add(self, item: T) -> None:
        """Starts ``item``'s delay now."""
        at = monotonic() + self.delay
        self.queue.append((at, item))
        self._timer.wake_at(at)

    def run(self, now: float) -> float | None:
        """Serves what is due and returns when the next one will be."""
        queue = self.queue
        while queue and queue[0][0] <= now:
            self.due(queue.popleft()[1])
        return queue[0][0] if queue else None


class Timer:
    """The one timer behind any number of `Deadlines`."""

    def __init__(self) -> None:
        self.queues: list[Deadlines[Any]] = []
        self._handle: asyncio.TimerHandle | None = None
        self._at = float("inf")

    def now(self) -> float:
        """The time that deadlines go by, in s."""
        return monotonic()

    def wake_at(self, at: float) -> None:
        """Makes sure the timer fires no later than ``at``."""
        if at < self._at:
            if self._handle is not None:
                self._handle.cancel()
            self._at = at
            self._handle = asyncio.get_running_loop().call_later(max(at - monotonic(), 0), self._run)

    def _run(self) -> None:
        self._handle, self._at = None, float("inf")
        now = monotonic() + _GRAIN
        times = [at for queue in self.queues if (at := queue.run(now)) is not None]
        if times:
            self.wake_at(min(times))

    def close(self) -> None:
        """Stops the timer; nothing falls due any more."""
        if self._handle is not None:
            self._handle.cancel()
        for queue in self.queues:
            queue.queue.clear()
