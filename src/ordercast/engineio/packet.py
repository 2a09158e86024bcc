"""Engine.IO packets of both protocol versions, pure. Several of them in one HTTP body: `payload.py`.

https://socket.io/docs/v4/engine-io-protocol/#packet-encoding
"""

from __future__ import annotations

import binascii
from collections.abc import Hashable
from enum import IntEnum

from ordercast.engineio.errors import PacketError
from ordercast.engineio.frames import BINARY, TEXT, encode_frame


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

    ``key``: where a client is far behind, only the newest packet of a key waits for it (`backlog.py`); ``None`` for a
    packet that always does. ``trailer``: a packet that closes each write which held this one; where there are several,
    that of the last. ``data`` is UTF-8 text, or raw bytes where ``binary`` is set (messages only).
    """

    __slots__ = ("_frame", "_frame_v3", "_payload", "_text_v3", "binary", "data", "key", "trailer", "type")

    def __init__(self, type: PacketType, data: bytes = b"", *, binary: bool = False) -> None:
        self.type = type
        self.data = data
        self.binary = binary
        self.key: Hashable | None = None
        self.trailer: Packet | None = None
        self._frame: bytes | None = None
        self._payload: bytes | None = None
        self._frame_v3: bytes | None = None
        self._text_v3: bytes | None = None

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

    @property
    def frame_v3(self) -> bytes:
        """The packet as one whole WebSocket frame of protocol 3, where binary ones carry their type too."""
        if not self.binary:
            return self.frame
        if self._frame_v3 is None:
            self._frame_v3 = encode_frame(BINARY, b"%c%b" % (self.type, self.data))
        return self._frame_v3

    @property
    def frame_v3_base64(self) -> bytes:
        """The same for a client that asked for base64."""
        if not self.binary:
            return self.frame
        return encode_frame(TEXT, b"b%d" % self.type + binascii.b2a_base64(self.data, newline=False))

    @property
    def text_v3(self) -> bytes:
        """A text packet as polling clients of protocol 3 get it, without its length."""
        if self._text_v3 is None:
            self._text_v3 = self._make_text_v3()
        return self._text_v3

    def _make_text_v3(self) -> bytes:
        return b"%d%b" % (self.type, self.data)

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


_TYPES = {str(int(type)): type for type in PacketType}


def decode_packet(text: str) -> tuple[PacketType, str]:
    """Type and data of a text packet. Raises `PacketError`."""
    try:
        return _TYPES[text[:1]], text[1:]
    except KeyError:
        raise PacketError("unknown packet type") from None
