"""A proxy before Redis that gives the nodes some messages twice, and some too late."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress

from tests.proxy import Connection, Proxy

SHARE = 0.3  # of the messages that come twice, and as many late
LATE = 0.3  # s at most
_MESSAGES = (b"*3\r\n$7\r\nmessage\r\n", b"*4\r\n$8\r\npmessage\r\n")


class Bus(Proxy):
    """Passes everything on as it is, unless it is ``mixing``."""

    def __init__(self, seed: int) -> None:
        super().__init__(0, seed=seed)
        self.mixing = False
        self.doubled = self.delayed = 0
        self._mix = random.Random(seed)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection, *, up: bool
    ) -> None:
        if up:
            await super()._pump(reader, writer, connection, up=True)
            return
        replies = Replies()
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._through.wait()
                for reply in replies.feed(data):
                    if self.mixing and reply.startswith(_MESSAGES):
                        self._deliver(writer, reply)
                    else:
                        writer.write(reply)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.close()

    def _deliver(self, writer: asyncio.StreamWriter, reply: bytes) -> None:
        dice, loop = self._mix.random(), asyncio.get_running_loop()

        def late() -> None:
            if not writer.is_closing():
                writer.write(reply)

        if dice < 2 * SHARE:
            loop.call_later(self._mix.uniform(0, LATE), late)
        if dice < SHARE:
            self.doubled += 1
        elif dice < 2 * SHARE:
            self.delayed += 1
            return
        writer.write(reply)


class Replies:
    """Cuts what Redis says into whole replies. Pure.
    https://redis.io/docs/latest/develop/reference/protocol-spec/"""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The replies that are whole by now."""
        self._rest += data
        start = 0
        while (end := _end(self._rest, start)) is not None:
            yield self._rest[start:end]
            start = end
        self._rest = self._rest[start:]


def _end(data: bytes, start: int) -> int | None:
    """Where the reply ends that begins there, if it is whole."""
    line = data.find(b"\r\n", start)
    if line < 0:
        return None
    kind, head, end = data[start : start + 1], data[start + 1 : line], line + 2
    if kind == b"$" and head != b"-1":
        end += int(head) + 2
        return end if end <= len(data) else None
    for _ in range(int(head) if kind == b"*" else 0):
        found = _end(data, end)
        if found is None:
            return None
        end = found
    return end
