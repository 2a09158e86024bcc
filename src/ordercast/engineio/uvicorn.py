"""The fast way in: protocol classes for uvicorn that write straight to the transport.

uvicorn's ``http`` setting takes a protocol class, which parses a request's head. Polls are answered from here, without
ASGI and its task per request; where a head asks for an upgrade, the connection is handed on. This seam is pinned by
tests/unit/test_uvicorn_seam.py.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ordercast.engineio.errors import Refusal
from ordercast.engineio.handshake import refuse
from ordercast.engineio.relay import End, address_for, relay
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.uvicorn_polling import HttpExchange
from ordercast.engineio.uvicorn_websocket import WebSocketProtocol


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the limits it leaves open: the size of a head, and how long head and body take.

    A deadline is one timer per connection, moved on at each stage; a request at rest has none.
    """

    bound_engine: EngineServer
    bound_path: bytes
    """The engine's path without the slash at its end, which clients may leave out."""

    _head_size = 0
    _head_tail = b""  # its last three bytes so far: the end may come in two pieces
    _in_head = True
    _stage = 0  # counts heads and bodies
    _timed = 0  # the stage that has the deadline
    _deadline: asyncio.TimerHandle | None = None
    _exchange: HttpExchange | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # A connection that sends nothing at all is bounded like a slow one.
        self._deadline = self.loop.call_later(self.bound_engine.options.head_timeout, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        exchange, self._exchange = self._exchange, None
        if exchange is not None and not exchange.answered:
            exchange.disconnected = True
            exchange.gone()
        super().connection_lost(exc)
        self.cycle = None  # type: ignore[assignment]  # which knows us: nothing is left to the garbage collector

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            # A head without its end counts whole; one that ends within this chunk counts what precedes the end.
            seen = self._head_tail + data
            end = seen.find(b"\r\n\r\n")
            self._head_size += len(data) if end < 0 else max(end - len(self._head_tail), 0)
            self._head_tail = seen[-3:]
            if self._head_size > self.bound_engine.options.max_head:
                self._refuse(Refusal.HEAD_TOO_LARGE)
                return
        super().data_received(data)
        resting = self._in_head and not self._head_size
        if self._deadline is not None and (resting or self._timed != self._stage):
            self._clear_deadline()
        if self._deadline is None and not resting and not self.transport.is_closing():
            options = self.bound_engine.options
            self._timed = self._stage
            timeout = options.head_timeout if self._in_head else options.body_timeout
            self._deadline = self.loop.call_later(timeout, self._too_slow)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_size = 0
        self._head_tail = b""
        self._stage += 1
        if not self._is_for_engine():
            super().on_headers_complete()
            return
        method = self.parser.get_method().decode("ascii")
        keep_alive = self.parser.get_http_version() != "1.0" and self.parser.should_keep_alive()
        self._exchange = exchange = HttpExchange(self.bound_engine, self._request(), self, keep_alive)
        self.cycle = exchange  # type: ignore[assignment]
        exchange.begin(method)

    def on_body(self, body: bytes) -> None:
        if self.cycle is self._exchange is not None:  # type: ignore[comparison-overlap]
            self._exchange.feed(body, True)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        self._stage += 1
        if self.cycle is self._exchange is not None:  # type: ignore[comparison-overlap]
            self._exchange.feed(b"", False)
        else:
            super().on_message_complete()

    @property
    def _answering(self) -> bool:
        """Whether a request has come that is not answered yet. Before the first there is no cycle."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _on_engine_path(self) -> bool:
        return self.url.partition(b"?")[0].rstrip(b"/") == self.bound_path

    def _is_for_engine(self) -> bool:
        """Whether a request is the engine's and nothing asks for more of uvicorn than its parser."""
        return (
            self._on_engine_path()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
            and not (self.config.access_log and self.access_log)
            and self.limit_concurrency is None
            and not self.flow.write_paused  # a peer that reads no answers gets no further ones
            and not self._answering  # else this is pipelined, and waits its turn there
        )

    def _request(self) -> Request:
        path, _, query_string = self.url.partition(b"?")
        address = self.client[0] if self.client else ""
        return Request(path.decode(), query_string, self.headers, address, self.scheme == "https")

    def handle_websocket_upgrade(self) -> None:
        # Requests for other paths than the engine's go to uvicorn's own WebSockets, so that a host application keeps
        # its own endpoints.
        self._clear_deadline()
        engine = self.bound_engine
        if not self._on_engine_path():
            super().handle_websocket_upgrade()
            return
        if self.scope["method"] != "GET":
            self._refuse(Refusal.BAD_METHOD)
            return
        self.connections.discard(self)
        request = self._request()
        if (address := address_for(engine, request)) is not None:
            self._relay(request, address)
            return
        protocol = WebSocketProtocol(engine, self.connections)
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        protocol.handshake(request)

    def _relay(self, request: Request, address: str) -> None:
        unknown = Refusal.UNKNOWN_SESSION
        refused = refuse(unknown.status, HTTPStatus(unknown.status).phrase, unknown.message.encode(), b"text/plain")
        self.transport.pause_reading()
        client = End(self.connections)
        client.connection_made(self.transport)
        self.transport.set_protocol(client)
        self.bound_engine.pass_on(relay(self.bound_engine, client, request, address, refused))

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
        if not self._in_head and not self._answering:
            self.transport.close()  # refused before its body was here; there is nothing to add
        elif not self.transport.is_closing():
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
        bound_path = engine.options.path.rstrip("/").encode()

    return BoundHttpProtocol
