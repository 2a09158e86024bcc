"""Reads the log when another node hints through Redis that it has committed.

Beside PostgreSQL's notifications, which say the same, and the look every 2 s: whichever comes first counts, and without
Redis the others remain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def looking(catch_up: Callable[[], Awaitable[None]]) -> AsyncIterator[Callable[[], None]]:
    """Gives what to call on a hint. However many come while ``catch_up`` runs, it runs once more after it."""
    news = asyncio.Event()

    async def look() -> None:
        while True:
            await news.wait()
            news.clear()
            with suppress(Exception):  # whatever it is: whoever looks regularly says so, and tries again
                await catch_up()

    task = asyncio.create_task(look(), name="ordercast hints")
    try:
        yield news.set
    finally:
        task.cancel()
        await asyncio.wait([task])
