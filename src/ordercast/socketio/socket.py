"""One client in one namespace."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ordercast.engineio import Request, Session, disconnects
from ordercast.engineio.request import parse_query
from ordercast.socketio.errors import AckTimeout
from ordercast.socketio.listeners import Emitter, Listener
from ordercast.socketio.operator import DEFAULT_ACK_TIMEOUT
from ordercast.socketio.packet import PacketType, check_event_name, encode

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.operator import BroadcastOperator

Ack = Callable[..., None]

_log = logging.getLogger("ordercast.socketio")


class Handshake:
    """What the client said when it connected. https://socket.io/docs/v4/server-socket-instance/#sockethandshake

    ``auth`` is the payload of its CONNECT packet, ``time`` in seconds since the epoch.
    """

    __slots__ = ("_query", "auth", "request", "time")

    def __init__(self, request: Request, auth: dict[str, Any], query: str = "") -> None:
        self.request = request
        self.auth = auth
        self._query = query
        self.time = time.time()

    @property
    def query(self) -> dict[str, str]:
        """The fields of the request's query and, from clients before 3.0, of the namespace's, which count more.

        Raises ``ValueError`` past 64 of either.
        """
        return self.request.query | parse_query(self._query) if self._query else self.request.query

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers by lower-case name."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.request.headers}

    @property
    def address(self) -> str:
        """The peer's IP address."""
        return self.request.address

    @property
    def secure(self) -> bool:
        """Whether the connection came over TLS."""
        return self.request.secure


