"""WebSockets through plain ASGI. Each costs a task for what goes out, because ASGI's ``send`` must be awaited.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
import binascii
from typing import Any

from ordercast.engineio import disconnects
from ordercast.engineio.asgi_polling import Receive, Scope, Send, request_of
from ordercast.engineio.batch import Batch
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import Refused
from ordercast.engineio.packet import Packet
from ordercast.engineio.server import EngineServer
from ordercast.engineio.websocket import WebSocketTransport

_CLOSE_TIMEOUT = 5.0
"""s from the decision to close until the server is told that we are done: for a write that waits for the peer to read,
and for the peer's answer to the close frame."""


class AsgiWebSocket(WebSocketTransport):
    """A WebSocket over ASGI: `writable` while the last write has been taken by the server.

    ASGI has no way to drop a connection but to return, so `abort` leaves that to the end of `_CLOSE_TIMEOUT`.
    """

    __slots__ = ("_aborted", "_deadline", "_last", "_next", "_wake")

    def __init__(self, engine: EngineServer) -> None:
        super().__init__(engine)
        self._next: list[Packet] = []
        self._last: Disconnect | None = None
        self._aborted = False
        self._wake = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None

    def write(self, packets: Batch) -> None:
        self._next += packets
        self.writable = False
        self._wake.set()

    def end(self, packets: Batch, why: Disconnect) -> None:
        self._last = self._last or why
        self.write(packets)
        self._hang_up_soon()

    def abort(self) -> None:
        why = self.session.why if self.session is not None else None
        # A session that closes while a write is under way ends like one that closes after it.
        self._aborted = why is None or why.silent or why.farewell
        self.end(Batch(), why or disconnects.TRANSPORT_CLOSE)

    def _hang_up_soon(self) -> None:
        if self._deadline is not None and self._deadline.when() is None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + _CLOSE_TIMEOUT)

    async def _write_all(self, send: Send) -> None:
        """Sends what is written until the end, and the end."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                await self._write_waiting(send)
                if self._last is not None:
                    why = self._last
                    await send({"type": "websocket.close", "code": why.close_code, "reason": why.reason})
                    return
                self.writable = True
                if self.session is not None:
                    self.engine.flush_soon(self.session)
        finally:
            self._hang_up_soon()  # also where `send` has failed: nothing more can be said

    async def _write_waiting(self, send: Send) -> None:
        while self._next:
            packets, self._next = self._next, []
            for packet in packets:
                if self._aborted:
                    return
                await send({"type": "websocket.send", **self._content(packet)})

    def _content(self, packet: Packet) -> dict[str, Any]:
        if not packet.binary:
            return {"text": packet.payload.decode()}
        return self._binary_v3(packet) if self.protocol == 3 else {"bytes": packet.data}

    def _binary_v3(self, packet: Packet) -> dict[str, Any]:
        if self._base64:
            return {"text": "b4" + binascii.b2a_base64(packet.data, newline=False).decode()}
        return {"bytes": b"\x04" + packet.data}

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket from its handshake to its end."""
        request = request_of(scope)
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
        writing = asyncio.ensure_future(self._write_all(send))
        deadline = self._deadline = asyncio.timeout(_CLOSE_TIMEOUT if self._last else None)
        try:
            async with deadline:
                await self._listen(receive)
        except TimeoutError:
            if not deadline.expired():
                raise
        finally:
            self._deadline = None
            self.gone(disconnects.TRANSPORT_CLOSE)
            writing.cancel()
            (failed,) = await asyncio.gather(writing, return_exceptions=True)
        if isinstance(failed, Exception) and not isinstance(failed, OSError):  # which says that the peer has gone
            raise failed

    async def _listen(self, receive: Receive) -> None:
        limit = self.engine.options.max_payload
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if self._last is not None:
                continue  # we wait for the peer's close frame only
            text, data = message.get("text"), message.get("bytes")
            content = data or b"" if text is None else text if text.isascii() else text.encode()
            if len(content) > limit:
                if self.session is not None:
                    self.session.close(disconnects.TOO_MUCH)
                else:
                    self.end(Batch(), disconnects.TOO_MUCH)
            elif text is not None:
                self.text(text)
            elif data is not None:
                self.binary(data)
