"""Small TCP proxies for tests: one that does to connections what networks do, one that lets no WebSocket through."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

_CHUNK = 65_536
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
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
class Connection:
    """One that goes through a `Proxy`: its two ends."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    delay: float
    rate: int | None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def cut(self) -> None:
        """Both ends learn of it by a reset; what is under way is gone."""
        for writer in (self.client, self.server):
            writer.transport.abort()


@asynccontextmanager
async def _listening(serve: Callable[[_Streams], Awaitable[None]]) -> AsyncIterator[int]:
    """A port of 127.0.0.1 whose connections `serve` gets. At the end they end, also those nobody has served yet."""
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def serving(streams: _Streams) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(streams)

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def served(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            writers.discard(writer)
            writer.close()

        writers.add(writer)
        task = asyncio.create_task(serving((reader, writer)))
        tasks.add(task)
        task.add_done_callback(served)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, backlog=1_024)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in tuple(writers):  # accepted while the rest was ending
            writer.close()


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[_Streams]:
    """A connection to ``127.0.0.1:port``, closed at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


class Proxy:
    """A port of its own in front of ``127.0.0.1:target``, which may be away, and may change. Seeded.

    New `faults` hold for new connections; `blackhole` and `cut_all` for those that are there, too.
    """

    def __init__(self, target: int, faults: Faults = HEALTHY, seed: int = 0) -> None:
        self.target = target
        self.faults = faults
        self.accepted = self.cuts = self.upgrades_cut = 0
        self._dice = random.Random(seed)
        self._open: set[Connection] = set()
        self._life = AsyncExitStack()
        self._through = asyncio.Event()
        self._through.set()

    async def __aenter__(self) -> Self:
        self.port: int = await self._life.enter_async_context(_listening(self._serve))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._life.aclose()

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

    def _cut(self, connection: Connection) -> None:
        self.cuts += connection in self._open
        connection.cut()

    async def _serve(self, streams: _Streams) -> None:
        self.accepted += 1
        reader, writer = streams
        try:
            async with _connected(self.target) as up:
                await self._join(reader, writer, *up)
        except ConnectionRefusedError:
            writer.transport.abort()

    async def _join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        up_writer: asyncio.StreamWriter,
    ) -> None:
        faults, dice = self.faults, self._dice
        slow = faults.slow is not None and dice.random() < faults.slow_share
        connection = Connection(writer, up_writer, dice.uniform(*faults.delay), faults.slow if slow else None)
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

    def _cut_after(self, connection: Connection, seconds: float) -> None:
        connection.timers.append(asyncio.get_running_loop().call_later(seconds, self._cut, connection))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection, *, up: bool
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

    def _roll_for_upgrade(self, connection: Connection) -> None:
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

    async def serve(streams: _Streams) -> None:
        head = await streams[0].readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in head.lower():
            await _forbid(streams[1])
        else:
            await _relay(head, streams, port)

    async with _listening(serve) as own:
        yield f"http://127.0.0.1:{own}"


class Gate:
    """What a proxy lets through just now."""

    def __init__(self, url: str) -> None:
        self.url = url
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

    async def serve(streams: _Streams) -> None:
        head = await streams[0].readuntil(b"\r\n\r\n")
        socket = head.split(b" ", 2)[1].startswith(b"/socket.io/")
        if socket and not gate.is_open:
            await _forbid(streams[1])
            return
        if b"upgrade: websocket" not in head.lower():
            lines = [x for x in head.split(b"\r\n") if not x.lower().startswith(b"connection:")]
            head = b"\r\n".join([lines[0], b"connection: close", *lines[1:]])
        if socket:
            gate.sockets.add(streams[1])
        try:
            await _relay(head, streams, port)
        finally:
            gate.sockets.discard(streams[1])

    async with _listening(serve) as own:
        gate = Gate(f"http://127.0.0.1:{own}")
        yield gate


async def _forbid(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()


async def _relay(head: bytes, streams: _Streams, port: int) -> None:
    """Sends on what was read already, then whatever comes, in both directions."""
    async with _connected(port) as (up_reader, up_writer):
        up_writer.write(head)
        await asyncio.gather(_pump(streams[0], up_writer), _pump(up_reader, streams[1]))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()
