"""Engine.IO packets and payloads, pure.

https://socket.io/docs/v4/engine-io-protocol/#packet-encoding
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from enum import IntEnum

from ordercast.engineio.errors import PacketError
from ordercast.engineio.frames import BINARY, TEXT, encode_frame

SEPARATOR = "\x1e"
"""Between the packets of a polling payload."""


class PacketType(IntEnum):
    """The digit in front of a packet."""

    OPEN = 0
    CLOSE = 1
    PING = 2
    PONG = 3
    MESSAGE = 4
    UPGRADE = 5
    NOOP = 6


class Packet:
    """A packet to be sent, to one client or to a thousand: each of its encodings is made once, when first asked for.

    ``data`` is UTF-8 text, or raw bytes where ``binary`` is set (messages only).
    """

    __slots__ = ("_frame", "_payload", "binary", "data", "type")

    def __init__(self, type: PacketType, data: bytes = b"", *, binary: bool = False) -> None:
        self.type = type
        self.data = data
        self.binary = binary
        self._frame: bytes | None = None
        self._payload: bytes | None = None

    @property
    def frame(self) -> bytes:
        """The packet as one whole WebSocket frame."""
        if self._frame is None:
            if self.binary:
                self._frame = encode_frame(BINARY, self.data)
            else:
                self._frame = encode_frame(TEXT, b"%d%b" % (self.type, self.data))
        return self._frame

    @property
    def payload(self) -> bytes:
        """The packet as part of a polling payload."""
        if self._payload is None:
            if self.binary:
                self._payload = b"b" + binascii.b2a_base64(self.data, newline=False)
            else:
                self._payload = b"%d%b" % (self.type, self.data)
        return self._payload

    def __len__(self) -> int:
        """What the packet weighs in a queue, in bytes."""
        return len(self.data) + 1

    def __repr__(self) -> str:
        return f"Packet({self.type.name}, {self.data[:40]!r}{', binary' if self.binary else ''})"


PING = Packet(PacketType.PING)
CLOSE = Packet(PacketType.CLOSE)
NOOP = Packet(PacketType.NOOP)
PROBE_REPLY = Packet(PacketType.PONG, b"probe")


def message(data: str | bytes) -> Packet:
    """A MESSAGE packet: text from a ``str``, binary from ``bytes``."""
    if isinstance(data, str):
        return Packet(PacketType.MESSAGE, data.encode())
    return Packet(PacketType.MESSAGE, data, binary=True)


def encode_payload(packets: Iterable[Packet]) -> bytes:
    """The body of a polling response."""
    return b"\x1e".join([packet.payload for packet in packets])


_TYPES = {str(int(type)): type for type in PacketType}


def decode_packet(text: str) -> tuple[PacketType, str]:
    """Type and data of a text packet. Raises `PacketError`."""
    try:
        return _TYPES[text[:1]], text[1:]
    except KeyError:
        raise PacketError("unknown packet type") from None


def decode_payload(body: str, max_packets: int) -> Iterator[tuple[PacketType, str | bytes]]:
    """The packets of a polling request, in order. Raises `PacketError` at the first that is none."""
    parts = body.split(SEPARATOR, max_packets)
    if len(parts) > max_packets:
        raise PacketError(f"more than {max_packets} packets in one payload")
    for part in parts:
        if part[:1] == "b":
            try:
                yield PacketType.MESSAGE, binascii.a2b_base64(part[1:], strict_mode=True)
            except ValueError:
                raise PacketError("bad base64") from None
        else:
            yield decode_packet(part)
