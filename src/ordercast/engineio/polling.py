"""Long-polling: GET waits for packets, POST brings some. Without I/O: a carrier brings requests and takes answers, and
what is another node's is asked there (`passing.py`).

https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator

import msgspec

from ordercast.engineio import disconnects, passing
from ordercast.engineio.batch import Batch
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import PacketError, Refusal, Refused
from ordercast.engineio.packet import CLOSE, NOOP
from ordercast.engineio.payload import (
    Received,
    decode_binary_payload_v3,
    decode_payload,
    decode_payload_v3,
)
from ordercast.engineio.peers import Unanswered
from ordercast.engineio.query import HandshakeQuery, Headers, cors_headers, parse_handshake_query
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.session import Session, State

_log = logging.getLogger("ordercast.engineio")

_TEXT = b"text/plain; charset=UTF-8"
_JSON = b"application/json"
_BINARY = b"application/octet-stream"


class PollingTransport:
    """Whichever GET of the session is pending: writable while there is one."""

    __slots__ = ("_base64", "_stamps", "poll", "posting", "protocol", "stamp")

    name = "polling"
    closes_apart = True

    def __init__(self, protocol: int = 4, base64: bool = False, stamp: bytes | None = None) -> None:
        self.protocol = protocol
        self.stamp = stamp
        self._stamps = 0  # polls of other stamps than the one before
        self.poll: Exchange | None = None
        self.posting = False
        self._base64 = base64

    @property
    def writable(self) -> bool:
        """Whether a poll waits for packets."""
        return self.poll is not None

    def repeats(self, stamp: bytes | None) -> bool:
        """Whether this is the poll before once more, which the client knows nothing of: a proxy asks again where the
        first answer did not reach it, and with that what was in it is lost. Where a client has one stamp for all its
        polls, or none, nothing tells."""
        same = stamp is not None and stamp == self.stamp
        self._stamps += not same
        self.stamp = stamp
        return same and self._stamps > 0

    def write(self, packets: Batch) -> None:
        """Answers the pending poll with all the packets in one payload."""
        poll, self.poll = self.poll, None
        if poll is not None:
            if self.protocol == 4:
                poll.answer(packets.payload, _TEXT)
            else:
                payload, binary = packets.payload_v3(self._base64)
                poll.answer(payload, _BINARY if binary else _TEXT)

    def end(self, packets: Batch, why: Disconnect) -> None:
        """Answers the pending poll with the last packets and a CLOSE, or with a NOOP where the client has closed.

        At a shutdown too: python-socketio's client would stay away after a CLOSE, and comes back when its next poll
        fails, as all others do.
        """
        parting = NOOP if why in (disconnects.TRANSPORT_CLOSE, disconnects.SHUTDOWN) else CLOSE
        self.write(Batch((*packets, parting)))

    def abort(self) -> None:
        """Lets a pending poll go."""
        self.write(Batch([CLOSE]))


class Exchange(ABC):
    """One HTTP request on the engine's path, and its answer.

    A carrier calls `begin`, then for a request that `takes_body` `feed`, and `gone` where the peer hangs up before the
    answer.
    """

    __slots__ = (
        "_elsewhere",
        "_headers",
        "_parts",
        "_size",
        "_task",
        "_transport",
        "answered",
        "engine",
        "request",
        "session",
    )

    def __init__(self, engine: EngineServer, request: Request) -> None:
        self.engine = engine
        self.request = request
        self.session: Session | None = None
        self.answered = False
        self._headers: Headers = []
        self._transport: PollingTransport | None = None
        self._parts: list[bytes] | None = None  # of a body that is on its way
        self._size = 0
        self._elsewhere: str | None = None  # the address of the node that has the session
        self._task: asyncio.Task[None] | None = None  # that asks there

    @abstractmethod
    def respond(self, status: int, body: bytes, type: bytes, headers: Headers) -> None:
        """Sends the answer; called once. ``headers`` come beside the content's type and length."""

    @property
    def takes_body(self) -> bool:
        """Whether the answer depends on a body that has not come whole."""
        return self._parts is not None

    def answer(self, body: bytes, type: bytes, status: int = 200) -> None:
        """Answers the request."""
        self.answered = True
        self.respond(status, body, type, self._headers)

    def begin(self, method: str) -> None:
        """The request's head has come."""
        engine, request = self.engine, self.request
        self._headers = cors_headers(engine, request)
        try:
            engine.gate.check_request(request)
            if method == "OPTIONS":
                self.answer(b"", _TEXT, 204)
            else:
                self._route(method)
        except Refused as error:
            self._refuse(error.refusal)
        except Exception:
            _log.exception("a request could not be answered")
            if not self.answered:
                self.answer(b"Internal Server Error", _TEXT, 500)

    def feed(self, data: bytes, more: bool) -> None:
        """A part of the body has come, its last one unless there is ``more``."""
        if self._parts is None:
            return
        self._parts.append(data)
        self._size += len(data)
        if self._size > self.engine.options.max_payload:
            self._break_off(disconnects.TOO_MUCH)
            self._refuse(Refusal.TOO_LARGE)
        elif not more:
            body, self._parts = b"".join(self._parts), None
            self._posted(body)

    def gone(self) -> None:
        """The peer hung up. Half a body may read like a whole one, so nothing of it counts."""
        if self._task is not None:
            self.let_go()
        elif self._parts is not None:
            self._break_off(disconnects.TRANSPORT_ERROR)
        elif self._transport is not None and self._transport.poll is self:
            self._transport.poll = None
            assert self.session is not None
            self.session.lost(disconnects.TRANSPORT_CLOSE)

    def let_go(self) -> None:
        """The carrier answers no more, for a reason of its own."""
        if self._task is not None and not self.answered:
            self.answered = True
            self._task.cancel()
        if self._transport is not None and self._transport.poll is self:
            self._transport.poll = None
            self._transport.stamp = None  # nothing was lost: it may be asked again

    def _route(self, method: str) -> None:
        query = parse_handshake_query(self.engine, self.request.query_string)
        if query.transport != "polling":
            # "websocket" here means that a proxy on the way dropped the Upgrade header.
            raise Refused(Refusal.BAD_REQUEST)
        if query.sid is None:
            if method != "GET":
                raise Refused(Refusal.BAD_METHOD)
            self._open(query)
            return
        if query.sid not in self.engine.sessions:
            self._pass_on(method, query.sid)
            return
        session = self.engine.find(query.sid)
        transport = session.transport
        if not isinstance(transport, PollingTransport) or session.protocol != query.protocol:
            raise Refused(Refusal.BAD_REQUEST)
        if method == "GET":
            self._wait(session, transport, repeated=transport.repeats(query.stamp))
        elif method == "POST":
            self._expect_body(session, transport)
        else:
            raise Refused(Refusal.BAD_REQUEST)

    def _open(self, query: HandshakeQuery) -> None:
        self.engine.gate.check_session(self.request)
        transport = PollingTransport(query.protocol, query.base64, query.stamp)
        session = self.engine.open(self.request, transport)
        if (cookie := self.engine.cookie(session.id)) is not None:
            self._headers.append((b"set-cookie", cookie))
        self._wait(session, transport)

    def _wait(self, session: Session, transport: PollingTransport, *, repeated: bool = False) -> None:
        if transport.writable or repeated:
            session.close(disconnects.TRANSPORT_ERROR)
            session.abort()
            raise Refused(Refusal.BAD_REQUEST)
        self.session, self._transport = session, transport
        transport.poll = self
        if session.queue or session.ahead or session.state is not State.OPEN:
            session.flush()
        elif session.upgrading:
            transport.write(Batch([NOOP]))

    def _expect_body(self, session: Session, transport: PollingTransport) -> None:
        if transport.posting:
            session.close(disconnects.TRANSPORT_ERROR)
            raise Refused(Refusal.BAD_REQUEST)
        if self._too_long():
            session.close(disconnects.TOO_MUCH)
            raise Refused(Refusal.TOO_LARGE)
        self.session, self._transport = session, transport
        self._parts = []
        transport.posting = True

    def _too_long(self) -> bool:
        length = self.request.header(b"content-length")
        limit = self.engine.options.max_payload
        return length is not None and (len(length) > 12 or not length.isdigit() or int(length) > limit)

    def _pass_on(self, method: str, id: str) -> None:
        """The session is another node's, or nobody's."""
        self._elsewhere = passing.elsewhere(self.engine, id, self.request)
        if method == "GET":
            self._ask(method, b"")
        elif method != "POST":
            raise Refused(Refusal.BAD_REQUEST)
        elif self._too_long():
            raise Refused(Refusal.TOO_LARGE)
        else:
            self._parts = []

    def _ask(self, method: str, body: bytes) -> None:
        self._task = self.engine.pass_on(self._asked(method, body))

    async def _asked(self, method: str, body: bytes) -> None:
        assert self._elsewhere is not None
        try:
            answer, type, headers = await passing.ask(self.engine, self._elsewhere, method, self.request, body)
        except Unanswered as error:
            _log.warning("a session's node does not answer", extra={"node": self._elsewhere, "error": str(error)})
            self._refuse(Refusal.UNKNOWN_SESSION)  # which has the client open another one
        except asyncio.CancelledError:
            if not self.answered:
                self._refuse(Refusal.UNAVAILABLE)
            raise
        else:
            self._headers = headers
            self.answer(answer.body, type, answer.status)

    def _break_off(self, why: Disconnect) -> None:
        self._parts = None
        if self.session is None:  # it is another node's, which has heard nothing of it
            return
        assert self._transport is not None
        self._transport.posting = False
        self.session.close(why)

    def _posted(self, body: bytes) -> None:
        if self._elsewhere is not None:
            self._ask("POST", body)
            return
        session = self.session
        assert session is not None
        assert self._transport is not None
        self._transport.posting = False
        try:
            for type, data in self._decode(session, body):
                session.receive(type, data)
        except (PacketError, UnicodeDecodeError):
            session.close(disconnects.PARSE_ERROR)
            self._refuse(Refusal.BAD_REQUEST)
        else:
            self.answer(b"ok", _TEXT)

    def _decode(self, session: Session, body: bytes) -> Iterator[Received]:
        most = self.engine.options.max_packets
        if session.protocol == 4:
            return decode_payload(body.decode(), most)
        if self.request.header(b"content-type") == "application/octet-stream":
            return decode_binary_payload_v3(body, most)
        return decode_payload_v3(body.decode(), most)

    def _refuse(self, refusal: Refusal) -> None:
        self.engine.journal.refusal(refusal, self.engine.gate.address_of(self.request))
        self.answer(msgspec.json.encode({"code": refusal.code, "message": refusal.message}), _JSON, refusal.status)
