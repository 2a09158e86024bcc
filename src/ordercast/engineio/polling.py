"""Long-polling over ASGI: GET waits for packets, POST brings some.

https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from ordercast.engineio import disconnects
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import PacketError, Refusal, Refused
from ordercast.engineio.packet import CLOSE, NOOP, Packet
from ordercast.engineio.payload import (
    Received,
    decode_binary_payload_v3,
    decode_payload,
    decode_payload_v3,
    encode_payload,
    encode_payload_v3,
)
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.session import Session, State

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TEXT = (b"content-type", b"text/plain; charset=UTF-8")
_JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")

Headers = list[tuple[bytes, bytes]]

Payload = tuple[bytes, tuple[bytes, bytes]]
"""A response's body and its content type."""


class PollingTransport:
    """Whichever GET of the session is pending: writable while there is one."""

    __slots__ = ("_base64", "_poll", "posting", "protocol")

    name = "polling"
    closes_apart = True

    def __init__(self, protocol: int = 4, base64: bool = False) -> None:
        self.protocol = protocol
        self._base64 = base64
        self._poll: asyncio.Future[Payload] | None = None
        self.posting = False

    @property
    def writable(self) -> bool:
        """Whether a poll waits for packets."""
        return self._poll is not None

    def write(self, packets: list[Packet]) -> None:
        """Answers the pending poll with all the packets in one payload."""
        self._answer(packets)

    def end(self, packets: list[Packet], why: Disconnect) -> None:
        """Answers the pending poll with the last packets and a CLOSE, or with a NOOP where the client has closed.

        At a shutdown too: python-socketio's client would stay away after a CLOSE, and comes back when its next poll
        fails, as all others do.
        """
        parting = NOOP if why in (disconnects.TRANSPORT_CLOSE, disconnects.SHUTDOWN) else CLOSE
        self._answer([*packets, parting])

    def abort(self) -> None:
        """Lets a pending poll go."""
        self._answer([CLOSE])

    def _answer(self, packets: list[Packet]) -> None:
        poll, self._poll = self._poll, None
        if poll is not None and not poll.done():
            poll.set_result(self._encode(packets))

    def _encode(self, packets: list[Packet]) -> Payload:
        if self.protocol == 4:
            return encode_payload(packets), _TEXT
        payload, binary = encode_payload_v3(packets, self._base64)
        return payload, _BINARY if binary else _TEXT

    def begin(self) -> asyncio.Future[Payload]:
        """A poll has come; its future becomes the payload to answer with."""
        self._poll = asyncio.get_running_loop().create_future()
        return self._poll

    def gave_up(self, poll: asyncio.Future[Payload]) -> None:
        """The client dropped this poll."""
        if self._poll is poll:
            self._poll = None


async def handle(server: EngineServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one HTTP request on the engine's path."""
    request = Request(
        scope["path"],
        scope["query_string"],
        scope["headers"],
        (scope.get("client") or ("",))[0],
        scope.get("scheme") in ("https", "wss"),
    )
    cors = _cors(server, request)
    try:
        server.gate.check_request(request)
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, b"", _TEXT, cors)
            return
        answer = await _route(server, scope["method"], request, receive, cors)
    except Refused as error:
        refusal = error.refusal
        server.journal.refusal(refusal, server.gate.address_of(request))
        text = msgspec.json.encode({"code": refusal.code, "message": refusal.message})
        await _respond(send, refusal.status, text, _JSON, cors)
    else:
        if answer is not None:
            await _respond(send, 200, *answer, cors)


async def _route(
    server: EngineServer, method: str, request: Request, receive: Receive, headers: Headers
) -> Payload | None:
    query = parse_handshake_query(server, request.query_string)
    if query.transport != "polling":
        # "websocket" here means that a proxy on the way dropped the Upgrade header.
        raise Refused(Refusal.BAD_REQUEST)
    if query.sid is None:
        if method != "GET":
            raise Refused(Refusal.BAD_METHOD)
        server.gate.check_session(request)
        transport = PollingTransport(query.protocol, query.base64)
        session = server.open(request, transport)
        if (cookie := server.cookie(session.id)) is not None:
            headers.append((b"set-cookie", cookie))
        return await _poll(server, session, transport, receive)
    session = server.find(query.sid)
    if not isinstance(session.transport, PollingTransport) or session.protocol != query.protocol:
        raise Refused(Refusal.BAD_REQUEST)
    if method == "GET":
        return await _poll(server, session, session.transport, receive)
    if method == "POST":
        return await _post(server, session, session.transport, request, receive)
    raise Refused(Refusal.BAD_REQUEST)


