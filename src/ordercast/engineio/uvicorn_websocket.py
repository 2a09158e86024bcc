"""A WebSocket as an asyncio protocol, its frames written straight to the transport."""

from __future__ import annotations

import asyncio
import socket
from http import HTTPStatus
from typing import Any, cast

import msgspec

from ordercast.engineio import disconnects, frames
from ordercast.engineio.batch import Batch
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import FrameError, HandshakeError, Refusal, Refused
from ordercast.engineio.frames import FrameParser
from ordercast.engineio.handshake import accept, refuse
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.websocket import WebSocketTransport

_CLOSE_TIMEOUT = 5.0  # s for the peer to answer our close frame


class WebSocketProtocol(asyncio.Protocol, WebSocketTransport):
    """One WebSocket, from the moment its request has been read."""

    __slots__ = ("_closing", "_connections", "_parser", "_pinged", "_transport")

    def __init__(self, engine: EngineServer, connections: set[Any]) -> None:
        """``connections``: uvicorn's, so that it counts this one and waits for it when shutting down."""
        WebSocketTransport.__init__(self, engine)
        self._connections = connections
        self._parser = FrameParser(engine.options.max_payload, engine.options.max_fragments)
        self._closing = False
        self._pinged: bytes | None = None  # the newest PING that waits for its answer
        self._transport: asyncio.Transport

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._connections.add(self)
        size = self.engine.options.send_buffer_bytes
        if size and (sock := transport.get_extra_info("socket")) is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

    def data_received(self, data: bytes) -> None:
        try:
            for opcode, payload in self._parser.feed(data):
                if opcode == frames.TEXT:
                    self.text(cast(str, payload))
                elif opcode == frames.BINARY:
                    self.binary(cast(bytes, payload))
                elif opcode == frames.PING:
                    self._pinged = cast(bytes, payload)
                    self._pong()
                elif opcode == frames.CLOSE:
                    self._peer_closes(cast(bytes, payload))
                    return
        except FrameError as error:
            self._fail(error)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self.gone(disconnects.TRANSPORT_CLOSE if exc is None else disconnects.TRANSPORT_ERROR)

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        if not self._closing:
            self.writable = True
            self._pong()
            if self.session is not None:
                self.engine.flush_soon(self.session)

    def _pong(self) -> None:
        """Answers the newest PING (RFC 6455, section 5.5.3), once the peer reads: else answers would pile up."""
        if self._pinged is not None and self.writable:
            self._transport.write(frames.encode_frame(frames.PONG, self._pinged))
            self._pinged = None

    def shutdown(self) -> None:
        """uvicorn's own last word, after the engine's close."""
        if self.session is not None:
            self.session.close(disconnects.SHUTDOWN)
        else:
            self.end(Batch(), disconnects.SHUTDOWN)

    # -- the transport ------------------------------------------------------------------------------------

    def write(self, packets: Batch) -> None:
        self._transport.write(packets.frames if self.protocol == 4 else packets.frames_v3(self._base64))

    def end(self, packets: Batch, why: Disconnect) -> None:
        self._send_close(self.frames(packets), why.close_code, why.reason)

    def abort(self) -> None:
        self._transport.abort()

    # -- opening and closing ------------------------------------------------------------------------------

    def handshake(self, request: Request) -> None:
        """Answers the request; with a 101, or with what is wrong."""
        try:
            candidate = self.check(request)
            id = self.engine.new_id()
            cookie = self.engine.cookie(id) if candidate is None else None
            self._transport.write(accept(request, b"" if cookie is None else b"Set-Cookie: %b\r\n" % cookie))
            self.opened(request, candidate, id)
        except Refused as error:
            refusal = error.refusal
            self.engine.journal.refusal(refusal, self.engine.gate.address_of(request))
            self._refuse(refusal.status, refusal.code, refusal.message)
        except HandshakeError as error:
            self.engine.journal.refusal(Refusal.BAD_REQUEST, self.engine.gate.address_of(request))
            self._refuse(error.status, Refusal.BAD_REQUEST.code, error.reason)

    def _refuse(self, status: int, code: int, message: str) -> None:
        body = msgspec.json.encode({"code": code, "message": message})
        self._transport.write(refuse(status, HTTPStatus(status).phrase, body))
        self._transport.close()

    def _peer_closes(self, payload: bytes) -> None:
        code = frames.parse_close(payload)
        if not self._closing:
            self._closing = True
            self._transport.write(frames.encode_close(code if code != 1005 else frames.NORMAL))
        self._transport.close()
        self.gone(disconnects.TRANSPORT_CLOSE)

    def _fail(self, error: FrameError) -> None:
        """The peer broke RFC 6455: says so in a close frame and hangs up (section 7.1.7)."""
        self._send_close(b"", error.code, error.reason)
        self._transport.close()
        self.gone(disconnects.TOO_MUCH if error.code == frames.TOO_BIG else disconnects.TRANSPORT_ERROR)

    def _send_close(self, before: bytes, code: int, reason: str) -> None:
        if self._closing or self._transport.is_closing():
            return
        self._closing = True
        self.writable = False
        self._transport.write(before + frames.encode_close(code, reason))
        # The peer answers with its own close frame; one that does not is hung up on.
        asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._transport.abort)
