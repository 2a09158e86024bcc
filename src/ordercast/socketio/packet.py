"""Socket.IO packets, pure: protocol 5, and protocol 4 of clients before 3.0, which differs in how it connects.

https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import msgspec

from ordercast.engineio import Packet as EnginePacket
from ordercast.engineio import PacketType as EngineType
from ordercast.socketio.errors import PacketError

RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
"""Event names that neither side may send (https://socket.io/docs/v4/emit-cheatsheet/#reserved-events)."""

_MAX_ID_DIGITS = 15  # an acknowledgement id is a JavaScript number
_DIGITS = "0123456789"


class PacketType(IntEnum):
    """The digit in front of a packet."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@dataclass(slots=True)
class Packet:
    """A received packet. ``attachments`` counts the binary messages that complete it."""

    type: PacketType
    nsp: str
    data: Any = None
    id: int | None = None
    attachments: int = 0


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Characters as JSON escapes them (RFC 8259, section 7), past U+FFFF as a surrogate pair."""
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)), error.end


codecs.register_error("ordercast.json", _escape)


class TextPacket(EnginePacket):
    """A Socket.IO packet's text. Over polling, protocol 3 gets it in ASCII: clients before 2.0 decode it twice there,
    later ones once, nothing tells them apart, and ASCII is the same to both."""

    __slots__ = ()

    def _make_text_v3(self) -> bytes:
        text = super()._make_text_v3()
        return text if text.isascii() else text.decode().encode("ascii", "ordercast.json")


_decode_json = msgspec.json.Decoder().decode
_encode_json = msgspec.json.Encoder().encode


def check_event_name(event: str) -> None:
    """Raises ``ValueError`` for a name that the protocol keeps for itself."""
    if event in RESERVED:
        raise ValueError(f"'{event}' is a reserved event name")


def encode(type: PacketType, nsp: str = "/", data: Any = None, id: int | None = None) -> list[EnginePacket]:
    """The engine packets of one packet: the text, then its attachments.

    ``bytes`` anywhere in an event's or acknowledgement's ``data`` travel as attachments. Raises ``TypeError``
    for what JSON cannot hold.
    """
    buffers: list[bytes] = []
    if type in (PacketType.EVENT, PacketType.ACK) and _has_binary(data):
        data = _take_out(data, buffers)
        type = PacketType.BINARY_EVENT if type is PacketType.EVENT else PacketType.BINARY_ACK
    head = str(int(type))
    if buffers:
        head += f"{len(buffers)}-"
    if nsp != "/":
        head += nsp + ","
    if id is not None:
        head += str(id)
    text = head.encode() if data is None else head.encode() + _encode_json(data)
    # A namespace's name is no JSON and cannot be escaped: clients since 2.0 understand it as it is.
    first = (TextPacket if nsp.isascii() else EnginePacket)(EngineType.MESSAGE, text)
    return [first, *(EnginePacket(EngineType.MESSAGE, buffer, binary=True) for buffer in buffers)]


def _has_binary(data: Any) -> bool:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return True
    if isinstance(data, dict):
        return any(_has_binary(value) for value in data.values())
    if isinstance(data, (list, tuple)):
        return any(_has_binary(value) for value in data)
    return False


def _take_out(data: Any, buffers: list[bytes]) -> Any:
    if isinstance(data, (bytes, bytearray, memoryview)):
        buffers.append(bytes(data))
        return {"_placeholder": True, "num": len(buffers) - 1}
    if isinstance(data, dict):
        return {key: _take_out(value, buffers) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_take_out(value, buffers) for value in data]
    return data


def decode(text: str, max_depth: int = 32, max_digits: int = 1_024) -> Packet:
    """Reads a text packet and checks that it is one a client may send. Raises `PacketError`.

    ``max_depth``: levels of lists and objects in the payload; ``max_digits``: of its largest whole number.
    """
    try:
        type = PacketType(_DIGITS.index(text[0]))
    except (IndexError, ValueError):
        raise PacketError("unknown packet type") from None
    i = 1
    attachments = 0
    if type in (PacketType.BINARY_EVENT, PacketType.BINARY_ACK):
        dash = text.find("-", i, i + 10)
        count = text[i:dash]
        if dash < 0 or not (count.isascii() and count.isdigit()):
            raise PacketError("no attachment count")
        attachments, i = int(count), dash + 1
    nsp = "/"
    if text[i : i + 1] == "/":
        comma = text.find(",", i)
        nsp, i = (text[i:], len(text)) if comma < 0 else (text[i:comma], comma + 1)
    start = i
    while text[i : i + 1] in _DIGITS and i < len(text):
        i += 1
        if i - start > _MAX_ID_DIGITS:
            raise PacketError("acknowledgement id too large")
    id = int(text[start:i]) if i > start else None
    data = None
    if i < len(text):
        try:
            data = _decode_json(text[i:])
        except (ValueError, RecursionError):  # ValueError: not JSON, and numbers of more digits than Python reads
            raise PacketError("payload is not JSON") from None
        _check_limits(text, data, max_depth, max_digits)
    packet = Packet(type, nsp, data, id, attachments)
    _check(packet)
    return packet


def _check_limits(text: str, data: Any, max_depth: int, max_digits: int) -> None:
    """Looks into the payload only where its text could hold something past a limit: nearly never."""
    if text.count("[") + text.count("{") <= max_depth and len(text) <= max_digits:
        return
    limit = 10**max_digits
    level, depth = [data], 0
    while level:
        if any(type(value) is int and abs(value) >= limit for value in level):
            raise PacketError(f"number of more than {max_digits} digits")
        containers = [value for value in level if isinstance(value, (dict, list))]
        depth += bool(containers)
        if depth > max_depth:
            raise PacketError(f"payload nested deeper than {max_depth} levels")
        level = [inner for outer in containers for inner in (outer.values() if isinstance(outer, dict) else outer)]


def _check(packet: Packet) -> None:
    data = packet.data
    match packet.type:
        case PacketType.CONNECT:
            valid = data is None or isinstance(data, dict)
        case PacketType.DISCONNECT:
            valid = data is None
        case PacketType.EVENT | PacketType.BINARY_EVENT:
            valid = isinstance(data, list) and bool(data) and _is_event_name(data[0])
        case PacketType.ACK | PacketType.BINARY_ACK:
            valid = isinstance(data, list) and packet.id is not None
        case _:
            valid = False  # CONNECT_ERROR comes from servers only
    if not valid:
        raise PacketError(f"invalid {packet.type.name} payload")


def _is_event_name(name: object) -> bool:
    return isinstance(name, str) and name not in RESERVED


def put_back(data: Any, buffers: Sequence[bytes]) -> Any:
    """Replaces the placeholders of a binary packet by its attachments. Raises `PacketError`."""
    try:
        return _put_back(data, buffers)
    except RecursionError:
        raise PacketError("payload nested too deep") from None


def _put_back(data: Any, buffers: Sequence[bytes]) -> Any:
    if isinstance(data, dict):
        if data.get("_placeholder") is True:
            num = data.get("num")
            if type(num) is not int or not 0 <= num < len(buffers):
                raise PacketError("placeholder of no attachment")
            return buffers[num]
        return {key: _put_back(value, buffers) for key, value in data.items()}
    if isinstance(data, list):
        return [_put_back(value, buffers) for value in data]
    return data
