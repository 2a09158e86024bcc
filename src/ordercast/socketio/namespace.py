"""A namespace: its middleware, its listeners, its sockets and rooms. https://socket.io/docs/v4/namespaces/"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ordercast.engineio import Packet, disconnects
from ordercast.socketio.errors import ConnectError
from ordercast.socketio.listeners import Emitter, Listener
from ordercast.socketio.operator import DEFAULT_ACK_TIMEOUT, BroadcastOperator
from ordercast.socketio.packet import PacketType, check_event_name, encode
from ordercast.socketio.rooms import Rooms
from ordercast.socketio.server_side import ServerSide
from ordercast.socketio.socket import Socket

if TYPE_CHECKING:
    from ordercast.socketio.client import Client
    from ordercast.socketio.remote import RemoteSocket
    from ordercast.socketio.server import Server

Middleware = Callable[[Socket], Awaitable[None] | None]

_log = logging.getLogger("ordercast.socketio")

LIFECYCLE = ("connection", "disconnecting", "disconnect")
"""Names that `Namespace.on` takes for the namespace itself; every other one is an event of its clients."""


class Namespace(Emitter, ServerSide):
    """One namespace of a `Server`. What `Server` offers for ``/`` is offered here for any other.

    It listens (`on`) to ``connection`` (socket), ``disconnecting`` and ``disconnect`` (socket, reason), and to events
    of its clients (``socket, *args``); a socket's own listeners come before it.
    """

    def __init__(self, server: Server, name: str) -> None:
        Emitter.__init__(self)
        ServerSide.__init__(self)
        self.server = server
        self.name = name
        self.sockets: dict[str, Socket] = {}
        self.rooms: Rooms[Socket] = Rooms(partial(server.cluster.room_changed, self))
        self.delivered = 0
        self.closing: Callable[[], Packet] | None = None
        """Makes the packet that closes a write with an event that ends in a string, which clients since 4.6 take for
        their offset in a recovery. https://socket.io/docs/v4/connection-state-recovery"""
        self._acks = 0
        self._joining = 0
        self._middleware: list[Middleware] = []

    # -- what applications call ----------------------------------------------------------------------------

    def use(self, middleware: Middleware) -> Middleware:
        """Runs before a connection completes; one that raises `ConnectError` refuses it. Also a decorator.

        https://socket.io/docs/v4/middlewares/
        """
        self._middleware.append(middleware)
        return middleware

    def to(self, *rooms: str) -> BroadcastOperator:
        """Everyone in these rooms."""
        return BroadcastOperator(self).to(*rooms)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Everyone but those in these rooms."""
        return BroadcastOperator(self).except_(*rooms)

    @property
    def local(self) -> BroadcastOperator:
        """Everyone on this node."""
        return BroadcastOperator(self).local

    def emit(self, event: str, *args: Any) -> None:
        """Sends an event to everyone."""
        BroadcastOperator(self).emit(event, *args)

    def encode_event(
        self, event: str, args: Sequence[Any], id: int | None = None, *, closed: bool = True
    ) -> list[Packet]:
        """The packets of an event of this namespace, with what must close their write unless not ``closed``.

        Raises ``ValueError`` for a reserved name and ``TypeError`` for arguments that JSON cannot hold.
        """
        check_event_name(event)
        packets = encode(PacketType.EVENT, self.name, [event, *args], id)
        if closed and args and self.closing is not None and isinstance(args[-1], str):
            packets[-1].trailer = self.closing()
        return packets

    def next_ack(self) -> int:
        """An id for an acknowledgement, that no other one of this namespace has."""
        id, self._acks = self._acks, self._acks + 1
        return id

    def members(self, room: str) -> Collection[Socket]:
        """Who is in a room; a socket's id is a room too, without a set of its own to keep."""
        own = self.sockets.get(room)
        return (own,) if own is not None else self.rooms.members(room)

    def send(self, *args: Any) -> None:
        """Emits a ``message`` event to everyone."""
        self.emit("message", *args)

    @property
    def volatile(self) -> BroadcastOperator:
        """Events to everyone that may be lost; see `BroadcastOperator.volatile`."""
        return BroadcastOperator(self).volatile

    def latest_of(self, key: Hashable) -> BroadcastOperator:
        """Events to everyone of which only the latest counts; see `BroadcastOperator.latest_of`."""
        return BroadcastOperator(self).latest_of(key)

    async def emit_with_ack(self, event: str, *args: Any, timeout: float = DEFAULT_ACK_TIMEOUT) -> list[Any]:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends an event to everyone and gathers the acknowledgements; see `BroadcastOperator.emit_with_ack`."""
        return await BroadcastOperator(self).emit_with_ack(event, *args, timeout=timeout)

    async def fetch_sockets(self) -> list[Socket | RemoteSocket]:
        """All sockets of the namespace; see `BroadcastOperator.fetch_sockets`."""
        return await BroadcastOperator(self).fetch_sockets()

    def sockets_join(self, *rooms: str) -> None:
        """Has everyone join rooms."""
        BroadcastOperator(self).sockets_join(*rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Has everyone leave rooms."""
        BroadcastOperator(self).sockets_leave(*rooms)

    def disconnect_sockets(self, close: bool = False) -> None:
        """Ends everyone's connection."""
        BroadcastOperator(self).disconnect_sockets(close)

    # -- what the server calls -----------------------------------------------------------------------------

    def connect(self, client: Client, id: str, auth: dict[str, Any], query: str) -> None:
        """A client asks to join, with an id for its socket and what it says of itself: runs the middleware, then tells
        the client and the ``connection`` listener.

        Without a task where no middleware awaits, as a reconnect storm has thousands of these.
        """
        socket = Socket(self, client.session, id, auth, query)
        client.connecting(socket)
        self._joining += 1
        steps = self._run_middleware(socket)
        try:
            first = steps.send(None)
        except StopIteration:
            self._connected(socket)
        except ConnectError as error:
            self._refuse(socket, error)
        except Exception as error:
            self._refuse(socket, self._middleware_failed(error))
        else:
            self.server.spawn(self._finish_connect(socket, steps, first))

    def _run_middleware(self, socket: Socket) -> Any:
        """A generator that yields each awaitable the middleware returns."""
        for middleware in self._middleware:
            result = middleware(socket)
            if result is not None:
                yield result

    async def _finish_connect(self, socket: Socket, steps: Any, pending: Awaitable[None]) -> None:
        try:
            await pending
            for awaitable in steps:
                await awaitable
        except ConnectError as error:
            self._refuse(socket, error)
        except Exception as error:
            self._refuse(socket, self._middleware_failed(error))
        else:
            self._connected(socket)

    def _middleware_failed(self, error: Exception) -> ConnectError:
        _log.exception("middleware failed", exc_info=error)
        return ConnectError("Internal server error")

    def _refuse(self, socket: Socket, error: ConnectError) -> None:
        self._joining -= 1
        socket.let_go()
        client: Client = socket.session.data
        client.refused(socket, error)
        self._look_if_empty()

    def _connected(self, socket: Socket) -> None:
        self._joining -= 1
        client: Client = socket.session.data
        if not client.waits_for(socket):
            socket.let_go()  # the client left while middleware was thinking
            self._look_if_empty()
            return
        socket.connected = True
        self.sockets[socket.id] = socket
        self.server.cluster.room_changed(self, socket.id)
        client.connected(socket)
        self._notify("connection", socket)
        client.after_connect()

    def _look_if_empty(self) -> None:
        if not self.sockets and not self._joining:
            self.emptied()

    def emptied(self) -> None:
        """The last socket has gone, and none is coming: of interest to namespaces that come and go."""

    def event(self, socket: Socket, event: str, args: list[Any], id: int | None) -> None:
        """A client's event: calls its listeners and acknowledges with what the first one returns."""
        if event in LIFECYCLE:
            return
        for listener in socket.listeners(event):
            self._call(socket, event, listener, args, id)
            id = None
        for listener in self.listeners(event):
            self._call(socket, event, listener, (socket, *args), id)
            id = None
        # Who listens to everything answers for nothing.
        for listener in socket.catch_all():
            self._call(socket, event, listener, (event, *args), None)
        if self._listeners is not None:
            for listener in self._listeners.any:
                self._call(socket, event, listener, (socket, event, *args), None)

    def _call(self, socket: Socket, event: str, listener: Listener, args: Sequence[Any], id: int | None) -> None:
        try:
            result = listener(*args)
        except Exception:
            # Wrong arguments are the client's mistake, anything else ours; both end here, and only here.
            _log.exception("listener failed", extra={"event_name": event, "sid": socket.id})
            return
        if inspect.isawaitable(result):
            self.server.spawn(self._finish_event(socket, event, result, id))
        elif id is not None:
            self._acknowledge(socket, id, result)

    async def _finish_event(self, socket: Socket, event: str, result: Awaitable[Any], id: int | None) -> None:
        try:
            value = await result
        except Exception:
            _log.exception("listener failed", extra={"event_name": event, "sid": socket.id})
        else:
            if id is not None:
                self._acknowledge(socket, id, value)

    def _acknowledge(self, socket: Socket, id: int, result: Any) -> None:
        if socket.connected:
            args = [] if result is None else list(result) if isinstance(result, tuple) else [result]
            try:
                socket.send_packet(PacketType.ACK, args, id)
            except Exception:
                _log.exception("acknowledgement cannot be sent", extra={"sid": socket.id})

    def remove(self, socket: Socket, why: disconnects.Disconnect) -> None:
        """A socket is over: it leaves its rooms, and the listeners learn why."""
        if not socket.connected or socket.over:
            return
        socket.over = True
        self._notify("disconnecting", socket, why.reason)
        socket.connected = False
        self.sockets.pop(socket.id, None)
        self.server.cluster.room_changed(self, socket.id)
        socket.let_go()
        socket.session.data.left(socket)
        self._notify("disconnect", socket, why.reason)
        self._look_if_empty()

    def _notify(self, event: str, socket: Socket, *args: Any) -> None:
        for listener in socket.listeners(event):
            self._call(socket, event, listener, args, None)
        for listener in self.listeners(event):
            self._call(socket, event, listener, (socket, *args), None)
