"""Polling payloads of both protocol versions, pure: several packets in one HTTP body.

Version 4: https://socket.io/docs/v4/engine-io-protocol/#http-long-polling-1
Version 3: https://github.com/socketio/engine.io-protocol/tree/v3#payload
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator

from ordercast.engineio.errors import PacketError
from ordercast.engineio.packet import Packet, PacketType, decode_packet

SEPARATOR = "\x1e"
"""Between the packets of a version 4 payload."""

_MAX_LENGTH_DIGITS = 9  # of a version 3 packet; payloads are bounded long before that

Received = tuple[PacketType, str | bytes]
"""A packet from a client: text, or a binary message."""


# -- version 4 ---------------------------------------------------------------------------------------------------


def encode_payload(packets: Iterable[Packet]) -> bytes:
    """The body of a polling response."""
    return b"\x1e".join([packet.payload for packet in packets])


def decode_payload(body: str, max_packets: int) -> Iterator[Received]:
    """The packets of a polling request, in order. Raises `PacketError` at the first that is none."""
    parts = body.split(SEPARATOR, max_packets)
    if len(parts) > max_packets:
        raise _too_many(max_packets)
    for part in parts:
        if part[:1] == "b":
            yield PacketType.MESSAGE, _base64(part[1:])
        else:
            yield decode_packet(part)


# -- version 3 ---------------------------------------------------------------------------------------------------


def encode_payload_v3(packets: Iterable[Packet], base64: bool) -> tuple[bytes, bool]:
    """The body of a polling response, and whether it is in the binary form: only where a binary packet asks for it
    and the client did not ask for ``base64``."""
    packets = list(packets)
    if not base64 and any(packet.binary for packet in packets):
        return b"".join(map(_binary_form, packets)), True
    return b"".join(map(_text_form, packets)), False


def _text_form(packet: Packet) -> bytes:
    """``<length>:<packet>``, the length in UTF-16 units, as JavaScript counts."""
    text = b"b4" + binascii.b2a_base64(packet.data, newline=False) if packet.binary else packet.text_v3
    units = len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) // 2
    return b"%d:%b" % (units, text)


def _binary_form(packet: Packet) -> bytes:
    """0 for text or 1 for binary, the length's digits as bytes of their values, 255, the packet."""
    content = bytes((PacketType.MESSAGE,)) + packet.data if packet.binary else packet.text_v3
    digits = bytes(int(digit) for digit in str(len(content)))
    return bytes((packet.binary,)) + digits + b"\xff" + content


def decode_payload_v3(text: str, max_packets: int) -> Iterator[Received]:
    """The packets of a polling request in text form, in order. Raises `PacketError` at the first that is none."""
    # Lengths are in UTF-16 units; where every character is one unit, slicing the text itself is the same.
    wide = not text.isascii() and any(character > "\uffff" for character in text)
    units = text.encode("utf-16-le") if wide else b""
    total = len(units) // 2 if wide else len(text)
    position = count = 0
    while position < total:
        colon = units.find(b":\0", 2 * position) // 2 if wide else text.find(":", position)
        digits = _text_of(units[2 * position : 2 * colon]) if wide else text[position:colon]
        if colon < position or not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_LENGTH_DIGITS:
            raise PacketError("no packet length")
        start, position = colon + 1, colon + 1 + int(digits)
        if position > total or position == start:
            raise PacketError("packet length that does not fit")
        count += 1
        if count > max_packets:
            raise _too_many(max_packets)
        packet = _text_of(units[2 * start : 2 * position]) if wide else text[start:position]
        yield decode_packet_v3(_undo_double_utf8(packet))
    if not count:
        raise PacketError("empty payload")


def _text_of(units: bytes) -> str:
    try:
        return units.decode("utf-16-le")
    except UnicodeDecodeError:
        raise PacketError("packet length that cuts a character") from None


def _undo_double_utf8(packet: str) -> str:
    """Clients before 2.0 encode a polling payload's text twice; theirs is the only text where that can be undone."""
    if packet.isascii() or any(character > "\xff" for character in packet):
        return packet
    try:
        return packet.encode("latin-1").decode()
    except UnicodeDecodeError:
        return packet


def decode_binary_payload_v3(body: bytes, max_packets: int) -> Iterator[Received]:
    """The same for the binary form, which comes as ``application/octet-stream``."""
    position = count = 0
    while position < len(body):
        kind, end = body[position], body.find(b"\xff", position + 1)
        digits = body[position + 1 : end]
        if kind > 1 or end < 0 or not 0 < len(digits) <= _MAX_LENGTH_DIGITS or any(digit > 9 for digit in digits):
            raise PacketError("no packet length")
        length = int("".join(map(str, digits)))
        start, position = end + 1, end + 1 + length
        if position > len(body) or not length:
            raise PacketError("packet length that does not fit")
        count += 1
        if count > max_packets:
            raise _too_many(max_packets)
        content = body[start:position]
        yield binary_packet_v3(content) if kind else decode_packet(_text(content))
    if not count:
        raise PacketError("empty payload")


def decode_packet_v3(text: str) -> Received:
    """A text packet, which may be a binary one in base64. Raises `PacketError`."""
    if text[:2] == "b4":
        return PacketType.MESSAGE, _base64(text[2:])
    return decode_packet(text)


def binary_packet_v3(content: bytes) -> Received:
    """A binary packet: its type as the first byte. Raises `PacketError` for anything but a message."""
    if content[:1] != b"\x04":
        raise PacketError("binary packet that is no message")
    return PacketType.MESSAGE, content[1:]


# -- both --------------------------------------------------------------------------------------------------------


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise PacketError("not UTF-8") from None


def _base64(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise PacketError("bad base64") from None


def _too_many(max_packets: int) -> PacketError:
    return PacketError(f"more than {max_packets} packets in one payload")
