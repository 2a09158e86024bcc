"""A socket of another node, as `BroadcastOperator.fetch_sockets` finds it, and as ours are told to others."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from ordercast.engineio import Request
from ordercast.socketio.errors import AckTimeout
from ordercast.socketio.operator import DEFAULT_ACK_TIMEOUT, BroadcastOperator
from ordercast.socketio.socket import Handshake, Socket

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace


class RemoteSocket:
    """A socket of another node, as it was when asked. What is done to it travels there; it may be gone by then.

    https://socket.io/docs/v4/server-api/#remotesocket
    """

    __slots__ = ("_operator", "data", "handshake", "id", "rooms")

    def __init__(self, namespace: Namespace, id: str, handshake: Handshake, rooms: frozenset[str], data: Any) -> None:
        self.id = id
        self.handshake = handshake
        self.rooms = rooms
        self.data = data
        self._operator = BroadcastOperator(namespace).to(id)

    def emit(self, event: str, *args: Any) -> None:
        """Sends an event to this client; see `BroadcastOperator.emit`."""
        self._operator.emit(event, *args)

    def send(self, *args: Any) -> None:
        """Emits a ``message`` event."""
        self._operator.send(*args)

    async def emit_with_ack(self, event: str, *args: Any, timeout: float = DEFAULT_ACK_TIMEOUT) -> Any:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends an event and waits up to ``timeout`` (s) for its acknowledgement: ``None`` or its first argument.

        Raises `AckTimeout`, at once where the client is gone.
        """
        responses = await self._operator.emit_with_ack(event, *args, timeout=timeout)
        if not responses:
            raise AckTimeout("the client is not connected")
        return responses[0]

    def join(self, *rooms: str) -> None:
        """Has it join rooms."""
        self._operator.sockets_join(*rooms)

    def leave(self, room: str) -> None:
        """Has it leave a room."""
        self._operator.sockets_leave(room)

    def disconnect(self, close: bool = False) -> None:
        """Ends it; see `Socket.disconnect`."""
        self._operator.disconnect_sockets(close)

    def __repr__(self) -> str:
        return f"RemoteSocket({self.id!r})"


class _Details(msgspec.Struct):
    """A socket as it travels: untrusted. Node.js's handshake may hold anything an application put there."""

    id: str
    rooms: list[str | int] = []
    handshake: dict[str, Any] = {}
    data: Any = None


def read_sockets(namespace: Namespace, sockets: list[Any]) -> list[RemoteSocket]:
    """Another node's answer. Raises ``msgspec.ValidationError``."""
    return [
        RemoteSocket(namespace, one.id, _handshake(one.handshake), frozenset(map(str, one.rooms)), one.data)
        for one in msgspec.convert(sockets, list[_Details])
    ]


def _handshake(said: dict[str, Any]) -> Handshake:
    headers = [(name.lower().encode(), value.encode()) for name, value in _texts(said.get("headers")).items()]
    query = urlencode(_texts(said.get("query"))).encode()
    auth = said.get("auth")
    url = said.get("url")
    path = url.partition("?")[0] if isinstance(url, str) else ""
    address = said.get("address")
    request = Request(path, query, headers, address if isinstance(address, str) else "", said.get("secure") is True)
    handshake = Handshake(request, auth if isinstance(auth, dict) else {})
    issued = said.get("issued")
    handshake.time = issued / 1000 if isinstance(issued, (int, float)) else 0.0
    return handshake


def _texts(found: Any) -> dict[str, str]:
    """Those of an object's members that are text. Node.js has lists where a header or field came twice."""
    members = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in members if isinstance(name, str) and isinstance(value, str)}


def describe(socket: Socket) -> dict[str, Any]:
    """One of our sockets for others, in the shape that Node.js gives its own.

    https://socket.io/docs/v4/server-socket-instance/#sockethandshake
    """
    handshake = socket.handshake
    request = handshake.request
    try:
        query = handshake.query
    except ValueError:  # too many fields
        query = {}
    search = request.query_string.decode("latin-1")
    return {
        "id": socket.id,
        "handshake": {
            "headers": handshake.headers,
            "time": time.strftime("%a %b %d %Y %H:%M:%S GMT+0000", time.gmtime(handshake.time)),
            "address": handshake.address,
            "xdomain": request.header(b"origin") is not None,
            "secure": handshake.secure,
            "issued": int(handshake.time * 1000),
            "url": f"{request.path}?{search}" if search else request.path,
            "query": query,
            "auth": handshake.auth,
        },
        "rooms": list(socket.rooms),
        "data": socket.data,
    }
