"""Nodes joined by Redis, which may be Ordercast's or Node.js's with ``@socket.io/redis-adapter`` 8.

Why it subscribes as it does: ``docs/decisions/0006-a-cluster-over-redis.md``.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ordercast.socketio import cluster_answers as answers
from ordercast.socketio import cluster_read as read
from ordercast.socketio import cluster_write as write
from ordercast.socketio.cluster import Answers, Counters, Selection
from ordercast.socketio.cluster_asks import AckAsk, Ask
from ordercast.socketio.cluster_hints import Hints
from ordercast.socketio.cluster_link import Link
from ordercast.socketio.errors import ClusterTimeout
from ordercast.socketio.remote import RemoteSocket, read_sockets

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.server import Server

_log = logging.getLogger("ordercast.socketio")

_TAG = 4  # characters that the ids of a node's sockets begin with: one in 16 million that two nodes share theirs
_ID = 20  # characters of a socket's id
_QUIET = 10.0  # s between two log lines about bad messages


class RedisCluster:
    """A `Cluster` over Redis at a URL: ``redis://``, ``rediss://`` (TLS) or ``unix://``, with ``user:password@`` (ACL).

    ``prefix``: the adapter's ``key``. ``request_timeout`` (s): for answers of other nodes. ``max_queue_bytes`` and
    ``max_queue_time`` (s) bound what waits while Redis is away; ``max_message_bytes`` what is read of others. Raises
    ``ValueError`` for a URL that is none.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = write.DEFAULT_PREFIX,
        request_timeout: float = 5.0,
        max_queue_bytes: int = 8_388_608,
        max_queue_time: float = 10.0,
        max_message_bytes: int = 4_194_304,
    ) -> None:
        self.counters = Counters()
        self.uid = secrets.token_urlsafe(6)
        self._own = write.broadcast_head(self.uid)
        self._tag = secrets.token_urlsafe(_TAG * 3 // 4)
        self._prefix = prefix
        self._timeout = request_timeout
        self._max_message = max_message_bytes
        self._link = Link(
            url, self._hear, self.counters, max_queue_bytes=max_queue_bytes, max_queue_time=max_queue_time
        )
        self._hints = Hints(self.uid, prefix, self._link)
        self._server: Server | None = None
        self._channels: dict[str, write.Channels] = {}  # by namespace
        self._requests: dict[bytes, Namespace] = {}  # by request channel
        self._responses: set[bytes] = set()  # response channels
        self._asks: dict[str, Ask] = {}
        self._bad_said = float("-inf")

    # -- Cluster -------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self._link.connected

    def bind(self, server: Server) -> None:
        if self._server is not None:
            raise ValueError("this cluster belongs to another server: one RedisCluster for each")
        self._server = server

    def start(self) -> None:
        self._link.start()

    async def close(self) -> None:
        await self._link.close()

    async def settled(self) -> None:
        await self._link.settled()

    def socket_id(self) -> str:
        return self._tag + secrets.token_urlsafe((_ID - _TAG) * 3 // 4)

    def namespace_changed(self, namespace: Namespace) -> None:
        server = self._server
        here = server is not None and server.find_existing(namespace.name) is namespace
        channels = self._of(namespace.name)
        own_answers = channels.answer(self.uid)
        if here:
            self._requests[channels.request] = namespace
            self._responses |= {channels.response, own_answers}
        else:
            self._requests.pop(channels.request, None)
            self._responses -= {channels.response, own_answers}
            self._channels.pop(namespace.name, None)
        link = self._link
        for channel in (channels.all, channels.request, channels.response, own_answers):
            link.want(link.channels, channel, here)
        # One pattern for the rooms that the sockets' own ids are: their length and beginning are this node's.
        ids = _literally(channels.all) + self._tag.encode() + b"?" * (_ID - _TAG) + b"#"
        link.want(link.patterns, ids, here)

    def room_changed(self, namespace: Namespace, room: str) -> None:
        if not (room.startswith(self._tag) and len(room.encode("utf-8", "surrogatepass")) == _ID):
            here = room in namespace.rooms or room in namespace.sockets
            self._link.want(self._link.channels, self._of(namespace.name).room(room), here)

    def broadcast(self, namespace: str, event: str, args: Sequence[Any], to: Selection, volatile: bool) -> None:
        flags = {"volatile": True} if volatile else {}
        payload = write.broadcast(self.uid, namespace, event, args, to, flags)
        self._publish(self._of(namespace).broadcast(to), payload)

    async def broadcast_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], to: Selection, wait: float
    ) -> Answers:
        id, ask = secrets.token_urlsafe(6), AckAsk()
        payload = write.broadcast_with_ack(self.uid, id, namespace, event, args, to, wait)
        await self._ask(namespace, id, ask, payload, wait)
        return ask.result()

    async def fetch_sockets(self, namespace: Namespace, to: Selection) -> list[RemoteSocket]:
        id, ask = secrets.token_urlsafe(6), Ask()
        payload = write.select(write.FETCH, self.uid, to, requestId=id)
        await self._ask(namespace.name, id, ask, payload, self._timeout)
        found: list[RemoteSocket] = []
        for one in ask.answers:
            try:
                found += read_sockets(namespace, one.sockets or [])
            except msgspec.ValidationError:
                self._bad("sockets of no known shape")
        self._complete(ask, "which sockets it has", found)
        return found

    def sockets_join(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None:
        self._request(namespace, write.select(write.JOIN, self.uid, to, rooms=rooms))

    def sockets_leave(self, namespace: str, to: Selection, rooms: Sequence[str]) -> None:
        self._request(namespace, write.select(write.LEAVE, self.uid, to, rooms=rooms))

    def disconnect_sockets(self, namespace: str, to: Selection, close: bool) -> None:
        self._request(namespace, write.select(write.DISCONNECT, self.uid, to, close=close))

    def server_side_emit(self, namespace: str, event: str, args: Sequence[Any]) -> None:
        self._request(namespace, write.server_side_emit(self.uid, event, args))

    async def server_side_emit_with_ack(
        self, namespace: str, event: str, args: Sequence[Any], wait: float | None
    ) -> list[Any]:
        id, ask = secrets.token_urlsafe(6), Ask()
        payload = write.server_side_emit(self.uid, event, args, id)
        await self._ask(namespace, id, ask, payload, self._timeout if wait is None else wait)
        found = [one.data for one in ask.answers]
        self._complete(ask, f"'{event}'", found)
        return found

    # -- hints, of our own: Node.js has none ---------------------------------------------------------------

    def hint(self, name: str) -> None:
        """Tells the other nodes that something of this name may be new. Within a loop turn twice is once; while Redis
        is away it is lost. Raises ``ValueError`` for a name that is not 1 to 64 of ``A-Za-z0-9_.-``."""
        self.start()
        self._hints.hint(name)

    def on_hint(self, name: str, callback: Callable[[], None]) -> None:
        """Calls ``callback`` on the event loop when another node hints. Raises ``ValueError``, as `hint`."""
        self._hints.on(name, callback)

    # -- asking --------------------------------------------------------------------------------------------

    async def _ask(self, namespace: str, id: str, ask: Ask, payload: bytes, wait: float) -> None:
        """Asks the other nodes and waits until all have answered, or the time is up."""
        self.start()
        self._asks[id] = ask
        try:
            async with asyncio.timeout(wait):
                listening = await self._link.count_and_publish(self._of(namespace).request, payload)
                ask.expect(max(listening - 1, 0))  # one of them is this node
                await ask.done
        except TimeoutError:
            pass
        finally:
            del self._asks[id]

    def _complete(self, ask: Ask, what: str, found: list[Any]) -> None:
        if not ask.complete:
            of = "other nodes, as Redis is away" if ask.nodes is None else f"{ask.nodes} other nodes"
            raise ClusterTimeout(f"{len(ask.answers)} of {of}, answered {what} in time", found)

    def _request(self, namespace: str, payload: bytes) -> None:
        self._publish(self._of(namespace).request, payload)

    def _publish(self, channel: bytes, payload: bytes) -> None:
        self.start()
        self._link.publish(channel, payload)

    def _of(self, namespace: str) -> write.Channels:
        channels = self._channels.get(namespace)
        if channels is None:
            channels = self._channels[namespace] = write.Channels(self._prefix, namespace)
        return channels

    # -- hearing -------------------------------------------------------------------------------------------

    def _hear(self, channel: bytes, payload: bytes) -> None:
        """A message from Redis. Whatever it is, it must not harm the connection that others are heard on."""
        self.counters.received += 1
        try:
            if len(payload) > self._max_message:
                raise read.WireError(f"{len(payload)} bytes")
            if channel in self._hints:
                self._hints.hear(channel, payload)
            elif channel in self._responses:
                self._hear_response(payload)
            elif (namespace := self._requests.get(channel)) is not None:
                self._hear_request(namespace, channel, payload)
            else:
                self._hear_broadcast(channel, payload)
        except Exception as error:
            self._bad(str(error) if isinstance(error, read.WireError) else f"{type(error).__name__}: {error}")

    def _hear_broadcast(self, channel: bytes, payload: bytes) -> None:
        if payload.startswith(self._own):
            return  # our own, come back: not worth reading
        said = read.read_broadcast(payload)
        server = self._server
        namespace = None if server is None else server.find_existing(said.packet.nsp)
        if namespace is not None and channel.startswith(self._of(namespace.name).all):
            answers.broadcast(namespace, said)

    def _hear_request(self, namespace: Namespace, channel: bytes, payload: bytes) -> None:
        request = read.read_request(payload)
        if request.uid != self.uid:
            channels = self._of(namespace.name)
            to = channels.answer(request.uid) if request.uid else channels.response
            answers.answer(namespace, request, partial(self._publish, to))

    def _hear_response(self, payload: bytes) -> None:
        if self._asks:  # other nodes' answers to each other are none of our business
            response = read.read_response(payload)
            ask = self._asks.get(response.request_id)
            if ask is not None:
                ask.receive(response)

    def _bad(self, why: str) -> None:
        self.counters.bad += 1
        now = time.monotonic()
        if now - self._bad_said >= _QUIET:
            self._bad_said = now
            _log.warning("a bad message from redis", extra={"error": why[:200], "times": self.counters.bad})


def _literally(name: bytes) -> bytes:
    """A name in a pattern. https://redis.io/docs/latest/commands/psubscribe/"""
    return b"".join(b"\\" + bytes((byte,)) if byte in b"*?[]^\\" else bytes((byte,)) for byte in name)
