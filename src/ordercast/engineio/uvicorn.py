"""The fast way in: protocol classes for uvicorn that write frames straight to the transport.

uvicorn's ``http`` setting takes a protocol class, which parses a request's head and, where that asks for an upgrade,
hands the connection on. This seam is pinned by tests/unit/test_uvicorn_seam.py.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, cast

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ordercast.engineio import disconnects, frames
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import FrameError, HandshakeError, Refusal, Refused
from ordercast.engineio.frames import FrameParser
from ordercast.engineio.handshake import accept, refuse
from ordercast.engineio.packet import Packet
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.websocket import WebSocketTransport

_CLOSE_TIMEOUT = 5.0  # s for the peer to answer our close frame


class WebSocketProtocol(asyncio.Protocol, WebSocketTransport):
    """One WebSocket, from the moment its request has been read."""

    __slots__ = ("_closing", "_connections", "_parser", "_transport")

    def __init__(self, engine: EngineServer, connections: set[Any]) -> None:
        """``connections``: uvicorn's, so that it counts this one and waits for it when shutting down."""
        WebSocketTransport.__init__(self, engine)
        self._connections = connections
        self._parser = FrameParser(engine.options.max_payload, engine.options.max_fragments)
        self._closing = False
        self._transport: asyncio.Transport

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        try:
            for opcode, payload in self._parser.feed(data):
                if opcode == frames.TEXT:
                    self.text(cast(str, payload))
                elif opcode == frames.BINARY:
                    self.binary(cast(bytes, payload))
                elif opcode == frames.PING:
                    if not self._closing:
                        self._transport.write(frames.encode_frame(frames.PONG, cast(bytes, payload)))
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
            if self.session is not None:
                self.engine.flush_soon(self.session)

    def shutdown(self) -> None:
        """uvicorn's own last word, after the engine's close."""
        if self.session is not None:
            self.session.close(disconnects.SHUTDOWN)
        else:
            self.end([], disconnects.SHUTDOWN)

    # -- the transport ------------------------------------------------------------------------------------

    def write(self, packets: list[Packet]) -> None:
        if len(packets) == 1:
            packet = packets[0]
            self._transport.write(packet.frame if self.protocol == 4 else self.frames(packets))
        else:
            self._transport.write(self.frames(packets))

    def end(self, packets: list[Packet], why: Disconnect) -> None:
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


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the limits it leaves open: the size of a head, and how long head and body take.

    A deadline is one timer per connection, moved on at each stage; a request at rest has none.
    """

    bound_engine: EngineServer

    _head_size = 0
    _head_tail = b""  # its last three bytes so far: the end may come in two pieces
    _in_head = True
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # A connection that sends nothing at all is bounded like a slow one.
        self._deadline = self.loop.call_later(self.bound_engine.options.head_timeout, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            if self._deadline is None:
                self._deadline = self.loop.call_later(self.bound_engine.options.head_timeout, self._too_slow)
            # A head without its end counts whole; one that ends within this chunk counts what precedes the end.
            seen = self._head_tail + data
            end = seen.find(b"\r\n\r\n")
            self._head_size += len(data) if end < 0 else max(end - len(self._head_tail), 0)
            self._head_tail = seen[-3:]
            if self._head_size > self.bound_engine.options.max_head:
                self._refuse(Refusal.HEAD_TOO_LARGE)
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_size = 0
        self._head_tail = b""
        self._clear_deadline()
        self._deadline = self.loop.call_later(self.bound_engine.options.body_timeout, self._too_slow)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._clear_deadline()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        # Requests for other paths than the engine's go to uvicorn's own WebSockets, so that a host application keeps
        # its own endpoints.
        self._clear_deadline()
        engine = self.bound_engine
        path, _, query_string = self.url.partition(b"?")
        if path.rstrip(b"/") != engine.options.path.rstrip("/").encode():
            super().handle_websocket_upgrade()
            return
        if self.scope["method"] != "GET":
            self._refuse(Refusal.BAD_METHOD)
            return
        self.connections.discard(self)
        protocol = WebSocketProtocol(engine, self.connections)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        address = self.client[0] if self.client else ""
        protocol.handshake(Request(path.decode(), query_string, self.headers, address, self.scheme == "https"))

    def shutdown(self) -> None:
        # uvicorn's first word to each connection when it stops: it waits for requests under way, and so for polls.
        if self.bound_engine.gate.accepting:
            self.bound_engine.begin_close()
        super().shutdown()

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self._refuse(Refusal.TOO_SLOW)

    def _refuse(self, refusal: Refusal) -> None:
        """Answers what never became a whole request, and hangs up."""
        self.bound_engine.journal.refusal(refusal, self.client[0] if self.client else "")
        self._clear_deadline()
        phrase = HTTPStatus(refusal.status).phrase
        self.transport.write(refuse(refusal.status, phrase, refusal.message.encode(), b"text/plain; charset=utf-8"))
        self.transport.close()


def protocol_class(engine: EngineServer) -> type[HttpProtocol]:
    """The class for uvicorn's ``http`` setting that serves this engine."""

    class BoundHttpProtocol(HttpProtocol):
        bound_engine = engine

    return BoundHttpProtocol
