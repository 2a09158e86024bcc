"""Small TCP proxies for tests: one that does to connections what networks do, one that lets no WebSocket through."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 65_536
_SLICE = 0.05  # s: how often a slow connection is sent something


@dataclass(frozen=True, slots=True)
class Faults:
    """What a network does to connections. Ranges are drawn from for each of them; times in seconds.

    ``delay``: until a chunk arrives, in either direction; ``cut``: the life of a connection; ``cut_upgrade``: the
    share of Engine.IO upgrades that are cut in the middle, right after the request or within the probe that follows;
    ``slow``: bytes per second towards the client, for ``slow_share`` of the connections.
    """

    delay: tuple[float, float] = (0.0, 0.0)
    cut: tuple[float, float] | None = None
    cut_upgrade: float = 0.0
    slow: int | None = None
    slow_share: float = 1.0


HEALTHY = Faults()


@dataclass(eq=False, slots=True)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    delay: float
    rate: int | None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def cut(self) -> None:
        """Both ends learn of it by a reset; what is under way is gone."""
        for writer in (self.client, self.server):
            writer.transport.abort()


class Proxy:
    """A port of its own in front of ``127.0.0.1:target``, which may be away, and may change. Seeded.

    New `faults` hold for new connections; `blackhole` and `cut_all` for those that are there, too.
    """

    def __init__(self, target: int, faults: Faults = HEALTHY, seed: int = 0) -> None:
        self.target = target
        self.faults = faults
        self.accepted = self.cuts = self.upgrades_cut = 0
        self._dice = random.Random(seed)
        self._open: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._through = asyncio.Event()
        self._through.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1_024)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def blackhole(self) -> Iterator[None]:
        """Accepts everything and forwards nothing, while it lasts; then what waited goes on."""
        self._through.clear()
        try:
            yield
        finally:
            self._through.set()

    def cut_all(self) -> None:
        """Cuts every connection there is."""
        for connection in tuple(self._open):
            self._cut(connection)

    def _cut(self, connection: _Connection) -> None:
        self.cuts += connection in self._open
        connection.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        with suppress(asyncio.CancelledError):  # the proxy closes
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        faults, dice = self.faults, self._dice
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        slow = faults.slow is not None and dice.random() < faults.slow_share
        connection = _Connection(writer, up_writer, dice.uniform(*faults.delay), faults.slow if slow else None)
        self._open.add(connection)
        if faults.cut is not None:
            self._cut_after(connection, dice.uniform(*faults.cut))
        try:
            await asyncio.gather(
                self._pump(reader, up_writer, connection, up=True), self._pump(up_reader, writer, connection, up=False)
            )
        finally:
            self._open.discard(connection)
            for timer in connection.timers:
                timer.cancel()
            for end in (writer, up_writer):
                end.close()

    def _cut_after(self, connection: _Connection, seconds: float) -> None:
        connection.timers.append(asyncio.get_running_loop().call_later(seconds, self._cut, connection))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection, *, up: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if up and self.faults.cut_upgrade and _is_upgrade(data):
                    self._roll_for_upgrade(connection)
                if connection.delay:
                    await asyncio.sleep(connection.delay)
                if connection.rate is not None and not up:
                    await self._trickle(writer, data, connection.rate)
                    continue
                await self._through.wait()
                writer.write(data)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.close()

    async def _trickle(self, writer: asyncio.StreamWriter, data: bytes, rate: int) -> None:
        step = max(int(rate * _SLICE), 1)
        for start in range(0, len(data), step):
            await self._through.wait()
            writer.write(data[start : start + step])
            await writer.drain()
            await asyncio.sleep(_SLICE)

    def _roll_for_upgrade(self, connection: _Connection) -> None:
        if self._dice.random() < self.faults.cut_upgrade:
            self.upgrades_cut += 1
            self._cut_after(connection, self._dice.choice((0.0, self._dice.uniform(0, 0.05))))


def _is_upgrade(data: bytes) -> bool:
    """Whether this is the request of a session that changes from polling to WebSocket."""
    head, _, _ = data.partition(b"\r\n\r\n")
    line, _, headers = head.partition(b"\r\n")
    return line.startswith(b"GET ") and b"sid=" in line and b"upgrade: websocket" in headers.lower()


@asynccontextmanager
async def without_websocket(port: int) -> AsyncIterator[str]:
    """The URL of a proxy to ``127.0.0.1:port`` that answers every upgrade with 403, as some company networks do."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
            else:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
                up_writer.write(head)
                await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
        writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Gate:
    """What a proxy lets through just now."""

    def __init__(self) -> None:
        self.url = ""
        self.is_open = True
        self.sockets: set[asyncio.StreamWriter] = set()

    def open(self) -> None:
        """Everything."""
        self.is_open = True

    def shut(self) -> None:
        """Nothing of Socket.IO; what is open of it is cut."""
        self.is_open = False
        for writer in self.sockets:
            writer.transport.abort()


@asynccontextmanager
async def without_socket_io(port: int) -> AsyncIterator[Gate]:
    """A proxy to ``127.0.0.1:port`` that answers 403 to whatever is for ``/socket.io/`` while it is shut.

    One request per connection: the answer says so.
    """
    gate = Gate()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            socket = head.split(b" ", 2)[1].startswith(b"/socket.io/")
            if socket and not gate.is_open:
                writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                await writer.drain()
            else:
                if socket:
                    gate.sockets.add(writer)
                if b"upgrade: websocket" not in head.lower():
                    lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:")]
                    head = b"\r\n".join([lines[0], b"connection: close", *lines[1:]])
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
                up_writer.write(head)
                await asyncio.gather(_pump(reader, up_writer), _pump(up_reader, writer))
        gate.sockets.discard(writer)
        writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    gate.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield gate
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
