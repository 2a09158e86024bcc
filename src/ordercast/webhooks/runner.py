"""Sends one endpoint's messages: follows the log from its cursor, while this node holds its lease.

At least once: a message is forgotten only after it was taken, or kept as a dead letter. Whoever takes over after a
crash begins with what is kept and with the log after the cursor, and sends some of it again under the same id. In an
order nothing is sent before what came before it was taken or is dead, whoever sends, so the first arrivals of an
order's messages are in their order.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

from ordercast.errors import StorageError
from ordercast.orders.announcements import Step, needs_order
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.webhooks.backoff import throttles, wait_after
from ordercast.webhooks.messages import body_of, message_id, wanted
from ordercast.webhooks.models import Answer, Delivery, Endpoint
from ordercast.webhooks.ports import Poster, Webhooks
from ordercast.webhooks.queue import LIMIT, Queue

CONCURRENCY = 8
"""Messages on their way to one endpoint at a time: what a small receiver takes."""

_POLL = 2.0  # s between looks at the log without a wake
_BATCH = 256
_RETRY = 1.0  # s after the database could not be used

_log = structlog.get_logger("ordercast.webhooks")

_Do = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Line:
    """What all runners of a node share. ``schedule``: seconds between attempts, from the next one on."""

    run: str
    store: Webhooks
    log: EventLog
    orders: OrderRepository
    step: Step
    client: Poster
    schedule: Sequence[float]
    outcomes: Counter[str] = field(default_factory=Counter)
    """Attempts so far: ``delivered``, ``failed``, ``dead``."""


class Runner:
    """One endpoint, from `start` until it has `ended`: after `finish`, `abandon`, the loss of its lease, or when the
    receiver wants no more."""

    def __init__(self, endpoint: Endpoint, line: Line, limit: int = LIMIT) -> None:
        self.endpoint = endpoint
        self.leased_until = 0.0  # by time.monotonic(); the sender sets it
        self.queue = Queue(endpoint.cursor)
        self._line = line
        self._limit = limit
        self._wake = asyncio.Event()
        self._flights: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._gone = ""
        self._paused_until = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, ended: Callable[[], None]) -> None:
        """Begins; calls ``ended`` when it has ended, however that was."""
        self._task = asyncio.create_task(self._follow(), name=f"ordercast webhook {self.endpoint.id}")
        self._task.add_done_callback(lambda task: ended())

    def finish(self) -> None:
        """Has it end after what is on its way, with all that was done written down."""
        self._stopping = True
        self._wake.set()

    async def wait(self, seconds: float) -> None:
        """Until it has ended, or for so long."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def abandon(self) -> None:
        """Ends at once: another node has the endpoint, or none shall."""
        tasks = [task for task in (self._task, *self._flights) if task is not None]
        for task in tasks:  # all of them before any is waited for, or what is on its way goes on meanwhile
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @property
    def ended(self) -> bool:
        """Whether it goes on no more."""
        return self._task is not None and self._task.done()

    async def _follow(self) -> None:
        unsubscribe = self._line.log.subscribe(self._wake.set)
        try:
            await self._until_it_works(self._load)
            while not (self._stopping and not self._flights):
                await self._until_it_works(self._turn)
                if self._gone:
                    await self._finish()
                    return
            await self._until_it_works(self._write_all)
        except _LeaseLost:
            _log.warning("another node sends to the webhook now", webhook=self.endpoint.id)
            for flight in tuple(self._flights):
                flight.cancel()
        finally:
            unsubscribe()

    async def _until_it_works(self, do: _Do) -> None:
        while True:
            try:
                return await do()
            except StorageError as error:
                _log.warning("webhooks wait for the database", webhook=self.endpoint.id, error=str(error))
                if self._stopping or time.monotonic() > self.leased_until:
                    raise _LeaseLost from None
                await asyncio.sleep(_RETRY)

    async def _load(self) -> None:
        kept = await self._line.store.deliveries(self.endpoint.id, "waiting", None, 10 * self._limit)
        self.queue = Queue(self.endpoint.cursor, kept, self._limit)

    async def _turn(self) -> None:
        """Reads on, sends what is due, writes down what was done, and waits for something to do."""
        self._wake.clear()
        more = False
        if not self._stopping:
            more = await self._read()
            self._send()
        await self._write()
        if not more or self.queue.full:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience()):
                    await self._wake.wait()

    async def _read(self) -> bool:
        """Whether there is more to read at once."""
        queue, log = self.queue, self._line.log
        if queue.full:
            return False
        events = await log.after(queue.read, _BATCH)
        if queue.read < log.floor:
            first = events[0].position if events else log.floor + 1
            if first > queue.read + 1:
                await self._missed(queue.read + 1, first - 1)
                queue.read = first - 1
        for event in events:
            queue.add(event.position, wanted(self.endpoint, event))
            if queue.full:
                return False
        return len(events) == _BATCH

    async def _missed(self, first: int, last: int) -> None:
        said = f"The events {first} to {last} were older than ORDERCAST_LOG_RETENTION keeps, and were not sent."
        _log.warning("webhook messages are lost", webhook=self.endpoint.id, first=first, last=last)
        await self._line.store.trouble(self.endpoint.id, self._line.run, said, disable=False)

    def _send(self) -> None:
        now = _now()
        # After the lease another node may be sending: each attempt asks anew.
        if now < self._paused_until or time.monotonic() > self.leased_until:
            return
        for delivery in self.queue.take(now, CONCURRENCY - len(self._flights)):
            flight = asyncio.create_task(self._attempt(delivery))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._wake.set()

    async def _attempt(self, delivery: Delivery) -> None:
        try:
            body = await self._body(delivery)
            if body is None:
                self.queue.delivered(delivery, _now())
                return
            id = message_id(self._line.log.log_id, delivery.key, self.endpoint.id)
            answer = await self._line.client.post(self.endpoint, id, body)
        except StorageError:
            self.queue.put_back(delivery, _now() + round(_RETRY * 1000))
        except _EventGone:
            self._end_as(delivery, Answer(None, "Its event is older than ORDERCAST_LOG_RETENTION keeps."), None)
        except Exception:  # a fault of ours with this one message, which must not stop the others
            _log.exception("a webhook message cannot be sent", webhook=self.endpoint.id, position=delivery.position)
            self._end_as(delivery, Answer(None, "It could not be sent; the server's log says why."), None, again=True)
        else:
            self._end_as(delivery, answer, body, again=True)

    def _end_as(self, delivery: Delivery, answer: Answer, body: bytes | None, *, again: bool = False) -> None:
        now = _now()
        if answer.ok:
            self._line.outcomes["delivered"] += 1
            self.queue.delivered(delivery, now)
            return
        delivery.attempts += 1
        delivery.status, delivery.reason, delivery.answer = answer.status, answer.problem, answer.body
        chance = random.random()  # noqa: S311 - jitter
        wait = wait_after(delivery.attempts, self._line.schedule, answer, chance) if again else None
        place = {"webhook": self.endpoint.id, "position": delivery.position, "attempts": delivery.attempts}
        if answer.status == HTTPStatus.GONE:
            self._gone = answer.problem
            wait = wait or 0.0
        if throttles(answer):
            self._paused_until = max(self._paused_until, now + round((answer.retry_after or 0) * 1000))
        if wait is None:
            self._line.outcomes["dead"] += 1
            _log.warning("a webhook message is given up", reason=answer.problem, **place)
            delivery.due = now
            self.queue.died(delivery)
        else:
            self._line.outcomes["failed"] += 1
            _log.info("a webhook message failed", reason=answer.problem, again_after=round(wait, 1), **place)
            self.queue.failed(delivery, now + round(wait * 1000))

    async def _body(self, delivery: Delivery) -> bytes | None:
        """Of the order's values as they are now. Raises `_EventGone`, `StorageError`."""
        events = await self._line.log.after(delivery.position - 1, 1)
        if not events or events[0].position != delivery.position:
            raise _EventGone
        order = await self._line.orders.get(delivery.order_id) if needs_order(events[0]) else None
        return body_of(self.endpoint, delivery.type, events[0], order, self._line.step)

    async def _write(self, *, all: bool = False) -> None:
        """Raises `_LeaseLost`, `StorageError`."""
        written = self.queue.unsettled(all=all)
        if written is None:
            return
        if not await self._line.store.settle(self.endpoint.id, self._line.run, written):
            raise _LeaseLost
        self.queue.settled(written)

    async def _write_all(self) -> None:
        await self._write(all=True)

    async def _finish(self) -> None:
        """The receiver wants no more: what is on its way ends, and the endpoint is disabled."""
        if self._flights:
            await asyncio.wait(self._flights)
        await self._until_it_works(self._write_all)
        _log.warning("the webhook is disabled", webhook=self.endpoint.id, reason=self._gone)
        await self._line.store.trouble(self.endpoint.id, self._line.run, self._gone, disable=True)

    def _patience(self) -> float:
        """Seconds until there is something to do of which no wake tells."""
        due = self.queue.next_due()
        busy = len(self._flights) >= (1 if self.queue.failing else CONCURRENCY)
        if due is None or busy or self._stopping or time.monotonic() > self.leased_until:
            return _POLL
        return min(max((max(due, self._paused_until) - _now()) / 1000, 0.01), _POLL)


class _LeaseLost(Exception):
    """Another node sends to this endpoint, or may."""


class _EventGone(Exception):
    """The log has the event no more."""


def _now() -> int:
    return time.time_ns() // 1_000_000
