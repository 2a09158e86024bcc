"""Something that is done now and then, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def every(interval: float, do: Callable[[], None]) -> AsyncIterator[None]:
    """Calls ``do`` every ``interval`` seconds, for the first time after one, while the context is open."""

    async def run() -> None:
        while True:
            await asyncio.sleep(interval)
            do()

    task = asyncio.create_task(run(), name=f"ordercast {getattr(do, '__qualname__', 'every')}")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
