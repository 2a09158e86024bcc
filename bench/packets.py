"""What a server's bytes say: WebSocket frames, and the Socket.IO events in them that a benchmark counts.

The same event comes to thousands of clients as the same bytes, so what was read once is remembered: reading costs one
look-up per client where the server's writes look alike, and less than half a microsecond per event where they do not.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from websockets.speedups import apply_mask

Key = tuple[bytes, int]
"""An event's order and version."""

_MEMORY = 32_000_000  # bytes of remembered input
CHANGES = re.compile(rb'42\["order:(?:status_changed|updated)",')
"""The events that are counted, unless a reader is told to count others."""
NONE = re.compile(rb"(?!)")
"""Counts none, so that every event is among `Chunk.others`, to be read whole."""
_KEY = re.compile(rb'"orderId":"?([^",]+)"?,.*?"version":(\d+)')


class Chunk(NamedTuple):
    """Some input: events in it, heartbeats to answer, other packets, and what is not complete yet."""

    keys: tuple[Key, ...]
    pings: int
    others: tuple[bytes, ...]
    closed: bool
    rest: bytes


class Reader:
    """Shared by all clients of a crowd."""

    def __init__(self, counted: re.Pattern[bytes] = CHANGES) -> None:
        self._counted = counted
        self._known: dict[bytes, Chunk] = {}
        self._size = 0

    def read(self, data: bytes) -> Chunk:
        """Takes a client's input from the beginning of a frame."""
        chunk = self._known.get(data)
        if chunk is None:
            if self._size > _MEMORY:
                self._known.clear()
                self._size = 0
            chunk = self._known[data] = parse(data, self._counted)
            self._size += len(data) + 100
        return chunk


def parse(data: bytes, counted: re.Pattern[bytes] = CHANGES) -> Chunk:
    """See `Reader.read`. RFC 6455, section 5.2; servers send unmasked, and none of ours in fragments."""
    keys: list[Key] = []
    others: list[bytes] = []
    pings = position = 0
    closed = False
    size = len(data)
    while size - position >= 2:
        length, start = data[position + 1], position + 2
        if length == 126:
            if size < start + 2:
                break
            length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        elif length == 127:
            if size < start + 8:
                break
            length, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        end = start + length
        if end > size:
            break
        opcode = data[position] & 0x0F
        position = end
        if opcode == 8:
            closed = True
        elif opcode == 1:
            if counted.match(data, start, end):
                if (found := _KEY.search(data, start, end)) is not None:
                    keys.append((found[1], int(found[2])))
            elif data[start:end] == b"2":
                pings += 1
            else:
                others.append(data[start:end])
    return Chunk(tuple(keys), pings, tuple(others), closed, data[position:])


def read_payload(payload: bytes) -> Chunk:
    """What a long-polling response carries: packets between record separators."""
    keys: list[Key] = []
    others: list[bytes] = []
    pings = 0
    closed = False
    for packet in payload.split(b"\x1e"):
        if CHANGES.match(packet):
            if (found := _KEY.search(packet)) is not None:
                keys.append((found[1], int(found[2])))
        elif packet == b"2":
            pings += 1
        elif packet == b"1":
            closed = True
        else:
            others.append(packet)
    return Chunk(tuple(keys), pings, tuple(others), closed, b"")


def masked(text: bytes) -> bytes:
    """A client's text frame (RFC 6455, section 5.2)."""
    mask = os.urandom(4)
    head = bytes((0x81, 0x80 | len(text))) if len(text) < 126 else b"\x81\xfe" + len(text).to_bytes(2, "big")
    return head + mask + apply_mask(text, mask)
