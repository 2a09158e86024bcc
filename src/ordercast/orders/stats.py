"""``GET /api/stats`` as a use case: the figures of today, read once for all who ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from ordercast.errors import Forbidden, NotKept
from ordercast.orders.figures import Day, Standing, day_begin
from ordercast.orders.models import iso, now
from ordercast.orders.ports import Figures
from ordercast.orders.principal import Principal
from ordercast.orders.workflow import Category, Workflow

KEPT = 1.0
"""s that figures are given again: fifty boards that ask every few seconds cost what one does."""

BATCH = 2_000
"""Facts that are read at once: what a large day's first reading puts between two turns of the event loop."""


class Stats:
    """What is read of the log stays in memory, so that only what is new is read the next time."""

    def __init__(
        self,
        figures: Figures | None,
        workflow: Workflow,
        time_zone: str = "UTC",
        clock: Callable[[], datetime] = now,
        kept: float = KEPT,
    ) -> None:
        self._figures = figures
        self._workflow = workflow
        self._zone = ZoneInfo(time_zone)
        self._clock = clock
        self._kept = kept
        self._open = [s.name for s in workflow.statuses.values() if s.category is Category.OPEN]
        self._reading = asyncio.Lock()
        self._read_at = -kept
        self._as_of = self._clock()
        self._day = Day(day_begin(self._as_of, self._zone))
        self._position = 0
        self._standing: Sequence[Standing] = ()
        self._answers: dict[frozenset[str] | None, dict[str, Any]] = {}

    async def today(self, by: Principal) -> dict[str, Any]:
        """The figures of the caller's shops, at most `KEPT` old, as the contract's JSON object. Raises `Forbidden`,
        `NotKept`, `StorageError`."""
        if not by.is_operator:
            raise Forbidden("Only operators and admins see figures.")
        if self._figures is None:
            raise NotKept("This shop keeps its orders in tables of its own, without figures.")
        async with self._reading:
            if monotonic() - self._read_at >= self._kept:
                await self._read(self._figures)
                self._read_at = monotonic()
                self._answers = {}
        answer = self._answers.get(by.shops)
        if answer is None:
            answer = self._answers[by.shops] = self._answer(by)
        return answer

    def _answer(self, by: Principal) -> dict[str, Any]:
        head = {
            "day": self._day.since.astimezone(self._zone).date().isoformat(),
            "timeZone": self._zone.key,
            "since": iso(self._day.since),
            "asOf": iso(self._as_of),
            "position": self._position,
        }
        return head | self._day.figures(by.in_shop, self._standing, self._workflow)

    async def _read(self, figures: Figures) -> None:
        as_of = self._clock()
        since = day_begin(as_of, self._zone)
        if since != self._day.since:
            self._day = Day(since)
        more = True
        while more:
            facts, position = await figures.facts(since, self._position, BATCH)
            self._day.add(facts)
            self._position = position
            more = len(facts) == BATCH
        self._standing = await figures.standing(self._open)
        self._as_of = as_of
