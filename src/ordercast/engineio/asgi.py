"""The way in under any ASGI server: HTTP to `polling`, WebSockets through ASGI's own messages.

A WebSocket here costs a task for what goes out, because ASGI's ``send`` must be awaited.
https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
import binascii
from typing import Any

from ordercast.engineio import disconnects, polling
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import Refused
from ordercast.engineio.packet import Packet
from ordercast.engineio.polling import Receive, Scope, Send
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.websocket import WebSocketTransport


class AsgiWebSocket(WebSocketTransport):
    """A WebSocket over ASGI: `writable` while the last write has been taken by the server."""

    __slots__ = ("_last", "_next", "_wake")

    def __init__(self, engine: EngineServer) -> None:
        super().__init__(engine)
        self._next: list[Packet] = []
        self._last: Disconnect | None = None
        self._wake = asyncio.Event()

    def write(self, packets: list[Packet]) -> None:
        self._next += packets
        self.writable = False
        self._wake.set()

    def end(self, packets: list[Packet], why: Disconnect) -> None:
        self._last = self._last or why
        self.write(packets)

    def abort(self) -> None:
        self._next.clear()
        self._last = self._last or disconnects.TRANSPORT_CLOSE
        self.writable = False
        self._wake.set()

    async def pump(self, send: Send) -> None:
        """Sends what is written until the end, and the end."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            packets, self._next = self._next, []
            for packet in packets:
                if packet.binary and self.protocol == 3:
                    await send({"type": "websocket.send", **self._binary_v3(packet)})
                elif packet.binary:
                    await send({"type": "websocket.send", "bytes": packet.data})
                else:
                    await send({"type": "websocket.send", "text": packet.payload.decode()})
            if self._last is not None:
                await send({"type": "websocket.close", "code": self._last.close_code})
                return
            self.writable = True
            if self.session is not None:
                self.engine.flush_soon(self.session)

    def _binary_v3(self, packet: Packet) -> dict[str, Any]:
        if self._base64:
            return {"text": "b4" + binascii.b2a_base64(packet.data, newline=False).decode()}
        return {"bytes": b"\x04" + packet.data}

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket from its handshake to its end."""
        request = Request(
            scope["path"],
            scope["query_string"],
            scope["headers"],
            (scope.get("client") or ("",))[0],
            scope.get("scheme") in ("https", "wss"),
        )
        await receive()  # websocket.connect
        try:
            candidate = self.check(request)
            id = self.engine.new_id()
            cookie = self.engine.cookie(id) if candidate is None else None
            await send({"type": "websocket.accept", "headers": [] if cookie is None else [(b"set-cookie", cookie)]})
            self.opened(request, candidate, id)
        except Refused as error:
            self.engine.journal.refusal(error.refusal, self.engine.gate.address_of(request))
            await send({"type": "websocket.close", "code": 1008})
            return
        pump = asyncio.ensure_future(self.pump(send))
        try:
            await self._listen(receive)
        finally:
            self.gone(disconnects.TRANSPORT_CLOSE)
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _listen(self, receive: Receive) -> None:
        limit = self.engine.options.max_payload
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            text, data = message.get("text"), message.get("bytes")
            content = data or b"" if text is None else text if text.isascii() else text.encode()
            if len(content) > limit:
                if self.session is not None:
                    self.session.close(disconnects.TOO_MUCH)
                else:
                    self.abort()
            elif text is not None:
                self.text(text)
            elif data is not None:
                self.binary(data)


async def app(engine: EngineServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Serves one ASGI connection on the engine's path."""
    if scope["type"] == "websocket":
        await AsgiWebSocket(engine).run(scope, receive, send)
    else:
        await polling.handle(engine, scope, receive, send)
