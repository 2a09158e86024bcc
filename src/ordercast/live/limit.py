"""How many connections a user may have: the newest win, and the oldest get ``force_disconnect`` with ``new_login``.

`ConnectionLimit` counts those of this node. `SharedLimit` counts over all nodes, by rows in the database that each
connection claims before it completes (`ordercast.storage.logins`): each node looks every second which of its own must
go, and Redis only makes that faster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Protocol

import structlog

from ordercast.engineio.disconnects import Disconnect
from ordercast.errors import StorageError
from ordercast.live.every import every
from ordercast.live.hints import looking
from ordercast.live.rooms import user_room
from ordercast.live.sessions import evict
from ordercast.orders.principal import Principal
from ordercast.socketio import ConnectError, Server, Socket
from ordercast.storage.logins import Claim, Login

NEW_LOGIN = Disconnect("new_login", returns=False, farewell=True)
UNAVAILABLE = Disconnect("unavailable", returns=True, close_code=1013)
"""The database is away and cannot say whether there is another connection; the client tries again by itself."""

MIN_AGE = 5.0
"""s that a socket has before a newer one may evict it. The 2016 recipe's client reconnects when it is evicted, so two
of them would evict each other for ever; the contract refuses the newcomer instead. A client that comes back with the
recovery id it was given is no newcomer, and takes its own place at any age."""

LOOK = 1.0
"""s between looks: with the eviction itself, less than the two seconds in which an older one must be gone."""

_ASK_AGAIN = 0.25
"""s between two claims of one who would evict a young socket of another node. That node beats every second: if it does
not, it is gone, and its sockets guard nothing."""

_LEAVING = 2.0  # s for the database to hear that we go; else our rows count as a dead node's

_log = structlog.get_logger("ordercast.live")


class ConnectionLimit:
    """At most ``limit`` connections per user on this node. 0: no limit. Guests are not counted: a link may be
    open in any number of places."""

    def __init__(self, io: Server, limit: int) -> None:
        self._io = io
        self._limit = limit

    def adopt(self, limit: int) -> None:
        """Another limit, for who connects from now on."""
        self._limit = limit

    def claims(self, principal: Principal) -> bool:
        """Whether `claim` must be awaited before `admit`."""
        return False

    async def claim(self, socket: Socket, principal: Principal, before: str | None) -> None:
        """Makes room on all nodes. ``before``: the pid of the connection that this one goes on with. Raises
        `ConnectError` where those it would evict are too young."""

    def admit(self, socket: Socket, principal: Principal, before: str | None) -> None:
        """Makes room on this node, as `claim`; nothing is awaited between it and the connection."""
        if not self._limit or principal.is_guest:
            return
        present = sorted(self._io.to(user_room(principal.user_id)), key=lambda one: (one.pid != before, one.data.since))
        surplus = present[: max(len(present) + 1 - self._limit, 0)]
        now = time.monotonic()
        if any(now - one.data.since < MIN_AGE and one.pid != before for one in surplus):
            raise _too_young()
        for one in surplus:
            evict(one, NEW_LOGIN)

    def connected(self, socket: Socket) -> None:
        """It is in its rooms."""

    def left(self, socket: Socket) -> None:
        """It is over."""


class Logins(Protocol):
    """Where nodes find each other's connections: `ordercast.storage.logins.SqlLogins`, or a test's own."""

    async def claim(self, login: Login, limit: int, min_age: float) -> Claim: ...

    async def evicted(self, run: str) -> Sequence[tuple[str, str]]: ...

    async def release(self, run: str, gone: Collection[tuple[str, str]]) -> None: ...

    async def release_run(self, run: str) -> None: ...


class SharedLimit(ConnectionLimit):
    """At most ``limit`` connections per user over all nodes. ``run``: of this one (`ordercast.live.nodes.Nodes`)."""

    def __init__(self, io: Server, limit: int, logins: Logins, run: str) -> None:
        super().__init__(io, limit)
        self._logins = logins
        self._run = run
        self._claiming: dict[str, tuple[str, Socket]] = {}  # by socket id, with the user: claimed or about to be
        self._asking: set[str] = set()  # of those, about to be: the database would hear of their end before that
        self._doomed: set[str] = set()  # of those, evicted before they were connected
        self._gone: set[tuple[str, str]] = set()  # (user, socket) that the database must hear of
        self._look: Callable[[], None] = lambda: None
        self._used = limit > 0  # at some time, so that there may be rows of ours
        self._told = self._told_clients = False  # that the database is away
        self.hint: Callable[[str], None] = lambda run: None
        """Tells the node of this run that it has something to see."""

    def adopt(self, limit: int) -> None:
        """See `ConnectionLimit.adopt`. Connections from before there was a limit are not counted: they have no row."""
        super().adopt(limit)
        self._used = self._used or limit > 0

    def claims(self, principal: Principal) -> bool:
        """See `ConnectionLimit.claims`."""
        return self._limit > 0 and not principal.is_guest

    async def claim(self, socket: Socket, principal: Principal, before: str | None) -> None:
        """See `ConnectionLimit.claim`. Where the database does not answer, the connection ends, for the client to try
        again."""
        user = principal.user_id
        login = Login(user, self._run, socket.id, _digest(socket.pid), _digest(before))
        self._claiming[socket.id] = user, socket
        self._asking.add(socket.id)
        try:
            claim = await self._enter(login, socket)
        except StorageError as error:
            self._over(user, socket)  # it may have been committed all the same
            if not self._told_clients:
                _log.warning("connections cannot be counted; clients are to try again", error=str(error))
                self._told_clients = True
            socket.session.close(UNAVAILABLE)
            raise ConnectError(UNAVAILABLE.reason) from None
        except BaseException:
            self._over(user, socket)
            raise
        finally:
            self._asking.discard(socket.id)
        self._told_clients = False
        for run, id in claim.evicted:
            if run == self._run:
                self._evict(user, id)
            else:
                self.hint(run)

    async def _enter(self, login: Login, socket: Socket) -> Claim:
        asked = 0
        while True:
            claim = await self._logins.claim(login, self._limit, MIN_AGE)
            if not claim.guards:
                return claim
            asked = asked or claim.at
            own = {guard.socket for guard in claim.guards if guard.run == self._run}
            if left := {id for id in own if not self._has(id)}:  # gone, and the database is about to hear of it
                await self._logins.release(self._run, {(login.user_id, id) for id in left})
            elif own or any(guard.beat > asked for guard in claim.guards) or not socket.connecting:
                raise _too_young()
            else:
                await asyncio.sleep(_ASK_AGAIN)

    def admit(self, socket: Socket, principal: Principal, before: str | None) -> None:
        """The claim has said all there is to say."""

    def connected(self, socket: Socket) -> None:
        """See `ConnectionLimit.connected`: one that was evicted meanwhile goes now."""
        self._claiming.pop(socket.id, None)
        if socket.id in self._doomed:
            self._doomed.discard(socket.id)
            evict(socket, NEW_LOGIN)

    def left(self, socket: Socket) -> None:
        """See `ConnectionLimit.left`."""
        principal: Principal = socket.data.principal
        if self._used and not principal.is_guest:
            self._over(principal.user_id, socket)

    # -- what is looked after ------------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Callable[[], None]]:
        """Evicts who must go while the context is open; gives what to call when there may be news."""
        async with looking(self.look) as self._look, every(LOOK, self._look):
            yield self._look
        if not self._used:
            return
        with suppress(StorageError, TimeoutError):
            async with asyncio.timeout(_LEAVING):
                await self._logins.release_run(self._run)

    async def look(self) -> None:
        """Evicts those of this node that a newer one has taken the place of, and says which are over."""
        if not self._used:
            return
        try:
            for user, id in await self._logins.evicted(self._run):
                self._evict(user, id)
            self._sweep()
            gone = frozenset(self._gone)
            await self._logins.release(self._run, gone)
            self._gone -= gone
        except Exception as error:  # whatever it is, the next look may go well
            if not self._told:
                _log.warning("connections on other nodes cannot be seen; trying again", error=str(error))
                self._told = True
        else:
            self._told = False

    def _has(self, id: str) -> bool:
        return id in self._claiming or id in self._io.of("/").sockets

    def _evict(self, user: str, id: str) -> None:
        socket = self._io.of("/").sockets.get(id)
        if socket is not None:
            evict(socket, NEW_LOGIN)
        elif id in self._claiming:
            self._doomed.add(id)
        else:
            self._gone.add((user, id))

    def _sweep(self) -> None:
        """Whom another middleware refused, or who left meanwhile, is never connected and never leaves."""
        for user, socket in tuple(self._claiming.values()):
            if not socket.connected and not socket.connecting and socket.id not in self._asking:
                self._over(user, socket)

    def _over(self, user: str, socket: Socket) -> None:
        self._claiming.pop(socket.id, None)
        self._doomed.discard(socket.id)
        self._gone.add((user, socket.id))
        self._look()


def _too_young() -> ConnectError:
    """Refuses a newcomer. The 2016 recipe's client would come again if its session ended, and by then evict."""
    return ConnectError(NEW_LOGIN.reason, keep_session=True)


def _digest(pid: str | None) -> str:
    """A pid as the table keeps it: short, and of no use to who reads it there."""
    return "" if pid is None else sha256(pid.encode()).hexdigest()
