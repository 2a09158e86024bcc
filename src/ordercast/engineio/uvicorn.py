"""The fast way in: protocol classes for uvicorn that write frames straight to the transport.

uvicorn's ``ws`` setting takes a protocol class and hands it the connection at the upgrade request; its ``http``
setting takes the class before that. Both seams are pinned by tests/unit/test_uvicorn_seam.py.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, cast

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response
from websockets.server import ServerProtocol

from ordercast.engineio import disconnects, frames
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import FrameError, Refusal, Refused
from ordercast.engineio.frames import FrameParser
from ordercast.engineio.packet import Packet
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.websocket import WebSocketTransport

_CLOSE_TIMEOUT = 5.0  # s for the peer to answer our close frame

_log = logging.getLogger("ordercast.engineio")


class WebSocketProtocol(asyncio.Protocol, WebSocketTransport):
    """One WebSocket. Subclasses bind ``bound_engine``; see `protocol_classes`.

    Requests for other paths than the engine's go to uvicorn's own WebSocket implementation, so that a host
    application keeps its own endpoints.
    """

    __slots__ = ("_arguments", "_closing", "_parser", "_transport")

    bound_engine: EngineServer

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        WebSocketTransport.__init__(self, self.bound_engine)
        self._arguments: tuple[Config, ServerState, dict[str, Any]] = (config, server_state, app_state)
        self._parser: FrameParser | None = None
        self._closing = False
        self._transport: asyncio.Transport

    # -- asyncio.Protocol ---------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._arguments[1].connections.add(self)  # type: ignore[arg-type]  # uvicorn names its own classes

    def data_received(self, data: bytes) -> None:
        if self._parser is None:
            self._handshake(data)
            return
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
        self._arguments[1].connections.discard(self)
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

    def _handshake(self, data: bytes) -> None:
        config, state, app_state = self._arguments
        target = data.split(b" ", 2)[1]
        path, _, query_string = target.partition(b"?")
        if path.rstrip(b"/") != self.engine.options.path.rstrip("/").encode():
            other = WebSocketsSansIOProtocol(config, state, app_state)
            state.connections.discard(self)
            # uvicorn sets us as the protocol after this returns; ours must be the last word, yet come before the
            # news of a connection that the other refuses: else uvicorn would wait for it when shutting down.
            asyncio.get_running_loop().call_soon(self._transport.set_protocol, other)
            other.connection_made(self._transport)
            other.data_received(data)
            return
        protocol = ServerProtocol(max_size=None)
        protocol.receive_data(data)
        received = protocol.events_received()
        if not received or not isinstance(received[0], HandshakeRequest):
            self._transport.close()
            return
        handshake = received[0]
        peer = self._transport.get_extra_info("peername")
        request = Request(
            path.decode("latin-1"),
            query_string,
            [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in handshake.headers.raw_items()],
            peer[0] if isinstance(peer, tuple) else "",
            self._transport.get_extra_info("sslcontext") is not None,
        )
        try:
            candidate = self.check(request)
            response = protocol.accept(handshake)
            if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
                self._refuse(response)
                return
            options = self.engine.options
            self._parser = FrameParser(options.max_payload, options.max_fragments)
            id = self.engine.new_id()
            if candidate is None and (cookie := self.engine.cookie(id)) is not None:
                response.headers["Set-Cookie"] = cookie.decode()
            self._transport.write(response.serialize())
            self.opened(request, candidate, id)
        except Refused as error:
            refusal = error.refusal
            self.engine.journal.refusal(refusal, self.engine.gate.address_of(request))
            body = msgspec.json.encode({"code": refusal.code, "message": refusal.message})
            response = protocol.reject(HTTPStatus(refusal.status), body.decode())
            self._refuse(response)

    def _refuse(self, response: Response) -> None:
        self._parser = None
        self._transport.write(response.serialize())
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
        self._clear_deadline()
        super().handle_websocket_upgrade()

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
        text = refusal.message.encode()
        status = HTTPStatus(refusal.status)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%b" % (status, status.phrase.encode(), len(text), text)
        )
        self.transport.close()


def protocol_classes(engine: EngineServer) -> tuple[type[HttpProtocol], type[WebSocketProtocol]]:
    """The classes for uvicorn's ``http`` and ``ws`` settings that serve this engine."""

    class BoundWebSocketProtocol(WebSocketProtocol):
        __slots__ = ()
        bound_engine = engine

    class BoundHttpProtocol(HttpProtocol):
        bound_engine = engine

    return BoundHttpProtocol, BoundWebSocketProtocol
