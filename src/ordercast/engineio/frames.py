"""WebSocket frames after RFC 6455, pure: bytes in, messages out, and back.

The `websockets` library's parser is not used because it keeps some 4 kB per connection (docs/decisions/0001).
"""

from __future__ import annotations

from collections.abc import Iterator

from websockets.speedups import apply_mask

from ordercast.engineio.errors import FrameError

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

NORMAL, PROTOCOL_ERROR, BAD_DATA, TOO_BIG = 1000, 1002, 1007, 1009
"""Close codes, section 7.4.1."""

_MAX_CONTROL = 125  # section 5.5
_SENDABLE_CODES = frozenset([*range(1000, 1004), *range(1007, 1015)])  # section 7.4.2, and the IANA registry


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """One final, unmasked frame, as servers send them (section 5.1)."""
    length = len(payload)
    if length < 126:
        return bytes((0x80 | opcode, length)) + payload
    if length < 65_536:
        return bytes((0x80 | opcode, 126, length >> 8, length & 0xFF)) + payload
    return bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big") + payload


def encode_close(code: int = NORMAL, reason: str = "") -> bytes:
    """A close frame (section 5.5.1); a longer reason is cut, between characters."""
    cut = reason.encode()[: _MAX_CONTROL - 2].decode(errors="ignore")
    return encode_frame(CLOSE, code.to_bytes(2, "big") + cut.encode())


def parse_close(payload: bytes) -> int:
    """The code of a received close frame; 1005 where it has none. Raises `FrameError` for a malformed one."""
    if not payload:
        return 1005
    if len(payload) == 1:
        raise FrameError(PROTOCOL_ERROR, "close frame with one byte")
    code = int.from_bytes(payload[:2], "big")
    if code not in _SENDABLE_CODES and not 3000 <= code < 5000:
        raise FrameError(PROTOCOL_ERROR, "close code that must not be sent")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise FrameError(BAD_DATA, "close reason is not UTF-8") from None
    return code


class FrameParser:
    """Turns what a client sends into messages.

    ``max_message`` bounds a whole message in bytes, however many fragments it comes in; ``max_fragments`` their
    number, since each empty one costs memory too.
    """

    __slots__ = ("_buffer", "_fragments", "_opcode", "_size", "max_fragments", "max_message")

    def __init__(self, max_message: int, max_fragments: int = 128) -> None:
        self.max_message = max_message
        self.max_fragments = max_fragments
        self._buffer: bytearray | None = None
        self._fragments: list[bytes] | None = None
        self._opcode = 0
        self._size = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, str | bytes]]:
        """Yields ``(opcode, payload)`` of each message and control frame that ``data`` completes.

        ``payload`` is ``str`` for TEXT, else ``bytes``. Raises `FrameError` where the peer breaks the protocol;
        what came before it has been yielded by then.
        """
        chunk: bytes | bytearray = data
        if self._buffer is not None:
            self._buffer += data
            chunk = self._buffer
        position, end = 0, len(chunk)
        while end - position >= 2:
            frame = self._frame(chunk, position, end)
            if frame is None:
                break
            position, fin, opcode, payload = frame
            message = self._message(fin, opcode, payload)
            if message is not None:
                yield message
        # A connection at rest keeps no buffer at all.
        self._buffer = bytearray(chunk[position:]) if position < end else None

    def _frame(self, data: bytes | bytearray, start: int, end: int) -> tuple[int, bool, int, bytes] | None:
        """The frame at ``start``: where it ends, FIN, opcode, unmasked payload; ``None`` if it is not whole yet."""
        first, second = data[start], data[start + 1]
        opcode, length = first & 0x0F, second & 0x7F
        if first & 0x70:
            raise FrameError(PROTOCOL_ERROR, "reserved bits set")
        if not second & 0x80:
            raise FrameError(PROTOCOL_ERROR, "unmasked frame from a client")
        position = start + 2
        if opcode & 0x8:
            if opcode > PONG:
                raise FrameError(PROTOCOL_ERROR, "unknown opcode")
            if length > _MAX_CONTROL or not first & 0x80:
                raise FrameError(PROTOCOL_ERROR, "fragmented or overlong control frame")
        elif opcode > BINARY:
            raise FrameError(PROTOCOL_ERROR, "unknown opcode")
        elif length == 126:
            if end - position < 2:
                return None
            length = int.from_bytes(data[position : position + 2], "big")
            position += 2
        elif length == 127:
            if end - position < 8:
                return None
            length = int.from_bytes(data[position : position + 8], "big")
            position += 8
        # Refused before it has come: a frame that announces gigabytes must not make us wait for them.
        if not opcode & 0x8 and length + self._size > self.max_message:
            raise FrameError(TOO_BIG, f"message of more than {self.max_message} bytes")
        stop = position + 4 + length
        if end < stop:
            return None
        payload = apply_mask(data[position + 4 : stop], data[position : position + 4]) if length else b""
        return stop, bool(first & 0x80), opcode, payload

    def _message(self, fin: bool, opcode: int, payload: bytes) -> tuple[int, str | bytes] | None:
        """The message that this frame completes, if it does (section 5.4)."""
        if opcode & 0x8:
            return opcode, payload
        if opcode == CONTINUATION:
            if self._fragments is None:
                raise FrameError(PROTOCOL_ERROR, "continuation of nothing")
            self._fragments.append(payload)
            self._size += len(payload)
            if len(self._fragments) > self.max_fragments:
                raise FrameError(TOO_BIG, f"message of more than {self.max_fragments} fragments")
            if not fin:
                return None
            opcode, payload = self._opcode, b"".join(self._fragments)
            self._fragments, self._size = None, 0
        elif self._fragments is not None:
            raise FrameError(PROTOCOL_ERROR, "new message inside a fragmented one")
        elif not fin:
            self._fragments, self._opcode, self._size = [payload], opcode, len(payload)
            return None
        if opcode == BINARY:
            return opcode, payload
        try:
            return opcode, payload.decode()
        except UnicodeDecodeError:
            raise FrameError(BAD_DATA, "text that is not UTF-8") from None
