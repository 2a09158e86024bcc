"""A node's connections to Redis: one that hears, one that publishes. Comes back by itself."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from ordercast.socketio.cancellations import kept
from ordercast.socketio.cluster import Counters
from ordercast.socketio.cluster_queue import Message, Queue, pack
from ordercast.socketio.cluster_subscriptions import Subscriptions

_log = logging.getLogger("ordercast.socketio")

_FIRST_DELAY = 0.05  # s before the first try to come back: a restart of Redis takes a moment
_MAX_DELAY = 2.0  # s: how long an outage may outlast itself; each delay is up to half shorter, so that nodes spread
_TIMEOUT = 5.0  # s for Redis to take a connection or to answer a command
_SILENCE = 2.0  # s without a word before Redis is asked whether it is there, and again before it is taken for gone
_BATCH = 256  # messages written at once, so that one outage loses no more of them to not knowing
_SWALLOWED = 0.1  # s after which a cancellation that did nothing is taken for lost, see `kept`
_TURN = 100  # messages heard before others get their turn of the loop


class Link:
    """Hears what is wanted and publishes what is queued, while Redis is there; while not, keeps trying.

    What waits to be published is bounded by ``max_queue_bytes`` and ``max_queue_time`` (s); past either, the oldest is
    dropped and counted. So is what was not confirmed when a connection broke: sent again, it could come twice.
    """

    def __init__(
        self,
        url: str,
        hear: Callable[[bytes, bytes], None],
        counters: Counters,
        *,
        max_queue_bytes: int,
        max_queue_time: float,
    ) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            maint_notifications_config=MaintNotificationsConfig(enabled=False),  # they would need protocol 3
        )
        self._pool.connection_kwargs["protocol"] = 2  # what `_read` expects, whatever the URL says
        self._hear = hear
        self._counters = counters
        self._max_time = max_queue_time
        self.connected = False  # Redis has confirmed what was wanted when the connection was made
        self._open = False
        self.channels = Subscriptions()
        self.patterns = Subscriptions(pattern=True)
        self._queue = Queue(max_queue_bytes, counters)
        self._in_flight: deque[Message] = deque()
        self._queued = asyncio.Event()
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()  # nothing waits to be published or confirmed
        self._idle.set()
        self._ping = False
        self._sent = self._confirmed = 0  # names subscribed to or left, on this connection
        self._unsent: list[asyncio.Future[None]] = []
        self._unconfirmed: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    # -- what the cluster calls ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begins, within the event loop; once begun it goes on until `close`."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self, grace: float = 1.0) -> None:
        """Publishes what waits, for up to ``grace`` (s), and ends."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(grace if self._open else 0):
                await self._idle.wait()
        task, self._task = self._task, None
        while not task.done():
            task.cancel()
            await asyncio.wait((task,), timeout=_SWALLOWED)
        self._disconnected()
        for waiter in (*self._unsent, *(waiter for _, waiter in self._unconfirmed)):
            waiter.cancel()

    def want(self, subscriptions: Subscriptions, name: bytes, wanted: bool) -> None:
        """Begins or ends to hear a channel or pattern, at the next turn of the loop."""
        subscriptions.set(name, wanted)
        self._changed.set()

    async def settled(self) -> None:
        """Redis has confirmed all that is wanted up to now."""
        if self._open and not self.channels.changed and not self.patterns.changed and not self._unsent:
            if self._confirmed >= self._sent:
                return
            waiter = asyncio.get_running_loop().create_future()
            self._unconfirmed.append((self._sent, waiter))
        else:
            waiter = asyncio.get_running_loop().create_future()
            self._unsent.append(waiter)
        await waiter

    def publish(self, channel: bytes, payload: bytes) -> None:
        """Queues a message."""
        self._put(Message(channel, payload, self._now()))

    async def count_and_publish(self, channel: bytes, payload: bytes) -> int:
        """Publishes a message, and says how many heard the channel just before."""
        await self.settled()
        counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._put(Message(channel, payload, self._now(), counted))
        return await counted

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _put(self, message: Message) -> None:
        self._queue.put(message)
        self._queued.set()
        self._idle.clear()

    # -- what runs -----------------------------------------------------------------------------------------

    async def _run(self) -> None:
        delay = _FIRST_DELAY
        said = False  # one line per outage
        while True:
            try:
                await self._session()
            except Exception as error:
                if self.connected:
                    delay, said = _FIRST_DELAY, False
                self._disconnected()
                if not said:
                    first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
                    _log.warning("redis is away", extra={"error": f"{type(first).__name__}: {first}"})
                    said = True
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - to spread, not to hide
            delay = min(delay * 2, _MAX_DELAY)

    def _disconnected(self) -> None:
        self.connected = self._open = False
        self._counters.dropped += len(self._in_flight)
        self._in_flight.clear()
        self._unsent += [waiter for _, waiter in self._unconfirmed]
        self._unconfirmed.clear()

    async def _session(self) -> None:
        """From one connection to its end, which is an exception."""
        async with self._connection() as hearing, self._connection() as publishing:
            self._sent = self._confirmed = 0
            self.channels.restart()
            self.patterns.restart()
            self._changed.set()
            self._open = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(hearing))
                group.create_task(self._subscribe(hearing))
                group.create_task(self._publish(publishing))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            yield connection
        finally:
            await connection.disconnect(nowait=True)

    async def _read(self, connection: AbstractConnection) -> None:
        asked = False
        count = 0
        while True:
            message = await connection.read_response(disable_decoding=True, timeout=_SILENCE)
            if message is None:
                if asked:
                    raise RedisConnectionError("Redis has gone silent")
                asked = self._ping = True
                self._changed.set()
                continue
            asked = False
            if isinstance(message, list):
                kind = message[0]
                if kind == b"message":
                    self._hear(message[1], message[2])
                elif kind == b"pmessage":
                    self._hear(message[2], message[3])
                elif kind.endswith(b"subscribe"):
                    self._confirm()
            count += 1
            if count % _TURN == 0:
                await asyncio.sleep(0)

    def _confirm(self) -> None:
        self._confirmed += 1
        if not self.connected and self._confirmed >= self._sent:
            self.connected = True
            _log.info("redis is there")
        while self._unconfirmed and self._unconfirmed[0][0] <= self._confirmed:
            _done(self._unconfirmed.popleft()[1])

    async def _subscribe(self, connection: AbstractConnection) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            commands = [*self.channels.take(), *self.patterns.take()]
            self._sent += sum(len(names) for _, names in commands)
            for waiter in self._unsent:
                if self._confirmed >= self._sent:
                    _done(waiter)
                else:
                    self._unconfirmed.append((self._sent, waiter))
            self._unsent.clear()
            if self._ping:
                self._ping = False
                await _send(connection, pack(b"PING"))
            for command, names in commands:
                await _send(connection, pack(command, *names))

    async def _publish(self, connection: AbstractConnection) -> None:
        flight = self._in_flight
        while True:
            if not self._queue:
                self._idle.set()
                self._queued.clear()
                await self._queued.wait()
            oldest = self._now() - self._max_time
            while len(flight) < _BATCH and (message := self._queue.take(oldest)) is not None:
                flight.append(message)
            if flight:
                await _send(connection, b"".join(message.packed() for message in flight))
            while flight:
                await self._confirm_published(connection, flight[0])
                flight.popleft()

    async def _confirm_published(self, connection: AbstractConnection, message: Message) -> None:
        refused = None
        if message.counted is not None:
            try:
                count = (await connection.read_response(disable_decoding=True))[1]
                if not message.counted.done():
                    message.counted.set_result(count)
            except ResponseError as error:
                refused = error
        try:
            await connection.read_response(disable_decoding=True)
            self._counters.published += 1
        except ResponseError as error:
            refused = error
        if refused is not None:
            self._counters.dropped += 1
            _log.warning("redis refused a message", extra={"error": str(refused)})


async def _send(connection: AbstractConnection, data: bytes) -> None:
    with kept():
        await connection.send_packed_command([data], check_health=False)


def _done(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
