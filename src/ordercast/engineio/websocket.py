"""A session over a WebSocket, whichever server carries the frames: what both carriers share.

The fast one is an asyncio protocol for uvicorn (`uvicorn_websocket.py`), the other plain ASGI
(`asgi_websocket.py`).
https://socket.io/docs/v4/engine-io-protocol/#websocket
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ordercast.engineio import disconnects
from ordercast.engineio.batch import Batch
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import PacketError, Refusal, Refused
from ordercast.engineio.packet import NOOP, PROBE_REPLY, PacketType, decode_packet
from ordercast.engineio.payload import binary_packet_v3, decode_packet_v3
from ordercast.engineio.polling import PollingTransport
from ordercast.engineio.query import parse_handshake_query
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer
from ordercast.engineio.session import Session, State


class WebSocketTransport(ABC):
    """Binds one WebSocket to a session: a new one, or, by the probe, one that began on polling."""

    __slots__ = ("_base64", "candidate", "engine", "protocol", "session", "writable")

    name = "websocket"
    closes_apart = False

    def __init__(self, engine: EngineServer) -> None:
        self.engine = engine
        self.session: Session | None = None
        self.candidate: Session | None = None  # the session that this socket probes for
        self.writable = True
        self.protocol = 4
        self._base64 = False

    # What a carrier provides.

    @abstractmethod
    def write(self, packets: Batch) -> None:
        """Sends the packets in one write."""

    @abstractmethod
    def end(self, packets: Batch, why: Disconnect) -> None:
        """Sends the packets and a close frame."""

    @abstractmethod
    def abort(self) -> None:
        """Drops the connection."""

    # What a carrier calls.

    def check(self, request: Request) -> Session | None:
        """Before the WebSocket handshake is answered: the session it wants to upgrade, ``None`` for a new one.

        Raises `Refused`.
        """
        self.engine.gate.check_request(request)
        query = parse_handshake_query(self.engine, request.query_string)
        if query.transport != "websocket":
            raise Refused(Refusal.BAD_REQUEST)
        self.protocol, self._base64 = query.protocol, query.base64
        if query.sid is None:
            self.engine.gate.check_session(request)
            return None
        session = self.engine.find(query.sid)
        if session.protocol != query.protocol:
            raise Refused(Refusal.BAD_REQUEST)
        return session

    def frames(self, packets: Batch) -> bytes:
        """The packets as frames of this client's protocol."""
        return packets.frames if self.protocol == 4 else packets.frames_v3(self._base64)

    def opened(self, request: Request, candidate: Session | None, id: str | None = None) -> None:
        """The WebSocket handshake is done. ``id`` is for a new session, where the handshake has named it."""
        if candidate is None:
            self.session = self.engine.open(request, self, id)
        elif candidate.state is State.OPEN and isinstance(candidate.transport, PollingTransport):
            self.candidate = candidate
            self.engine.watch_probe(self)
        else:
            self.end(Batch(), disconnects.TRANSPORT_ERROR)  # upgraded before; that connection goes on undisturbed

    def text(self, data: str) -> None:
        """A text message has come."""
        content: str | bytes
        try:
            type, content = decode_packet(data) if self.protocol == 4 else decode_packet_v3(data)
        except PacketError:
            self._bad_packet()
            return
        if self.session is not None:
            self.session.receive(type, content)
        elif self.candidate is not None:
            self._probe(self.candidate, type, content)
        # else: closed already, and what still arrives is nobody's

    def binary(self, data: bytes) -> None:
        """A binary message has come: always a MESSAGE, in protocol 4 bare."""
        if self.session is None:
            self._bad_packet()
            return
        try:
            self.session.receive(*((PacketType.MESSAGE, data) if self.protocol == 4 else binary_packet_v3(data)))
        except PacketError:
            self._bad_packet()

    def gone(self, why: Disconnect) -> None:
        """The connection is over."""
        self.writable = False
        if self.session is not None:
            self.session.lost(why)
        elif self.candidate is not None and self.candidate.upgrading is self:
            self.candidate.upgrading = None  # the session goes on where it was
        self.candidate = None

    def probe_expired(self) -> None:
        """The client began an upgrade and did not finish it in time."""
        if self.candidate is not None:
            self.abort()

    def _probe(self, session: Session, type: PacketType, content: str | bytes) -> None:
        polling = session.transport
        if session.state is State.CLOSED or not isinstance(polling, PollingTransport):
            self.end(Batch(), disconnects.TRANSPORT_ERROR)
        elif type is PacketType.PING and content == "probe" and session.state is State.OPEN:
            if self.writable:  # else the peer has asked a thousand times and reads nothing
                self.write(Batch([PROBE_REPLY]))
            # The client upgrades once its pending poll has returned; packets go on over polling until then.
            session.upgrading = self
            if polling.writable:
                polling.write(Batch([NOOP]))
        elif type is PacketType.UPGRADE and session.upgrading is self:
            # Also where the session has begun to close meanwhile: this client polls no more, and waits here.
            if polling.writable:
                polling.write(Batch([NOOP]))
            self.session, self.candidate = session, None
            session.upgrade(self)
        else:
            self._bad_packet()

    def _bad_packet(self) -> None:
        if self.session is not None:
            self.session.close(disconnects.PARSE_ERROR)
        else:
            self.end(Batch(), disconnects.PARSE_ERROR)
