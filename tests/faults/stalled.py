"""Operators whose pages are stuck: they connect and never read again. Half of them still answer heartbeats."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from websockets.frames import Frame, Opcode

from tests.shop import old_token

BUFFER = 16_384  # bytes that their kernel takes for them: between two processes on one machine it would be megabytes
PONGS = 1.0  # s between them
_HELLO = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Stalled:
    """So many of them, on nodes at these ports of 127.0.0.1."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._sockets: list[socket.socket] = []
        self._life = AsyncExitStack()

    async def come(self, ports: Sequence[int]) -> None:
        """They are connected when this returns."""
        token = old_token("stuck", "operator")
        for number in range(self._count):
            self._sockets.append(await _connect(ports[number % len(ports)], token))
        ponging = asyncio.create_task(self._pong())
        self._life.callback(ponging.cancel)

    async def _pong(self) -> None:
        pong = Frame(Opcode.TEXT, b"3").serialize(mask=True)
        while True:
            await asyncio.sleep(PONGS)
            for each in self._sockets[::2]:
                with suppress(OSError):
                    each.send(pong)

    async def go(self) -> None:
        """They are gone."""
        await self._life.aclose()
        for each in self._sockets:
            each.close()
        self._sockets.clear()


async def _connect(port: int, token: str) -> socket.socket:
    loop = asyncio.get_running_loop()
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    one.setblocking(False)
    await loop.sock_connect(one, ("127.0.0.1", port))
    await loop.sock_sendall(one, _HELLO.format(port=port).encode())
    await _until(one, b"sid")
    connect = b'40{"token":"%b"}' % token.encode()
    await loop.sock_sendall(one, Frame(Opcode.TEXT, connect).serialize(mask=True))
    await _until(one, b"40{")
    return one


async def _until(one: socket.socket, words: bytes) -> None:
    said = b""
    async with asyncio.timeout(60):
        while words not in said:
            part = await asyncio.get_running_loop().sock_recv(one, 4_096)
            assert part, said
            said += part
