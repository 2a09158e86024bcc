"""Who is still there: one timer for all sessions.

Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/#heartbeat): the server sends a PING every interval and
ends the session when no PONG has come within the timeout.
"""

from __future__ import annotations

from ordercast.engineio import disconnects
from ordercast.engineio.deadlines import Deadlines, Timer
from ordercast.engineio.packet import PING
from ordercast.engineio.session import Session, State


class Heartbeat:
    """``interval`` and ``timeout`` in seconds, the same for every session."""

    def __init__(self, timer: Timer, interval: float, timeout: float) -> None:
        self._pings: Deadlines[Session] = Deadlines(timer, interval, self._ping)
        self._timeouts: Deadlines[Session] = Deadlines(timer, timeout, self._check)

    def start(self, session: Session) -> None:
        """Begins to watch a session that has just opened."""
        self._pings.add(session)

    def _ping(self, session: Session) -> None:
        if session.state is State.OPEN:
            session.awaits_pong = True
            session.send(PING)
            self._timeouts.add(session)

    def _check(self, session: Session) -> None:
        if session.state is not State.OPEN:
            return
        if session.awaits_pong:
            session.close(disconnects.PING_TIMEOUT)
        else:
            self._pings.add(session)
