"""What other nodes say over Redis, read strictly, pure: the wire format of Node.js's ``@socket.io/redis-adapter`` 8.

A broadcast is msgpack ``[uid, {type, data, nsp}, {rooms, except, flags}]``. Requests and responses are JSON objects,
but for broadcasts with acknowledgement, which may hold binary and are msgpack. Everything read here is untrusted: what
is not exactly of its shape is a `WireError`, and nothing else is raised.
https://github.com/socketio/socket.io-redis-adapter
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from ordercast.socketio.cluster import Selection
from ordercast.socketio.packet import RESERVED

MAX_DEPTH = 64
"""Levels of lists and objects: twice what clients may send us, since a server's own data goes deeper."""

EVENT, _BINARY_EVENT = 2, 5  # the second is what senders of 2018 and before wrote
_UNDEFINED = 0  # the msgpack extension in which older senders wrote JavaScript's undefined


class WireError(ValueError):
    """Not what a node would say."""


Room = str | Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]  # Node.js takes numbers for rooms too
Name = Annotated[str, msgspec.Meta(max_length=128)]


class Options(msgspec.Struct, rename={"except_": "except"}):
    """Rooms and flags, as they travel."""

    rooms: list[Room] | None = None
    except_: list[Room] | None = None
    flags: dict[str, Any] | None = None

    def selection(self) -> Selection:
        """Who is meant."""
        return Selection(frozenset(map(str, self.rooms or ())), frozenset(map(str, self.except_ or ())))

    def flag(self, name: str) -> Any:
        """A flag, or ``None``."""
        return (self.flags or {}).get(name)


class Event(msgspec.Struct):
    """An event as it travels: ``data`` is its name and arguments."""

    type: int
    data: Annotated[list[Any], msgspec.Meta(min_length=1)]
    nsp: str = "/"

    def check(self) -> None:
        """Raises `WireError` for what clients must not be sent."""
        if self.type not in (EVENT, _BINARY_EVENT):
            raise WireError("a packet that is no event")
        if not isinstance(self.data[0], str) or self.data[0] in RESERVED:
            raise WireError("an event without a name, or with one that is reserved")
        check_value(self.data)


class Broadcast(msgspec.Struct, array_like=True):
    """An event for clients."""

    uid: Name
    packet: Event
    opts: Options


class Fetch(msgspec.Struct, tag_field="type", tag=5, rename="camel"):
    """Which sockets are there?"""

    request_id: Name
    opts: Options
    uid: Name = ""


class Ids(msgspec.Struct, tag_field="type", tag=0, rename="camel"):
    """Which ids are in these rooms?"""

    request_id: Name
    rooms: list[Room] = []
    uid: Name = ""


class AllRooms(msgspec.Struct, tag_field="type", tag=1, rename="camel"):
    """Which rooms are there?"""

    request_id: Name
    uid: Name = ""


class Join(msgspec.Struct, tag_field="type", tag=2, rename="camel"):
    """Have sockets join rooms; in the older form one socket (``sid``) one ``room``, which is answered."""

    opts: Options | None = None
    rooms: list[Room] = []
    sid: str | None = None
    room: Room | None = None
    request_id: Name | None = None
    uid: Name = ""


class Leave(msgspec.Struct, tag_field="type", tag=3, rename="camel"):
    """Have sockets leave rooms; see `Join`."""

    opts: Options | None = None
    rooms: list[Room] = []
    sid: str | None = None
    room: Room | None = None
    request_id: Name | None = None
    uid: Name = ""


class Disconnect(msgspec.Struct, tag_field="type", tag=4, rename="camel"):
    """Have sockets go; see `Join`."""

    opts: Options | None = None
    close: bool | None = False
    sid: str | None = None
    request_id: Name | None = None
    uid: Name = ""


class ServerSideEmit(msgspec.Struct, tag_field="type", tag=6, rename="camel"):
    """An event for the nodes themselves; one with ``request_id`` is answered."""

    data: Annotated[list[Any], msgspec.Meta(min_length=1)]
    request_id: Name | None = None
    uid: Name = ""


class BroadcastWithAck(msgspec.Struct, tag_field="type", tag=7, rename="camel"):
    """An event for clients that each acknowledge it."""

    request_id: Name
    packet: Event
    opts: Options
    uid: Name = ""


Request = Fetch | Ids | AllRooms | Join | Leave | Disconnect | ServerSideEmit | BroadcastWithAck


class Response(msgspec.Struct, rename="camel"):
    """Any answer; which fields count depends on the request."""

    request_id: Name
    type: int | None = None
    sockets: list[Any] | None = None
    rooms: list[Room] | None = None
    data: Any = None
    client_count: Annotated[int, msgspec.Meta(ge=0, le=2**32)] | None = None
    packet: Any = None


CLIENT_COUNT = 8  # `Response.type`: how many clients a node has asked
CLIENT_ACK = 9  # `Response.type`: what one of them acknowledged


def _extension(code: int, data: memoryview) -> Any:
    if code == _UNDEFINED:
        return None
    raise WireError(f"msgpack extension {code}")


_broadcast = msgspec.msgpack.Decoder(Broadcast, ext_hook=_extension)
_json_request: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_msgpack_request: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request, ext_hook=_extension)
_json_response = msgspec.json.Decoder(Response)
_msgpack_response = msgspec.msgpack.Decoder(Response, ext_hook=_extension)

_T = TypeVar("_T")
_Decoder = msgspec.json.Decoder[_T] | msgspec.msgpack.Decoder[_T]


def read_broadcast(raw: bytes) -> Broadcast:
    """A broadcast. Raises `WireError`."""
    broadcast = _read(_broadcast, raw)
    broadcast.packet.check()
    return broadcast


def read_request(raw: bytes) -> Request:
    """A request. Raises `WireError`."""
    request = _read(_json_request if raw[:1] == b"{" else _msgpack_request, raw)
    if isinstance(request, BroadcastWithAck):
        request.packet.check()
    elif isinstance(request, ServerSideEmit):
        if not isinstance(request.data[0], str):
            raise WireError("a server-side event without a name")
        check_value(request.data)
    return request


def read_response(raw: bytes) -> Response:
    """A response. Raises `WireError`."""
    response = _read(_json_response if raw[:1] == b"{" else _msgpack_response, raw)
    check_value([response.data, response.packet, response.sockets])
    return response


def _read(decoder: _Decoder[_T], raw: bytes) -> _T:
    try:
        return decoder.decode(raw)
    except WireError:
        raise
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise WireError(f"{type(error).__name__} in what a node sent") from None


def check_value(value: Any) -> None:
    """What came as JSON or msgpack and goes to clients or listeners. Raises `WireError` past `MAX_DEPTH` levels, and
    for objects with keys that JSON cannot hold."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for one in level:
            if type(one) is dict:
                if not all(type(key) is str or type(key) is int for key in one):
                    raise WireError("an object with keys that JSON cannot hold")
                inner.extend(one.values())
            elif type(one) is list:
                inner.extend(one)
        if not inner:
            return
        level = inner
    raise WireError(f"nested deeper than {MAX_DEPTH} levels")
