"""What a node says to others over Redis, pure; `cluster_read` has the shapes and reads them.

Every function here raises ``TypeError`` for what cannot be sent, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ordercast.socketio.cluster import Selection
from ordercast.socketio.cluster_read import CLIENT_ACK, EVENT

DEFAULT_PREFIX = "socket.io"

EMITTER = "emitter"
"""The uid of those that only publish."""

FETCH, JOIN, LEAVE, DISCONNECT = 5, 2, 3, 4
"""Types of requests, for `select`."""

_to_msgpack = msgspec.msgpack.Encoder()
_to_json = msgspec.json.Encoder()


class Channels:
    """The names of a namespace's channels, as bytes. Names that are no text at all are kept apart as well."""

    __slots__ = ("all", "request", "response")

    def __init__(self, prefix: str, namespace: str) -> None:
        self.all = _bytes(f"{prefix}#{namespace}#")
        self.request = _bytes(f"{prefix}-request#{namespace}#")
        self.response = _bytes(f"{prefix}-response#{namespace}#")

    def room(self, room: str) -> bytes:
        """Where events for this room alone go."""
        return self.all + _bytes(room) + b"#"

    def broadcast(self, to: Selection) -> bytes:
        """Where an event goes."""
        if len(to.rooms) == 1:
            (room,) = to.rooms
            return self.room(room)
        return self.all

    def answer(self, uid: str) -> bytes:
        """Where only the node of this uid listens for answers."""
        return self.response + _bytes(uid) + b"#"


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


def broadcast(uid: str, namespace: str, event: str, args: Sequence[Any], to: Selection, flags: dict[str, Any]) -> bytes:
    """A broadcast."""
    return _msgpack([uid, _event(namespace, event, args), {**_options(to), "flags": flags}])


def broadcast_head(uid: str) -> bytes:
    """What all broadcasts of a node begin with: an array of three, and the uid."""
    return b"\x93" + _msgpack(uid)


def broadcast_with_ack(
    uid: str, request_id: str, namespace: str, event: str, args: Sequence[Any], to: Selection, timeout: float
) -> bytes:
    """A `BroadcastWithAck`; ``timeout`` in seconds."""
    opts = {**_options(to), "flags": {"timeout": int(timeout * 1000)}}
    packet = _event(namespace, event, args)
    return _msgpack({"uid": uid, "requestId": request_id, "type": 7, "packet": packet, "opts": opts})


def _event(namespace: str, event: str, args: Sequence[Any]) -> dict[str, Any]:
    return {"type": EVENT, "data": [event, *args], "nsp": namespace}


def _options(to: Selection) -> dict[str, Any]:
    return {"rooms": list(to.rooms), "except": list(to.except_)}


def select(type: int, uid: str | None, to: Selection, **more: Any) -> bytes:
    """A `Fetch`, `Join`, `Leave` or `Disconnect`, without uid from those who only publish."""
    head: dict[str, Any] = {} if uid is None else {"uid": uid}
    return _json({**head, "type": type, "opts": _options(to), **more})


def server_side_emit(uid: str, event: str, args: Sequence[Any], request_id: str | None = None) -> bytes:
    """A `ServerSideEmit`. Binary is among what cannot be sent."""
    if _holds_bytes(args):
        raise TypeError("server-side events travel as JSON: no binary")
    ask = {} if request_id is None else {"requestId": request_id}
    return _json({"uid": uid, **ask, "type": 6, "data": [event, *args]})


def response(request_id: str, **fields: Any) -> bytes:
    """A response in JSON."""
    return _json({"requestId": request_id, **fields})


def client_ack(request_id: str, value: Any) -> bytes:
    """What one client acknowledged, in msgpack."""
    return _msgpack({"type": CLIENT_ACK, "requestId": request_id, "packet": value})


def _holds_bytes(values: Iterable[Any]) -> bool:
    for value in values:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return True
        if isinstance(value, (list, tuple, dict)) and _holds_bytes(
            value.values() if isinstance(value, dict) else value
        ):
            return True
    return False


def _msgpack(value: Any) -> bytes:
    try:
        return _to_msgpack.encode(value)
    except (OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise TypeError(f"cannot be sent to other nodes: {error}") from None


def _json(value: Any) -> bytes:
    try:
        return _to_json.encode(value)
    except (OverflowError, RecursionError, UnicodeEncodeError) as error:
        raise TypeError(f"cannot be sent to other nodes: {error}") from None
