"""Something that is done now and then, on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress


class Every:
    """Calls ``do`` every ``interval`` seconds while it runs, for the first time after one."""

    def __init__(self, interval: float, do: Callable[[], None]) -> None:
        self._interval = interval
        self._do = do
        self._changed = asyncio.Event()

    def adopt(self, interval: float) -> None:
        """Another interval, which begins now."""
        if interval != self._interval:
            self._interval = interval
            self._changed.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._changed.clear()
            try:
                async with asyncio.timeout(self._interval):
                    await self._changed.wait()
            except TimeoutError:
                self._do()


@asynccontextmanager
async def every(interval: float, do: Callable[[], None]) -> AsyncIterator[Every]:
    """An `Every` that runs while the context is open."""
    one = Every(interval, do)
    task = asyncio.create_task(one.run(), name=f"ordercast {getattr(do, '__qualname__', 'every')}")
    try:
        yield one
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
