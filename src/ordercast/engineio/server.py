"""Opens, finds, upgrades and closes sessions, and writes to them once per turn of the event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from ordercast.engineio import disconnects
from ordercast.engineio.deadlines import Deadlines, Timer
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.heartbeat import Heartbeat
from ordercast.engineio.packet import Packet, PacketType
from ordercast.engineio.request import Request
from ordercast.engineio.session import Session, State, Transport

_MAX_PAUSE = 0.03  # s between flushes under load: bounds what batching may add to a latency
_LIGHT_FLUSH = 0.002  # s; a flush shorter than this lets the next one come at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Times in seconds, sizes in bytes.

    ``cors_origins``: the origins pages may come from, ``"*"`` for any; the server's own host is always allowed.
    ``allow_eio3`` lets in clients of Engine.IO 3 (Socket.IO 1.x and 2.x). ``max_payload`` bounds a message and a
    polling request from a client, ``max_queue_bytes`` what may wait for one that does not read. ``allow_request`` is
    asked before a handshake; a ``False`` is a 403.
    """

    path: str = "/socket.io/"
    transports: tuple[str, ...] = ("polling", "websocket")
    allow_eio3: bool = True
    ping_interval: float = 25
    ping_timeout: float = 20
    max_payload: int = 16_384
    max_packets: int = 256
    max_queue_bytes: int = 1_048_576
    upgrade_timeout: float = 10
    linger: float = 10
    cors_origins: tuple[str, ...] = ()
    allow_request: Callable[[Request], bool] | None = None


class Probe(Protocol):
    """A WebSocket on its way to take over a polling session."""

    def probe_expired(self) -> None:
        """Called when the upgrade has had `Options.upgrade_timeout`; a finished one ignores it."""


class Handler(Protocol):
    """The layer above. Nothing here may raise."""

    def on_open(self, session: Session) -> None:
        """A session has opened; its OPEN packet is queued."""

    def on_message(self, session: Session, data: str | bytes) -> None:
        """The client sent a message."""

    def on_close(self, session: Session, why: Disconnect) -> None:
        """The session is over; called once."""


