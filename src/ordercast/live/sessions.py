"""The life of an authenticated socket: who it is, and when its token ends."""

from __future__ import annotations

import asyncio
import heapq
import time
from itertools import count
from typing import TYPE_CHECKING

from ordercast.engineio.disconnects import Disconnect
from ordercast.orders.principal import Principal
from ordercast.socketio import Socket

if TYPE_CHECKING:
    from ordercast.live.replay import Resume

TOKEN_EXPIRED = Disconnect("token_expired", returns=False, farewell=True)
REVOKED = Disconnect("revoked", returns=False, farewell=True)

WARNING = 60.0
"""s before its token ends that a socket is told."""

_SWEEP = 1_000  # entries that may be stale before a sweep pays
_LONGEST_SLEEP = 30.0  # s; token times are wall-clock times, and the wall clock may be set


class Member:
    """What `Socket.data` holds on an Ordercast server."""

    __slots__ = ("principal", "resume", "since", "watching")

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.since = time.monotonic()
        self.watching: set[str] | None = None
        self.resume: Resume | None = None  # between its middleware and its connection


def evict(socket: Socket, why: Disconnect) -> None:
    """Ends a socket that must go: `force_disconnect` with the reason, then DISCONNECT, after what was queued."""
    socket.emit("force_disconnect", {"reason": why.reason})
    socket.disconnect(close=True, why=why)


class TokenClock:
    """Warns sockets a minute before their token ends, and ends them when it does. One timer for all."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, bool, Socket]] = []  # (at, tie, whether it is the end, socket)
        self._tie = count()
        self._timer: asyncio.TimerHandle | None = None
        self._stale = 0

    def watch(self, socket: Socket, expires_at: float) -> None:
        """``expires_at``: seconds since the epoch."""
        warn_at = expires_at - WARNING
        ends = warn_at <= time.time()
        heapq.heappush(self._due, (expires_at if ends else warn_at, next(self._tie), ends, socket))
        if self._due[0][3] is socket:
            self._arm()

    def forget(self) -> None:
        """An entry counts no more: its socket has gone or has a newer token. Now and then they are swept out."""
        self._stale += 1
        if self._stale > len(self._due) // 2 + _SWEEP:
            self._due = [entry for entry in self._due if self._counts(entry)]
            heapq.heapify(self._due)
            self._stale = 0

    @staticmethod
    def _counts(entry: tuple[float, int, bool, Socket]) -> bool:
        at, _, ends, socket = entry
        expires_at = socket.data.principal.expires_at
        return socket.connected and expires_at is not None and at == expires_at - (0 if ends else WARNING)

    def close(self) -> None:
        """Stops the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._due.clear()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            wait = min(max(self._due[0][0] - time.time(), 0), _LONGEST_SLEEP)
            self._timer = asyncio.get_running_loop().call_later(wait, self._run)

    def _run(self) -> None:
        now = time.time()
        while self._due and self._due[0][0] <= now:
            _, _, ends, socket = heapq.heappop(self._due)
            principal: Principal = socket.data.principal
            if not socket.connected or principal.expires_at is None:
                continue
            if principal.expires_at - (0 if ends else WARNING) > now:
                continue  # a newer token has an entry of its own
            if ends:
                evict(socket, TOKEN_EXPIRED)
            else:
                socket.emit("token:expiring", {"expiresAt": round(principal.expires_at)})
                heapq.heappush(self._due, (principal.expires_at, next(self._tie), True, socket))
        self._arm()
