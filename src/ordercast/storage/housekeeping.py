"""What storage does by itself: looks at what other processes wrote, and removes what has become too old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

LOOK_EVERY = 2.0
"""s between looks at the database. What another process revoked counts here after this long."""

TIDY_EVERY = 3_600.0
"""s between removals. Finding nothing costs some reads; an hour's worth of a busy shop is some thousand rows."""

_log = structlog.get_logger("ordercast.storage")

Chore = Callable[[], Awaitable[object]]


@asynccontextmanager
async def regularly(every: float, *chores: Chore) -> AsyncIterator[None]:
    """Does the chores one after the other, at once and then every so many seconds, until the block is left."""
    task = asyncio.create_task(_keep_at(every, chores), name="ordercast housekeeping")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _keep_at(every: float, chores: tuple[Chore, ...]) -> None:
    while True:
        for chore in chores:
            try:
                await chore()
            except Exception as error:  # whatever it is, the next time may go well, and the other chores now
                _log.warning("housekeeping failed; trying again", error=str(error), after=every)
        await asyncio.sleep(every)
