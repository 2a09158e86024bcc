"""Emits to a cluster's clients from processes that serve none: a worker, a script, a Django view.

In the wire format of Node.js's ``@socket.io/redis-emitter``, so that Node.js servers hear it too.
https://socket.io/docs/v4/redis-adapter/#emitter
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Generic, Protocol, Self, TypeVar

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from ordercast.socketio import cluster_write as write
from ordercast.socketio.cancellations import kept
from ordercast.socketio.cluster import Selection
from ordercast.socketio.packet import check_event_name

_TIMEOUT = 5.0  # s for Redis to take a connection or to answer

Sent = TypeVar("Sent")
_Sent_co = TypeVar("_Sent_co", covariant=True)


class _Publish(Protocol[_Sent_co]):
    def __call__(self, channel: bytes, payload: bytes) -> _Sent_co: ...


class EmitterOperator(Generic[Sent]):
    """Who gets an event, as a `BroadcastOperator`. Immutable: each call returns a new one.

    What sends raises ``redis.exceptions.RedisError`` while Redis is away, and ``TypeError`` for what cannot be sent.
    """

    def __init__(
        self,
        publish: _Publish[Sent],
        prefix: str,
        namespace: str,
        to: Selection = Selection(),  # noqa: B008 - immutable
        volatile: bool = False,
    ) -> None:
        self._publish = publish
        self._prefix = prefix
        self._namespace = namespace
        self._channels = write.Channels(prefix, namespace)
        self._to = to
        self._volatile = volatile

    def _but(self, to: Selection, volatile: bool) -> EmitterOperator[Sent]:
        return EmitterOperator(self._publish, self._prefix, self._namespace, to, volatile)

    def to(self, *rooms: str) -> EmitterOperator[Sent]:
        """Adds rooms. A socket's id is a room of its own."""
        return self._but(self._to._replace(rooms=self._to.rooms.union(rooms)), self._volatile)

    in_ = to

    def except_(self, *rooms: str) -> EmitterOperator[Sent]:
        """Leaves out whoever is in these rooms."""
        return self._but(self._to._replace(except_=self._to.except_.union(rooms)), self._volatile)

    @property
    def volatile(self) -> EmitterOperator[Sent]:
        """Events that may be lost: those who cannot take them now do not get them later."""
        return self._but(self._to, True)

    def emit(self, event: str, *args: Any) -> Sent:
        """Sends an event to all of them. Raises ``ValueError`` for a reserved name."""
        check_event_name(event)
        flags = {"volatile": True} if self._volatile else {}
        payload = write.broadcast(write.EMITTER, self._namespace, event, args, self._to, flags)
        return self._publish(self._channels.broadcast(self._to), payload)

    def send(self, *args: Any) -> Sent:
        """Emits a ``message`` event."""
        return self.emit("message", *args)

    def sockets_join(self, *rooms: str) -> Sent:
        """Has all of them join rooms."""
        return self._publish(self._channels.request, write.select(write.JOIN, None, self._to, rooms=rooms))

    def sockets_leave(self, *rooms: str) -> Sent:
        """Has all of them leave rooms."""
        return self._publish(self._channels.request, write.select(write.LEAVE, None, self._to, rooms=rooms))

    def disconnect_sockets(self, close: bool = False) -> Sent:
        """Ends all of them, with ``close`` their whole connections."""
        return self._publish(self._channels.request, write.select(write.DISCONNECT, None, self._to, close=close))


class _Emitter(EmitterOperator[Sent]):
    def server_side_emit(self, event: str, *args: Any) -> Sent:
        """Sends an event to the servers themselves; see `Namespace.on_server_side_emit`. Binary is a ``TypeError``."""
        check_event_name(event)
        return self._publish(self._channels.request, write.server_side_emit(write.EMITTER, event, args))


class Emitter(_Emitter[None]):
    """Emits from plain code, from any thread; each call waits until Redis has taken it.

    ``redis_url`` and ``prefix`` are the servers' own; ``namespace`` is that of the clients.
    """

    def __init__(
        self, redis_url: str, *, namespace: str = "/", prefix: str = write.DEFAULT_PREFIX, _redis: Redis | None = None
    ) -> None:
        self._url = redis_url
        self._redis = _redis or Redis.from_url(redis_url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
        super().__init__(self._send, prefix, namespace)

    def _send(self, channel: bytes, payload: bytes) -> None:
        self._redis.publish(channel, payload)

    def of(self, namespace: str) -> Emitter:
        """The emitter of another namespace, over the same connections."""
        return Emitter(self._url, namespace=_name(namespace), prefix=self._prefix, _redis=self._redis)

    def close(self) -> None:
        """Closes the connections."""
        self._redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncEmitter(_Emitter[Awaitable[None]]):
    """Emits from within an event loop: as `Emitter`, but what sends is to be awaited."""

    def __init__(
        self,
        redis_url: str,
        *,
        namespace: str = "/",
        prefix: str = write.DEFAULT_PREFIX,
        _redis: AsyncRedis | None = None,
    ) -> None:
        self._url = redis_url
        self._redis = _redis or AsyncRedis.from_url(redis_url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
        super().__init__(self._send, prefix, namespace)

    async def _send(self, channel: bytes, payload: bytes) -> None:
        with kept():
            await self._redis.publish(channel, payload)

    def of(self, namespace: str) -> AsyncEmitter:
        """The emitter of another namespace, over the same connections."""
        return AsyncEmitter(self._url, namespace=_name(namespace), prefix=self._prefix, _redis=self._redis)

    async def close(self) -> None:
        """Closes the connections."""
        await self._redis.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _name(namespace: str) -> str:
    return namespace if namespace.startswith("/") else "/" + namespace