class EngineServer:
    """All sessions of this process. Lives on one event loop."""

    def __init__(self, handler: Handler, options: Options) -> None:
        self.handler = handler
        self.options = options
        self.sessions: dict[str, Session] = {}
        self.opened = 0
        self.closed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.accepting = True
        self.timer = Timer()
        self.heartbeat = Heartbeat(self.timer, options.ping_interval, options.ping_timeout)
        self._lingering: Deadlines[Session] = Deadlines(self.timer, options.linger, Session.abort)
        self._probes: Deadlines[Probe] = Deadlines(self.timer, options.upgrade_timeout, _expire)
        self._dirty: list[Session] = []
        self._not_before = 0.0

    # -- opening ------------------------------------------------------------------------------------------

    def admit(self, request: Request) -> None:
        """Whether a request may talk to us at all. Raises `Refused`."""
        if not self.origin_allowed(request):
            raise self.refuse(Refusal.FORBIDDEN)

    def origin_allowed(self, request: Request) -> bool:
        """Origin against the allow-list; requests without one do not come from a foreign page (RFC 6454)."""
        origin = request.header(b"origin")
        allowed = self.options.cors_origins
        if origin is None or "*" in allowed or origin in allowed:
            return True
        try:
            host = urlsplit(origin).netloc
        except ValueError:
            return False
        return host.lower() == (request.header(b"host") or "").lower() != ""

    def refuse(self, refusal: Refusal) -> Refused:
        """Counts a refusal and returns the exception that carries it."""
        self.refused[refusal.name.lower()] += 1
        return Refused(refusal)

    def admit_session(self, request: Request) -> None:
        """Whether a request may open a session: asked before a WebSocket is accepted. Raises `Refused`."""
        if not self.accepting:
            raise self.refuse(Refusal.UNAVAILABLE)
        if self.options.allow_request is not None and not self.options.allow_request(request):
            raise self.refuse(Refusal.FORBIDDEN)

    def open(self, request: Request, transport: Transport) -> Session:
        """A new session on this transport, its OPEN packet queued. Raises `Refused` while shutting down."""
        if not self.accepting:
            raise self.refuse(Refusal.UNAVAILABLE)
        session = Session(self, secrets.token_urlsafe(15), request, transport)
        self.sessions[session.id] = session
        self.opened += 1
        session.send(self._open_packet(session))
        self.heartbeat.start(session)
        self.handler.on_open(session)
        return session

    def _open_packet(self, session: Session) -> Packet:
        options = self.options
        upgrade = session.transport.name == "polling" and "websocket" in options.transports
        hello = {
            "sid": session.id,
            "upgrades": ["websocket"] if upgrade else [],
            "pingInterval": round(options.ping_interval * 1000),
            "pingTimeout": round(options.ping_timeout * 1000),
        }
        if session.protocol == 4:
            hello["maxPayload"] = options.max_payload
        return Packet(PacketType.OPEN, msgspec.json.encode(hello))

    def find(self, id: str) -> Session:
        """The session of this id, or `Refused`. Closing ones are still found: their last packets wait for a poll."""
        session = self.sessions.get(id)
        if session is None:
            raise self.refuse(Refusal.UNKNOWN_SESSION)
        return session

    def watch_probe(self, probe: Probe) -> None:
        """Bounds the time an upgrade may take."""
        self._probes.add(probe)

    # -- writing ------------------------------------------------------------------------------------------

    def mark_dirty(self, session: Session) -> None:
        """Has the session flushed at the end of this turn of the loop, or a little later under load.

        After a flush that took t the next waits up to t, so that flushing takes no more than about half the time
        and each write carries more (docs/decisions/0001).
        """
        session.dirty = True
        self._dirty.append(session)
        if len(self._dirty) == 1:
            loop = asyncio.get_running_loop()
            wait = self._not_before - monotonic()
            if wait > 0:
                loop.call_later(wait, self._flush)
            else:
                loop.call_soon(self._flush)

    def _flush(self) -> None:
        started = monotonic()
        dirty, self._dirty = self._dirty, []
        for session in dirty:
            session.flush()
        ended = monotonic()
        if ended - started > _LIGHT_FLUSH:
            self._not_before = ended + min(ended - started, _MAX_PAUSE)

    # -- closing ------------------------------------------------------------------------------------------

    def linger(self, session: Session) -> None:
        """Gives a closing session some time to get its last packets out."""
        self._lingering.add(session)
        self.flush_soon(session)

    def flush_soon(self, session: Session) -> None:
        """Marks the session dirty unless it is."""
        if not session.dirty:
            self.mark_dirty(session)

    def forget(self, session: Session) -> None:
        """The session has ended for good."""
        if self.sessions.pop(session.id, None) is not None:
            self.closed[session.why.reason if session.why else "transport close"] += 1

    def stop_accepting(self) -> None:
        """From now on handshakes get a 503; sessions that exist go on."""
        self.accepting = False

    async def close(self, why: Disconnect = disconnects.SHUTDOWN, grace: float = 2.0) -> None:
        """Ends all sessions, giving what is queued up to ``grace`` seconds to be written."""
        self.stop_accepting()
        for session in list(self.sessions.values()):
            session.close(why)
        deadline = monotonic() + grace
        while self.sessions and monotonic() < deadline:  # noqa: ASYNC110 - sessions end in many ways, once a lifetime
            await asyncio.sleep(0.02)
        for session in list(self.sessions.values()):
            session.abort()
        self.timer.close()

    def __len__(self) -> int:
        return sum(1 for session in self.sessions.values() if session.state is State.OPEN)


def _expire(probe: Probe) -> None:
    probe.probe_expired()
