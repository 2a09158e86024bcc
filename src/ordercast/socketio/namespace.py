"""A namespace: its middleware, its listeners, its sockets and rooms. https://socket.io/docs/v4/namespaces/"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any, overload

from ordercast.engineio import disconnects
from ordercast.socketio.errors import ConnectError
from ordercast.socketio.operator import BroadcastOperator
from ordercast.socketio.packet import PacketType
from ordercast.socketio.rooms import Rooms
from ordercast.socketio.socket import Listener, Socket

if TYPE_CHECKING:
    from ordercast.socketio.client import Client
    from ordercast.socketio.server import Server

Middleware = Callable[[Socket], Awaitable[None] | None]

_log = logging.getLogger("ordercast.socketio")

LIFECYCLE = ("connection", "disconnecting", "disconnect")
"""Names that `Namespace.on` takes for the namespace itself; every other one is an event of its clients."""


class Namespace:
    """One namespace of a `Server`. What `Server` offers for ``/`` is offered here for any other."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.sockets: dict[str, Socket] = {}
        self.rooms: Rooms[Socket] = Rooms()
        self.delivered = 0
        self._middleware: list[Middleware] = []
        self._listeners: dict[str, Listener] = {}

    # -- what applications call ----------------------------------------------------------------------------

    def use(self, middleware: Middleware) -> Middleware:
        """Runs before a connection completes; one that raises `ConnectError` refuses it. Also a decorator.

        https://socket.io/docs/v4/middlewares/
        """
        self._middleware.append(middleware)
        return middleware

    @overload
    def on(self, event: str) -> Callable[[Listener], Listener]: ...
    @overload
    def on(self, event: str, listener: Listener) -> Listener: ...
    def on(self, event: str, listener: Listener | None = None) -> Any:
        """Listens to ``connection`` (socket), ``disconnecting`` and ``disconnect`` (socket, reason), or to an event
        of any client (socket, *args). Plain or async; also a decorator.

        What a listener to a client's event returns is its acknowledgement, where the client asks for one: nothing
        for ``None``, several arguments for a tuple. One listener per event: the last one set.
        """
        if listener is None:

            def decorate(function: Listener) -> Listener:
                self._listeners[event] = function
                return function

            return decorate
        self._listeners[event] = listener
        return listener

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

    def members(self, room: str) -> Collection[Socket]:
        """Who is in a room; a socket's id is a room too, without a set of its own to keep."""
        own = self.sockets.get(room)
        return (own,) if own is not None else self.rooms.members(room)

    # -- what the server calls -----------------------------------------------------------------------------

    def connect(self, client: Client, id: str, auth: dict[str, Any], query: str) -> None:
        """A client asks to join, with an id for its socket and what it says of itself: runs the middleware, then tells
        the client and the ``connection`` listener.

        Without a task where no middleware awaits, as a reconnect storm has thousands of these.
        """
        socket = Socket(self, client.session, id, auth, query)
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
        self._let_go(socket)
        client: Client = socket.session.data
        client.refused(self, error)

    def _connected(self, socket: Socket) -> None:
        client: Client = socket.session.data
        if not client.waits_for(self):
            self._let_go(socket)  # the client left while middleware was thinking
            return
        socket.connected = True
        self.sockets[socket.id] = socket
        client.connected(socket)
        self._notify("connection", socket)
        client.after_connect()

    def event(self, socket: Socket, event: str, args: list[Any], id: int | None) -> None:
        """A client's event: calls its listener and acknowledges with what that returns."""
        listener = socket.listener(event)
        if listener is None:
            if event in LIFECYCLE or (listener := self._listeners.get(event)) is None:
                return
            args = [socket, *args]
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
        self._let_go(socket)
        socket.session.data.left(socket)
        self._notify("disconnect", socket, why.reason)

    def _let_go(self, socket: Socket) -> None:
        socket.over = True
        self.rooms.leave_all(socket)

    def _notify(self, event: str, socket: Socket, *args: Any) -> None:
        own = socket.listener(event)
        for listener, arguments in ((own, args), (self._listeners.get(event), (socket, *args))):
            if listener is None:
                continue
            try:
                result = listener(*arguments)
            except Exception:
                _log.exception("listener failed", extra={"event_name": event, "sid": socket.id})
            else:
                if inspect.isawaitable(result):
                    self.server.spawn(self._logged(result, event))

    async def _logged(self, result: Awaitable[Any], event: str) -> None:
        try:
            await result
        except Exception:
            _log.exception("listener failed", extra={"event_name": event})
