"""Opens, finds, upgrades and closes sessions, and writes to them once per turn of the event loop."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any, Protocol

import msgspec

from ordercast.engineio import disconnects
from ordercast.engineio.backlog import CONFLATE_ABOVE, Backlog
from ordercast.engineio.batch import Batch, complete
from ordercast.engineio.deadlines import Deadlines, Timer
from ordercast.engineio.disconnects import Disconnect
from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.gate import Gate
from ordercast.engineio.heartbeat import Heartbeat
from ordercast.engineio.journal import Journal
from ordercast.engineio.options import Options
from ordercast.engineio.packet import Packet, PacketType
from ordercast.engineio.peers import Peers
from ordercast.engineio.request import Request
from ordercast.engineio.session import Session, State, Transport

_log = logging.getLogger("ordercast.engineio")

_MAX_PAUSE = 0.03  # s between flushes under load: bounds what batching may add to a latency
_LIGHT_FLUSH = 0.002  # s; a flush shorter than this lets the next one come at once


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
        self.gate = Gate(options)
        self.journal = Journal()
        self.timer = Timer()
        self._heartbeats: dict[tuple[float, float], Heartbeat] = {}
        self.heartbeat = self._heartbeat(options)
        self._lingering: Deadlines[Session] = Deadlines(self.timer, options.linger, Session.abort)
        self._probes: Deadlines[Probe] = Deadlines(self.timer, options.upgrade_timeout, _expire)
        self._late: Deadlines[tuple[Session, int]] = Deadlines(self.timer, options.max_queue_time, self._still_behind)
        self._backlogs = 0
        self.conflated = 0
        self.dropped = 0
        self.locate: Callable[[str], str | None] = lambda name: None
        """The address (``http://host:port``) of the node of this name, as far as anyone knows."""
        self.peers = Peers()
        self.passed_on = 0
        self._passing: set[asyncio.Task[None]] = set()
        self._dirty: list[Session] = []
        self._not_before = 0.0
        self._last: list[Packet] = []
        self._batch = Batch()

    def adopt(self, options: Options) -> None:
        """Other options from now on. Sessions that are there keep the heartbeat that their clients were told, and
        what else their transports began with."""
        self.options = options
        self.heartbeat = self._heartbeat(options)
        self.gate.adopt(options, self.sessions.values())
        self._probes.delay = options.upgrade_timeout
        self._late.delay = options.max_queue_time

    def _heartbeat(self, options: Options) -> Heartbeat:
        """One for all sessions that were told the same."""
        times = options.ping_interval, options.ping_timeout
        if times not in self._heartbeats:
            self._heartbeats[times] = Heartbeat(self.timer, *times)
        return self._heartbeats[times]

    # -- opening ------------------------------------------------------------------------------------------

    def open(self, request: Request, transport: Transport, id: str | None = None) -> Session:
        """A new session on this transport, its OPEN packet queued. The caller has asked `gate` before."""
        session = Session(self, id or self.new_id(), request, transport)
        self.gate.enter(session)
        self.sessions[session.id] = session
        self.opened += 1
        session.send(self._open_packet(session))
        session.heartbeat.start(session)
        self.handler.on_open(session)
        return session

    def new_id(self) -> str:
        """A session's id: unguessable, since it is all that a polling client shows for itself."""
        node, id = self.options.node, secrets.token_urlsafe(15)
        return f"{node}.{id}" if node else id

    def cookie(self, id: str) -> bytes | None:
        """The value of ``Set-Cookie`` for a handshake, where the options ask for one."""
        name = self.options.cookie
        return None if name is None else f"{name}={id}; Path=/; HttpOnly; SameSite=Lax".encode()

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
            raise Refused(Refusal.UNKNOWN_SESSION)
        return session

    def pass_on(self, asking: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Has another node asked, until the answer is there or this engine closes."""
        self.passed_on += 1
        task = asyncio.get_running_loop().create_task(asking)
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)
        return task

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
            try:
                session.flush()
            except Exception:
                # One transport's fault must not keep the others' packets.
                _log.exception("a session could not be written to")
                session.abort()
        self._last, self._batch = [], Batch()  # nothing is kept for those who may come later
        ended = monotonic()
        if ended - started > _LIGHT_FLUSH:
            self._not_before = ended + min(ended - started, _MAX_PAUSE)

    def batch(self, packets: list[Packet]) -> Batch:
        """What a write of these packets carries. Where many clients get the same it is made for the first of them."""
        if packets != self._last:
            self._last, self._batch = packets, complete(packets)
        return self._batch

    def behind(self, session: Session) -> None:
        """The client cannot take what waits for it: bounds that in bytes and in time."""
        backlog = session.backlog
        if backlog is None:
            self._backlogs += 1
            backlog = session.backlog = Backlog(self._backlogs)
            if session.transport.name != "polling":  # between polls it is always behind, and its pings bound that
                self._late.add((session, backlog.number))
        before = backlog.conflated
        backlog.take(session.queue, self.options.max_queue_bytes * CONFLATE_ABOVE)
        self.conflated += backlog.conflated - before
        if backlog.bytes > self.options.max_queue_bytes:
            self._cut(session)

    def _still_behind(self, late: tuple[Session, int]) -> None:
        session, number = late
        if session.backlog is not None and session.backlog.number == number:
            self._cut(session)

    def _cut(self, session: Session) -> None:
        if session.state is State.OPEN:
            session.end_backlog()
            self.dropped += len(session.queue)
            session.close(disconnects.SLOW_CONSUMER)

    def waiting(self) -> tuple[int, int]:
        """How many clients are behind, and how many bytes wait for them."""
        backlogs = [session.backlog.bytes for session in self.sessions.values() if session.backlog is not None]
        return len(backlogs), sum(backlogs)

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
            self.gate.leave(session)
            self.journal.end(session.why or disconnects.TRANSPORT_CLOSE, self.gate.address_of(session.request))

    def stop_accepting(self) -> None:
        """From now on handshakes get a 503; sessions that exist go on."""
        self.gate.accepting = False

    def begin_close(self, why: Disconnect = disconnects.SHUTDOWN) -> None:
        """Ends all sessions, those that wait for a poll or have something queued as soon as that is done."""
        self.stop_accepting()
        for task in self._passing:
            task.cancel()
        self.peers.close()
        for session in list(self.sessions.values()):
            session.close(why)

    async def close(self, why: Disconnect = disconnects.SHUTDOWN, grace: float = 2.0) -> None:
        """Ends all sessions, giving what is queued up to ``grace`` seconds to be written."""
        self.begin_close(why)
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