class Socket(Emitter):
    """A connected (or connecting) client. Its ``id`` is also a room of its own.

    ``data`` is for the application: a dict unless it puts something else there.
    """

    __slots__ = (
        "_acks",
        "_data",
        "connected",
        "handshake",
        "id",
        "namespace",
        "over",
        "pid",
        "recovered",
        "session",
    )

    def __init__(self, namespace: Namespace, session: Session, id: str, auth: dict[str, Any], query: str = "") -> None:
        super().__init__()
        self.namespace = namespace
        self.session = session
        self.id = id
        self.handshake = Handshake(session.request, auth, query)
        self.connected = False
        self.pid: str | None = None  # told to the client, so that it comes back as whom it was
        self.recovered = False
        self.over = False  # left or refused: rooms take it no more
        self._data: Any = None
        self._acks: dict[int, Ack | asyncio.Future[Any]] | None = None

    @property
    def data(self) -> Any:
        """The application's own state of this socket."""
        if self._data is None:
            self._data = {}
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        self._data = value

    @property
    def connecting(self) -> bool:
        """Whether middleware still looks at it, and the client still waits for that."""
        waits: bool = self.session.data.waits_for(self)
        return waits

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms the socket is in, its own id included."""
        return self.namespace.rooms.of(self) | {self.id}

    def join(self, *rooms: str) -> None:
        """Joins rooms, at once. After the end of the connection it does nothing, as nothing would take it out."""
        if not self.over:
            self.namespace.rooms.join(self, rooms)

    def leave(self, room: str) -> None:
        """Leaves a room, at once."""
        self.namespace.rooms.leave(self, room)

    def catch_all(self) -> tuple[Listener, ...]:
        """The listeners to every event of this client."""
        return () if self._listeners is None else self._listeners.any

    def on_any_outgoing(self, listener: Listener) -> Listener:
        """Listens to every event that `emit` sends to this client; broadcasts are not among them. Also a decorator."""
        self._ensure().add_any_outgoing(listener)
        return listener

    def emit(self, event: str, *args: Any, ack: Ack | None = None) -> None:
        """Sends an event to this client; ``ack`` is called with what it acknowledges, if it ever does.

        Returns at once; never awaits. After the end of the connection it does nothing.
        Raises ``ValueError`` for a reserved name and ``TypeError`` for arguments that JSON cannot hold.
        """
        check_event_name(event)
        if not self.connected:
            return
        if ack is None:
            self._send_event(event, args)
        else:
            id = self.namespace.next_ack()
            self._send_event(event, args, id)
            self._acks = self._acks or {}
            self._acks[id] = ack

    def _send_event(self, event: str, args: Sequence[Any], id: int | None = None) -> None:
        for packet in self.namespace.encode_event(event, args, id):
            self.session.send(packet)
        if self._listeners is not None:
            for listener in self._listeners.any_outgoing:
                listener(event, *args)

    def send(self, *args: Any) -> None:
        """Emits a ``message`` event."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any, timeout: float = DEFAULT_ACK_TIMEOUT) -> Any:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends an event and waits up to ``timeout`` (s) for its acknowledgement.

        Returns the acknowledged value: ``None``, the one argument, or a tuple of several. Raises `AckTimeout`, at once
        where the client is gone or goes, and ``ValueError`` for a reserved name.
        """
        check_event_name(event)
        if not self.connected:
            raise AckTimeout("the client is not connected")
        id = self.namespace.next_ack()
        answer = self.expect(id)
        try:
            self._send_event(event, args, id)
            async with asyncio.timeout(timeout):
                return await answer
        except AckTimeout:
            raise
        except TimeoutError:
            raise AckTimeout(f"no acknowledgement of '{event}' within {timeout:g} s") from None
        finally:
            self.expect_no_more(id)

    def expect(self, id: int) -> asyncio.Future[Any]:
        """The acknowledgement of this id, to come: ``None``, the one argument or a tuple; `AckTimeout` if the client
        goes."""
        self._acks = self._acks or {}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._acks[id] = answer
        return answer

    def expect_no_more(self, id: int) -> None:
        """Nobody waits for this acknowledgement any more."""
        if self._acks is not None:
            self._acks.pop(id, None)

    def acknowledged(self, id: int, args: list[Any]) -> None:
        """The client acknowledges one of our events; unknown ids are ignored, as they may be late."""
        ack = None if self._acks is None else self._acks.pop(id, None)
        if isinstance(ack, asyncio.Future):
            if not ack.done():
                ack.set_result(args[0] if len(args) == 1 else tuple(args) or None)
        elif ack is not None:
            try:
                ack(*args)
            except Exception:
                _log.exception("acknowledgement failed", extra={"sid": self.id})

    def let_go(self) -> None:
        """The client is gone: it leaves its rooms, and whoever waits for an acknowledgement learns it."""
        self.over = True
        self.namespace.rooms.leave_all(self)
        acks, self._acks = self._acks, None
        for ack in (acks or {}).values():
            if isinstance(ack, asyncio.Future) and not ack.done():
                ack.set_exception(AckTimeout("the client has disconnected"))
                ack.exception()  # whoever waited may have gone too

    @property
    def volatile(self) -> BroadcastOperator:
        """Events to this client that may be lost: if it cannot take them now, it does not get them later."""
        return self.namespace.local.to(self.id).volatile

    def to(self, *rooms: str) -> BroadcastOperator:
        """Everyone in the rooms but this socket."""
        return self.namespace.to(*rooms).except_(self.id)

    @property
    def broadcast(self) -> BroadcastOperator:
        """Everyone in the namespace but this socket."""
        return self.namespace.except_(self.id)

    def disconnect(self, close: bool = False, *, why: disconnects.Disconnect = disconnects.SERVER_DISCONNECT) -> None:
        """Ends this socket with a DISCONNECT packet, or with ``close`` the whole connection after it.

        Clients report ``io server disconnect`` and do not come back by themselves.
        """
        if self.connected:
            self.send_packet(PacketType.DISCONNECT)
            self.namespace.remove(self, why)
        if close:
            self.session.close(why)

    def send_packet(self, type: PacketType, data: Any = None, id: int | None = None) -> None:
        """Queues a packet of this namespace."""
        for packet in encode(type, self.namespace.name, data, id):
            self.session.send(packet)

    def __repr__(self) -> str:
        return f"Socket({self.id!r} in {self.namespace.name!r})"
