"""Many Socket.IO clients in one process, with as little work per message as Python can do.

Each is one TCP connection with a WebSocket from the start. What comes in is handed on as bytes.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from websockets.speedups import apply_mask

Sink = Callable[["Client", bytes], None]
"""Called with each Socket.IO packet, without its engine type: ``2["order:updated",…]``."""


def _masked(text: bytes) -> bytes:
    """A client's text frame (RFC 6455, section 5.2)."""
    mask = os.urandom(4)
    head = bytes((0x81, 0x80 | len(text))) if len(text) < 126 else b"\x81\xfe" + len(text).to_bytes(2, "big")
    return head + mask + apply_mask(text, mask)


class Client(asyncio.Protocol):
    """One connection. ``connected`` is done when its CONNECT was answered, or failed with the answer."""

    def __init__(self, host: str, token: str, sink: Sink) -> None:
        self.user = ""
        self.received = 0
        self.connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._host = host
        self._token = token
        self._sink = sink
        self._buffer = b""
        self._upgraded = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's does not derive from it
        key = base64.b64encode(os.urandom(16)).decode()
        self._write(
            (
                f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {self._host}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
            ).encode()
        )

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def send(self, packet: str) -> None:
        """Sends a Socket.IO packet."""
        self._write(_masked(b"4" + packet.encode()))

    def close(self) -> None:
        """Drops the connection."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.connected.done():
            self.connected.set_exception(ConnectionError("the server hung up during the handshake"))

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        position = 0
        if not self._upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = data
                return
            self._upgraded = True
            position = end + 4
        size = len(data)
        while size - position >= 2:
            length, start = data[position + 1], position + 2
            if length == 126:
                length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
            elif length == 127:
                length, start = int.from_bytes(data[start : start + 8], "big"), start + 8
            if start + length > size:
                break
            if data[position] & 0x0F == 1:
                self._packet(data[start : start + length])
            position = start + length
        self._buffer = data[position:]

    def _packet(self, packet: bytes) -> None:
        match packet[:1]:
            case b"4" if packet[1:2] in (b"0", b"4"):
                if not self.connected.done():
                    if packet[1:2] == b"0":
                        self.connected.set_result(None)
                    else:
                        self.connected.set_exception(ConnectionError(packet.decode()))
            case b"4":
                self.received += 1
                self._sink(self, packet[1:])
            case b"2":
                self._write(_masked(b"3"))
            case b"0":
                self.send('0{"token":"' + self._token + '"}')


class Fleet:
    """Connects clients, some at a time, as a load balancer would let them through."""

    def __init__(self, port: int, sink: Sink) -> None:
        self.clients: list[Client] = []
        self._port = port
        self._sink = sink

    async def connect(self, tokens: Iterable[tuple[str, str]], at_once: int = 50) -> None:
        """Connects one client per (user, token); returns when all are joined."""
        gate = asyncio.Semaphore(at_once)
        loop = asyncio.get_running_loop()

        async def one(user: str, token: str) -> None:
            async with gate:
                host = f"127.0.0.1:{self._port}"
                _, client = await loop.create_connection(
                    lambda: Client(host, token, self._sink), "127.0.0.1", self._port
                )
                client.user = user
                self.clients.append(client)
                await asyncio.wait_for(client.connected, 60)

        await asyncio.gather(*(one(user, token) for user, token in tokens))

    async def close(self) -> None:
        """Drops all of them."""
        for client in self.clients:
            client.close()
            with suppress(Exception):
                await client.connected
        await asyncio.sleep(0)
