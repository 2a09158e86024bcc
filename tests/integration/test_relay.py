"""A relayed WebSocket waits for whoever reads slowly, on either side, and keeps next to nothing meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from websockets.frames import Opcode

from ordercast.engineio.relay import End
from ordercast.socketio import Socket
from tests.wire import ACCEPT, PATIENCE, Site, frame, running

LITTLE = 1_000_000
"""Bytes that an end may keep: one read beyond the mark (64 kB) from which on it asks the other to wait."""

EVENT = "x" * 60_000
EVENTS = 200
MUCH = 60_000_000  # bytes: more than the kernel keeps of two connections


def _port(site: Site) -> int:
    port: int = site.uvicorn.servers[0].sockets[0].getsockname()[1]
    return port


def _end(site: Site) -> End:
    """The client's end of the one WebSocket that is relayed."""
    connections: set[Any] = site.uvicorn.server_state.connections  # uvicorn names protocols of its own alone
    (end,) = (each for each in connections if isinstance(each, End))
    return end


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - buffers tell nobody
            await asyncio.sleep(0.001)


def _waiting(end: End) -> tuple[bool, int]:
    """Whether an end has stopped to read, and how many bytes wait to be written to the other one."""
    assert end.transport is not None
    assert end.other is not None
    assert end.other.transport is not None
    return not end.transport.is_reading(), end.other.transport.get_write_buffer_size()


async def test_events_wait_at_their_node_for_a_client_that_reads_slowly() -> None:
    async with running(node="a") as a, running(node="b") as b:
        b.io.engine.locate = lambda name: f"127.0.0.1:{_port(a)}"
        joined: asyncio.Queue[Socket] = asyncio.Queue()
        a.io.on("connection", joined.put_nowait)
        _, opened = await a.get("/socket.io/?EIO=4&transport=polling")
        sid = opened[1:].split(b'"')[3].decode()
        wire = await b.websocket(f"/socket.io/?EIO=4&transport=websocket&sid={sid}")
        wire.write(frame(Opcode.TEXT, b"2probe"))
        assert await wire.frame() == (Opcode.TEXT, b"3probe")
        wire.write(frame(Opcode.TEXT, b"5") + frame(Opcode.TEXT, b"40"))
        async with asyncio.timeout(PATIENCE):
            socket = await joined.get()
        assert (await wire.frame())[1].startswith(b'40{"sid"')
        session = a.io.engine.sessions[sid]
        node = _end(b).other
        assert node is not None
        sent = 0
        while session.backlog is None:  # the node itself notices that this client does not read
            assert sent < EVENTS
            socket.emit("event", sent, EVENT)
            sent += 1
            await asyncio.sleep(0.005)
        stopped, kept = _waiting(node)
        assert stopped
        assert kept < LITTLE
        for number in range(sent):
            _, payload = await wire.frame()
            assert payload.startswith(b'42["event",%d,' % number)
        await _until(lambda: session.backlog is None)
        socket.emit("event", "at last")
        assert await wire.frame() == (Opcode.TEXT, b'42["event","at last"]')


async def test_a_client_that_sends_waits_for_a_node_that_reads_slowly() -> None:
    arrived: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.put_nowait((reader, writer))

    async with running(node="b") as b, await asyncio.start_server(slow, "127.0.0.1", 0) as node:
        b.io.engine.locate = lambda name: f"127.0.0.1:{node.sockets[0].getsockname()[1]}"
        wire = await b.ask_websocket("/socket.io/?EIO=4&transport=websocket&sid=a.far")
        async with asyncio.timeout(PATIENCE):
            reader, writer = await arrived.get()
            assert b"x-ordercast-passed-on: 1" in await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n".encode())
        assert (await wire.head())[0] == 101
        wire.write(data := hashlib.shake_128(b"").digest(MUCH))
        await _until(lambda: _waiting(_end(b))[0])
        assert _waiting(_end(b))[1] < LITTLE
        unsent = wire.writer.transport.get_write_buffer_size()
        assert unsent > MUCH // 2
        async with asyncio.timeout(PATIENCE):
            assert await reader.readexactly(MUCH) == data
        writer.close()
