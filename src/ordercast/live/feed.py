"""From the event log to this node's sockets: each event once, in order of position, without a gap.

A wake says that there may be something new; the log says what. A wake that never comes costs `POLL` at most
(DESIGN: "the log is the truth"). Where the feed is at the head of the log and the log has the next events at hand, they
go out within the wake, so that a change costs no task and waits for no look at the log. Everything else is for the one
task: looking now and then, what another process wrote, events whose order must be read first, and what failed.

An event that cannot be emitted whatever is tried is logged, counted and passed over, since all those behind it wait:
clients see a version missing in the order's next event and fetch the order.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from time import monotonic

import structlog

from ordercast.engineio import Packet
from ordercast.errors import StorageError
from ordercast.live.imports import Imports
from ordercast.live.latest import Latest
from ordercast.live.rooms import user_room
from ordercast.live.said import Speaker
from ordercast.orders.announcements import Audience, Step, changes_owner, needs_order
from ordercast.orders.former import former
from ordercast.orders.models import EventKind, Order, OrderEvent
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.socketio import Server

POLL = 2.0
"""s between looks at the log without a wake: what another process wrote, or a lost hint, waits this long at most."""

DEAF_AFTER = 4.5
"""s without a successful look at the log, after which the node says that it is not ready: two looks have failed, and
who asks now and then learns of it within 5 s."""

_BATCH = 256  # events per look; a burst larger than this is sent in parts, so that sockets are written in between
_RETRY = 0.5  # s

TRIES = 3
"""How often an event is tried. One that fails thrice in a second has something that we cannot handle."""

STORAGE_TRIES = 40
"""The same while it is the database that cannot be read, which is not the event's fault and passes: 20 s."""

_log = structlog.get_logger("ordercast.live")


class Feed:
    """Follows the log from the position it had at `start`."""

    def __init__(self, io: Server, log: EventLog, orders: OrderRepository, step: Step) -> None:
        root = io.of("/")
        self.speaker = Speaker(root, log.log_id, step)
        root.closing = self.closing
        self.position = 0
        self.latest = Latest()
        self.announced = 0
        self.imports = Imports(io, self.speaker, lambda: self.position)
        self.skipped = 0
        self._io = io
        self._root = root
        self._log = log
        self._orders = orders
        self._wake = asyncio.Event()
        self._busy = True  # whether the next events are the task's
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tie = count()
        self._heard = monotonic()
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begins at the head of the log: nobody is connected yet who could have missed what came before."""
        self.position = await self._log.head()
        self._heard = monotonic()
        self._unsubscribe = self._log.subscribe(self._committed)
        self._task = asyncio.create_task(self._run(), name="ordercast feed")

    async def stop(self) -> None:
        """Stops following; waiters are released with a ``CancelledError``."""
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.imports.stop()
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

    def _committed(self) -> None:
        """The wake: emits what came, or has the task do it."""
        if not self._busy:
            events = self._log.recent(self.position, _BATCH)
            for event, order in events:
                if (order is None and needs_order(event) and not self._is_quiet(event)) or changes_owner(event):
                    break
                try:
                    self._emit(event, order)
                except Exception:
                    break  # the task tries it again, and says what is wrong
                self._done(event)
            else:
                if 0 < len(events) < _BATCH:
                    return
        self._busy = True
        self._wake.set()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if not (events := self._log.recent(self.position, _BATCH)):
                self._busy = False  # what is committed while we read, and goes on from here, need not wait for us
                try:
                    events = [(event, None) for event in await self._log.after(self.position, _BATCH)]
                except Exception:
                    _log.exception("the event log cannot be read; trying again", position=self.position)
                    await asyncio.sleep(_RETRY)
                    continue
            self._busy = True
            self._heard = monotonic()
            for event, order in events:
                if event.position > self.position:
                    await self._announce(event, order)
                    self._done(event)
            if len(events) < _BATCH and not self._wake.is_set():
                self._busy = False
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._wake.wait()

    async def _announce(self, event: OrderEvent, order: Order | None) -> None:
        """Emits an event, and gives up on it after some tries."""
        for tried in count(1):
            try:
                if order is None and needs_order(event) and not self._is_quiet(event):
                    order = await self._orders.get(event.order_id)
                self._emit(event, order, await former(self._orders, event))
            except Exception as error:
                place = {"position": event.position, "order": event.order_id, "version": event.version}
                unreadable = isinstance(error, StorageError)
                if tried == (STORAGE_TRIES if unreadable else TRIES):
                    _log.exception("an event cannot be emitted; passing over it", **place)
                    self.skipped += 1
                    if not unreadable:
                        self.speaker.pass_over(event.position)  # a replay could not say it either
                    return
                _log.warning("an event cannot be emitted; trying again", error=str(error), **place)
                await asyncio.sleep(_RETRY)
            else:
                return

    def closing(self) -> Packet:
        """The ``position`` event for what has been emitted so far."""
        return self.speaker.closing(self.position)

    def _is_quiet(self, event: OrderEvent) -> bool:
        """Whether the order came with many, and its customer is not here: then there is nobody to tell at once."""
        return event.kind is EventKind.IMPORTED and not self._root.members(user_room(event.customer_id))

    def _emit(self, event: OrderEvent, order: Order | None, before: OrderEvent | None = None) -> None:
        imported = event.kind is EventKind.IMPORTED
        if imported:
            self.imports.came(event)
            if order is None or self._is_quiet(event):
                return
        for said in self.speaker.say(event, order, before):
            if imported and said.audience is Audience.OPERATORS:
                continue
            self._io.local.to(*said.where.to).except_(*said.where.except_).deliver(said.packets)
        self.latest.add(event.order_id, event.version if order is None else max(event.version, order.version))
        self.announced += 1

    def _done(self, event: OrderEvent) -> None:
        self.position = event.position
        if self._waiting:
            self._release()

    def _release(self) -> None:
        while self._waiting and self._waiting[0][0] <= self.position:
            waiter = heapq.heappop(self._waiting)[2]
            if not waiter.done():
                waiter.set_result(None)
