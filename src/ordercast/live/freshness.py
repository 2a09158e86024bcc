"""Now and then a ``position`` event to everyone, so that who hears nothing knows that there was nothing to hear."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ordercast.live.feed import Feed
from ordercast.socketio import Server


class Freshness:
    """``interval`` in seconds. Clients that have heard an event since have heard its position too."""

    def __init__(self, io: Server, feed: Feed, interval: float) -> None:
        self._io = io
        self._feed = feed
        self._interval = interval
        self._told = -1
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins."""
        self._task = asyncio.create_task(self._run(), name="ordercast freshness")

    async def stop(self) -> None:
        """Ends."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            if self._feed.position != self._told:
                self._told = self._feed.position
                self._io.local.deliver([self._feed.closing()])
