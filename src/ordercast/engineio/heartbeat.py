"""Who is still there: one timer for all sessions.

Engine.IO 4 (https://socket.io/docs/v4/engine-io-protocol/#heartbeat): the server sends a PING every interval and
ends the session when no PONG has come within the timeout. In version 3 the client sends the PING, and the session ends
when none has come for an interval and a timeout together.

`Session.ping` is the number of the ping that waits for its answer (0: none), in version 3 when the client's last came.
"""

from __future__ import annotations

from ordercast.engineio import disconnects
from ordercast.engineio.deadlines import Deadlines, Timer
from ordercast.engineio.packet import PING
from ordercast.engineio.session import Session, State

_PER_SECOND = 10  # pings of one client whose deadlines are kept: a flood of them must not fill the memory


class Heartbeat:
    """``interval`` and ``timeout`` in seconds, the same for every session that was opened with it.

    The next PING follows an interval after the PONG, as in the reference server: clients give up when none has come
    for interval and timeout together, whatever else they receive.
    """

    def __init__(self, timer: Timer, interval: float, timeout: float) -> None:
        self._pings: Deadlines[Session] = Deadlines(timer, interval, self._ping)
        self._timeouts: Deadlines[tuple[Session, int]] = Deadlines(timer, timeout, self._check)
        self._silences: Deadlines[tuple[Session, int]] = Deadlines(timer, interval + timeout, self._check)
        self._timer = timer
        self._sent = 0

    def start(self, session: Session) -> None:
        """Begins to watch a session that has just opened."""
        if session.protocol == 3:
            self.pinged(session)
        else:
            self._pings.add(session)

    def pinged(self, session: Session) -> None:
        """A client of version 3 has sent a PING, or has just come."""
        tenth = int(self._timer.now() * _PER_SECOND)
        if session.ping != tenth:
            session.ping = tenth
            self._silences.add((session, tenth))

    def _ping(self, session: Session) -> None:
        if session.state is State.OPEN:
            self._sent += 1
            session.ping = self._sent
            session.send(PING)
            self._timeouts.add((session, self._sent))

    def pong(self, session: Session) -> None:
        """The client has answered. A PONG that nobody asked for changes nothing."""
        if session.ping:
            session.ping = 0
            self._pings.add(session)

    def _check(self, pinged: tuple[Session, int]) -> None:
        session, ping = pinged
        # A ping that was answered, or that another one followed, has been looked at in its own time.
        if session.ping == ping:
            session.close(disconnects.PING_TIMEOUT)
