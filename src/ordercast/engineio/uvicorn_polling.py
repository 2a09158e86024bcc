"""Long-polling straight from uvicorn's HTTP protocol: a poll that waits is one object, its answer one write."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from ordercast.engineio.polling import Exchange
from ordercast.engineio.query import Headers
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer

if TYPE_CHECKING:
    from ordercast.engineio.uvicorn import HttpProtocol

_STATUS = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


class HttpExchange(Exchange):
    """A request of one `HttpProtocol`, and its ``cycle`` in uvicorn's eyes: for that the attributes in its words."""

    __slots__ = ("_protocol", "disconnected", "keep_alive")

    def __init__(self, engine: EngineServer, request: Request, protocol: HttpProtocol, keep_alive: bool) -> None:
        super().__init__(engine, request)
        self.disconnected = False
        self.keep_alive = keep_alive
        self._protocol = protocol

    @property
    def response_complete(self) -> bool:
        """Whether uvicorn may go on to the connection's next request."""
        return self.answered

    @property
    def message_event(self) -> HttpExchange:
        """What uvicorn sets when something has come for an application to receive: there is none here."""
        return self

    def set(self) -> None:
        """See `message_event`."""

    def respond(self, status: int, body: bytes, type: bytes, headers: Headers) -> None:
        if self.disconnected:
            return
        protocol = self._protocol
        parts = [_STATUS[status], b"content-length: %d\r\ncache-control: no-store\r\n" % len(body)]
        if body:
            parts.append(b"content-type: %b\r\n" % type)
        for header in protocol.server_state.default_headers:
            parts.append(b"%b: %b\r\n" % header)
        for header in headers:
            parts.append(b"%b: %b\r\n" % header)
        parts.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        parts.append(body)
        protocol.transport.write(b"".join(parts))
        if not self.keep_alive:
            protocol.transport.close()
        protocol.on_response_complete()
