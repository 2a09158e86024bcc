"""A uvicorn on the test's own loop, and connections to it that speak bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from websockets.frames import Frame, Opcode

from ordercast.engineio.asgi import Receive, Send
from ordercast.socketio import Server

NONCE, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3
PATIENCE = 60.0  # s for anything to arrive at all; no test is decided by it


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame, made by the `websockets` library."""
    return Frame(Opcode(opcode), payload, fin).serialize(mask=True)


class Wire:
    """One TCP connection to the site."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[str, str]]:
        """An answer's status and headers."""
        async with asyncio.timeout(PATIENCE):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:-2])
        return int(lines[0].split(" ")[1]), {name.lower(): value for name, value in headers.items()}

    async def answer(self) -> tuple[int, bytes]:
        """An answer's status and body."""
        status, headers = await self.head()
        async with asyncio.timeout(PATIENCE):
            return status, await self.reader.readexactly(int(headers["content-length"]))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload. The server's frames are whole and unmasked."""
        async with asyncio.timeout(PATIENCE):
            first, second = await self.reader.readexactly(2)
            assert first & 0xF0 == 0x80
            assert not second & 0x80
            size = {126: 2, 127: 8}.get(second, 0)
            length = int.from_bytes(await self.reader.readexactly(size), "big") if size else second
            return first & 0x0F, await self.reader.readexactly(length)

    async def closed(self) -> tuple[int, str]:
        """The close frame that comes next: its code and reason."""
        opcode, payload = await self.frame()
        assert opcode == Opcode.CLOSE
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def rest(self) -> bytes:
        """Everything until the connection ends; a reset is an end too."""
        parts = []
        async with asyncio.timeout(PATIENCE):
            try:
                while part := await self.reader.read(65_536):
                    parts.append(part)
            except ConnectionError:
                pass
        return b"".join(parts)


class Site:
    """The server's two faces, and how to reach it."""

    def __init__(self, io: Server, uvicorn_server: uvicorn.Server) -> None:
        self.io = io
        self.uvicorn = uvicorn_server
        self._wires: list[Wire] = []

    async def connect(self) -> Wire:
        host, port = self.uvicorn.servers[0].sockets[0].getsockname()
        wire = Wire(*await asyncio.open_connection(host, port))
        self._wires.append(wire)
        return wire

    async def get(self, target: str) -> tuple[int, bytes]:
        """One GET on a connection of its own."""
        wire = await self.connect()
        wire.write(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n".encode())
        return await wire.answer()

    async def ask_websocket(
        self, target: str = "/socket.io/?EIO=4&transport=websocket", *, method: str = "GET", **headers: str
    ) -> Wire:
        """Sends a WebSocket handshake; ``headers`` are added or, with ``""``, left out."""
        wire = await self.connect()
        named = {
            "Host": "shop.example",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": NONCE,
            "Sec-WebSocket-Version": "13",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
        wire.write(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode())
        return wire

    async def websocket(self, target: str = "/socket.io/?EIO=4&transport=websocket") -> Wire:
        """A WebSocket past its handshake."""
        wire = await self.ask_websocket(target)
        status, headers = await wire.head()
        assert status == 101
        assert headers["sec-websocket-accept"] == ACCEPT
        return wire

    async def session(self) -> Wire:
        """A WebSocket past its OPEN packet."""
        wire = await self.websocket()
        opcode, payload = await wire.frame()
        assert (opcode, payload[:1]) == (Opcode.TEXT, b"0")
        return wire

    def close_wires(self) -> None:
        for wire in self._wires:
            wire.writer.transport.abort()


@asynccontextmanager
async def running(direct: bool = True, **options: Any) -> AsyncIterator[Site]:
    """A Socket.IO server with ``options`` beside an application of one's own: an echo, over HTTP and WebSocket.

    ``direct``: with our protocol classes; else through plain ASGI.
    """
    io = Server(**options)

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"].rstrip("/") == "/socket.io":
            await io(scope, receive, send)
        elif scope["type"] == "websocket":
            await _echo_websocket(receive, send)
        else:
            await _echo(receive, send)

    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        lifespan="off",
        log_config=None,
        access_log=False,
        loop="none",
        timeout_graceful_shutdown=1,
        **(io.uvicorn_settings() if direct else {"ws": "websockets-sansio"}),
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    async with asyncio.timeout(PATIENCE):
        while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait on
            await asyncio.sleep(0.001)
    site = Site(io, server)
    try:
        yield site
    finally:
        site.close_wires()
        await io.close(grace=0)
        server.should_exit = True
        await task


async def _echo(receive: Receive, send: Send) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        more = message["more_body"]
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


async def _echo_websocket(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
