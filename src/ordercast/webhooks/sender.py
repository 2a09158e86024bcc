"""Has each endpoint sent to by one node: takes leases, and starts and ends a `Runner` for each that it got."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog

from ordercast.errors import StorageError
from ordercast.webhooks.runner import Line, Runner

LEASE = 10.0
"""s that a lease lasts: a node that died is followed by another after so long."""

LOOK = 2.0
"""s between looks at the endpoints, which also take the leases anew: two may fail."""

_STOP = 5.0  # s that a node which ends waits for what is on its way

_log = structlog.get_logger("ordercast.webhooks")


class Sender:
    """All endpoints that this node sends to."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._runners: dict[str, Runner] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Something about the endpoints has changed."""
        self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sends while the context is open."""
        task = asyncio.create_task(self._keep_at(), name="ordercast webhooks")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            await asyncio.gather(*(self._leave(id, runner) for id, runner in self._runners.items()))

    @property
    def behind(self) -> int:
        """Endpoints that have not got all yet."""
        return sum(len(runner.queue) > 0 for runner in self._runners.values())

    @property
    def oldest_age(self) -> float:
        """Seconds since the oldest event that an endpoint has not got yet; 0 for none."""
        oldest = min((one.at for runner in self._runners.values() for one in runner.queue), default=None)
        return 0.0 if oldest is None else max(time.time() - oldest / 1000, 0.0)

    @property
    def outcomes(self) -> Mapping[str, float]:
        """Attempts so far, by what came of them."""
        return self.line.outcomes

    async def _keep_at(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._look()
            except Exception as error:  # the next look may go well
                _log.warning("webhooks cannot be looked at; trying again", error=str(error), after=LOOK)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._wake.wait()

    async def _look(self) -> None:
        for id in [id for id, runner in self._runners.items() if runner.ended]:
            del self._runners[id]
            await self.line.store.release(id, self.line.run)
        endpoints = {one.id: one for one in await self.line.store.all()}
        for id, runner in self._runners.items():
            now = endpoints.get(id)
            if now is None or now.revision != runner.endpoint.revision:
                runner.finish()  # it keeps the lease until it has; then another begins with the endpoint as it is now
        for id in {*self._runners, *(id for id, one in endpoints.items() if one.enabled)}:
            await self._tend(id)

    async def _tend(self, id: str) -> None:
        """Takes the endpoint's lease, again and again, and sends to it while it has it."""
        runner = self._runners.get(id)
        until = time.monotonic() + LEASE
        if not await self.line.store.lease(id, self.line.run):
            if runner is not None:
                del self._runners[id]
                await runner.abandon()
            return
        if runner is None:
            endpoint = await self.line.store.get(id)  # anew, as whoever had the lease before left it
            if endpoint is None or not endpoint.enabled:
                return
            runner = self._runners[id] = Runner(endpoint, self.line)
            runner.start(self.wake)
        runner.leased_until = until

    async def _leave(self, id: str, runner: Runner) -> None:
        runner.finish()
        await runner.wait(_STOP)
        await runner.abandon()
        with suppress(StorageError):  # or the lease ends by itself
            await self.line.store.release(id, self.line.run)