async def _poll(
    server: EngineServer, session: Session, transport: PollingTransport, receive: Receive
) -> Payload | None:
    if transport.writable:
        session.close(disconnects.TRANSPORT_ERROR)
        session.abort()
        raise Refused(Refusal.BAD_REQUEST)
    poll = transport.begin()
    if session.queue or session.ahead or session.state is not State.OPEN:
        session.flush()
    elif session.upgrading:
        transport.write([NOOP])
    if poll.done():
        return poll.result()
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait((poll, gone), return_when=asyncio.FIRST_COMPLETED)
        if poll.done():
            return poll.result()
        transport.gave_up(poll)
        session.lost(disconnects.TRANSPORT_CLOSE)
        return None
    finally:
        gone.cancel()
        transport.gave_up(poll)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _post(
    server: EngineServer, session: Session, transport: PollingTransport, request: Request, receive: Receive
) -> Payload:
    if transport.posting:
        session.close(disconnects.TRANSPORT_ERROR)
        raise Refused(Refusal.BAD_REQUEST)
    transport.posting = True
    try:
        body = await _body(server, request, receive)
    except Refused as error:
        too_large = error.refusal is Refusal.TOO_LARGE
        session.close(disconnects.TOO_MUCH if too_large else disconnects.TRANSPORT_ERROR)
        raise
    finally:
        transport.posting = False
    try:
        for type, data in _decode(session, request, body):
            session.receive(type, data)
    except (PacketError, UnicodeDecodeError):
        session.close(disconnects.PARSE_ERROR)
        raise Refused(Refusal.BAD_REQUEST) from None
    return b"ok", _TEXT


def _decode(session: Session, request: Request, body: bytes) -> Iterator[Received]:
    most = session.server.options.max_packets
    if session.protocol == 4:
        return decode_payload(body.decode(), most)
    if request.header(b"content-type") == "application/octet-stream":
        return decode_binary_payload_v3(body, most)
    return decode_payload_v3(body.decode(), most)


async def _body(server: EngineServer, request: Request, receive: Receive) -> bytes:
    limit = server.options.max_payload
    length = request.header(b"content-length")
    if length is not None and (len(length) > 12 or not length.isdigit() or int(length) > limit):
        raise Refused(Refusal.TOO_LARGE)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(Refusal.BAD_REQUEST)  # half a body may still read like a whole one
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise Refused(Refusal.TOO_LARGE)
        if not message.get("more_body", False):
            return b"".join(parts)


class HandshakeQuery(msgspec.Struct, frozen=True):
    """What the query of an engine request says; ``sid`` is ``None`` for a handshake."""

    transport: str
    sid: str | None
    protocol: int
    base64: bool


_PROTOCOLS = {"3": 3, "4": 4}


def parse_handshake_query(server: EngineServer, query_string: bytes) -> HandshakeQuery:
    """Reads ``EIO``, ``transport`` and ``sid``. Raises `Refused` in the reference server's words."""
    try:
        query = parse_qs(query_string.decode("latin-1"), max_num_fields=64)
    except ValueError:
        raise Refused(Refusal.BAD_REQUEST) from None
    transport = query.get("transport", [""])[0]
    if transport not in server.options.transports:
        raise Refused(Refusal.UNKNOWN_TRANSPORT)
    sid = query.get("sid", [None])[0]
    protocol = _PROTOCOLS.get(",".join(query.get("EIO", ())))
    if protocol is None or (protocol == 3 and not server.options.allow_eio3):
        raise Refused(Refusal.UNSUPPORTED_VERSION)
    return HandshakeQuery(transport, sid, protocol, "b64" in query)


def _cors(server: EngineServer, request: Request) -> Headers:
    """CORS headers (https://fetch.spec.whatwg.org/#http-responses) for an origin that is allowed."""
    origin = request.header(b"origin")
    if origin is None or not server.gate.origin_allowed(request):
        return []
    headers = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
    # Clients before 3.0 ask for credentials always, and fail where they are not allowed. There are none to send.
    if "*" not in server.options.cors_origins or b"EIO=3" in request.query_string:
        headers.append((b"access-control-allow-credentials", b"true"))
    if request.header(b"access-control-request-method") is not None:
        headers += [
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (b"access-control-allow-headers", b"authorization, content-type"),
            (b"access-control-max-age", b"600"),
        ]
    return headers


async def _respond(send: Send, status: int, body: bytes, type: tuple[bytes, bytes], cors: Headers) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-store"), *cors]
    if body:
        headers.append(type)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
