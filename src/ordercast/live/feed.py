"""From the event log to this node's sockets: each event once, in order of position, without a gap.

A wake says that there may be something new; the log says what. A wake that never comes costs `POLL` at most
(docs/decisions/0001, DESIGN: "the log is the truth").
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import monotonic

import structlog

from ordercast.live.rooms import target
from ordercast.orders.announcements import Step, announcements, needs_order
from ordercast.orders.models import OrderEvent
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.socketio import Server

POLL = 2.0
"""s between looks at the log without a wake: what another process wrote, or a lost hint, waits this long at most."""

DEAF_AFTER = 5.0
"""s without a successful look at the log, after which the node says that it is not ready."""

_BATCH = 256  # events per look; a burst larger than this is sent in parts, so that sockets are written in between
_RETRY = 0.5  # s

_log = structlog.get_logger("ordercast.live")


class Feed:
    """Follows the log from the position it had at `start`."""

    def __init__(self, io: Server, log: EventLog, orders: OrderRepository, step: Step) -> None:
        self.position = 0
        self.announced = 0
        self._io = io
        self._log = log
        self._orders = orders
        self._step = step
        self._wake = asyncio.Event()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tie = count()
        self._heard = monotonic()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begins at the head of the log: nobody is connected yet who could have missed what came before."""
        self.position = await self._log.head()
        self._heard = monotonic()
        self._unsubscribe = self._log.subscribe(self._wake.set)
        self._task = asyncio.create_task(self._run(), name="ordercast feed")

    async def stop(self) -> None:
        """Stops following; waiters are released with a ``CancelledError``."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for _, _, waiter in self._waiting:
            waiter.cancel()

    @property
    def deaf(self) -> bool:
        """Whether the log could not be read for too long."""
        return monotonic() - self._heard > DEAF_AFTER

    async def reached(self, position: int) -> None:
        """Returns once everything up to ``position`` has been emitted on this node."""
        if self.position < position:
            waiter = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (position, next(self._tie), waiter))
            self._wake.set()
            await waiter

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            try:
                events = await self._log.after(self.position, _BATCH)
                self._heard = monotonic()
                for event in events:
                    await self._announce(event)
                    self.position = event.position
                    self._release()
            except asyncio.CancelledError:
                raise
            except Exception:
                _log.exception("the event log cannot be read; trying again", position=self.position)
                await asyncio.sleep(_RETRY)
                continue
            if len(events) < _BATCH:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL)

    async def _announce(self, event: OrderEvent) -> None:
        order = await self._orders.get(event.order_id) if needs_order(event) else None
        for announcement in announcements(event, order, self._step):
            where = target(event, announcement)
            self._io.local.to(*where.to).except_(*where.except_).emit(announcement.event, announcement.data)
        self.announced += 1

    def _release(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.position:
            waiter = heapq.heappop(self._waiting)[2]
            if not waiter.done():
                waiter.set_result(None)
