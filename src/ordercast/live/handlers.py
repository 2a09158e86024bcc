"""A client comes with a token, goes on with another, and goes."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import structlog

from ordercast.auth import TokenVerifier, find_token
from ordercast.errors import AuthError, InvalidToken, StorageError
from ordercast.live.limit import ConnectionLimit
from ordercast.live.monitor import Monitor
from ordercast.live.replay import Replay
from ordercast.live.rooms import rooms_on_connect
from ordercast.live.sessions import REVOKED, Member, TokenClock, evict
from ordercast.live.watching import Watching
from ordercast.orders.ports import Revocations
from ordercast.orders.principal import Principal
from ordercast.orders.service import OrderService
from ordercast.socketio import ConnectError, Server, Socket

_log = structlog.get_logger("ordercast.live")


class Handlers:
    """Binds them to a Socket.IO server."""

    def __init__(
        self,
        io: Server,
        verifier: TokenVerifier,
        orders: OrderService,
        monitor: Monitor,
        limit: ConnectionLimit,
        clock: TokenClock,
        replay: Replay,
        watching: Watching,
        revocations: Revocations,
    ) -> None:
        self._verifier = verifier
        self._orders = orders
        self._monitor = monitor
        self._limit = limit
        self._clock = clock
        self._replay = replay
        self._watching = watching
        self._revocations = revocations
        self._io = io
        io.use(self.authenticate)
        io.on("connection", self.connected)
        io.on("disconnect", self.disconnected)
        io.on("auth:refresh", self.refresh)

    def authenticate(self, socket: Socket) -> Awaitable[None] | None:
        """Middleware: no connection without a token. Awaits only where keys or a replay's beginning must be fetched."""
        handshake = socket.handshake
        token = find_token(handshake.auth, handshake.request.query_string, handshake.request.header(b"authorization"))
        if not self._verifier.is_local:
            return self._authenticate_later(socket, token)
        try:
            principal = self._verifier.verify_now(token)
        except AuthError as error:
            raise self._refused(socket, error) from None
        return self._admit(socket, principal)

    async def _authenticate_later(self, socket: Socket, token: object) -> None:
        try:
            principal = await self._verifier.verify(token)
        except AuthError as error:
            raise self._refused(socket, error) from None
        if (more := self._admit(socket, principal)) is not None:
            await more

    def _admit(self, socket: Socket, principal: Principal) -> Awaitable[None] | None:
        if self._limit.claims(principal) or self._replay.wanted(socket.handshake):
            return self._admit_later(socket, principal)
        socket.pid = self._replay.new_pid(principal)
        self._let_in(socket, principal)
        return None

    async def _admit_later(self, socket: Socket, principal: Principal) -> None:
        resume = None
        if self._replay.wanted(socket.handshake):
            resume = await self._replay.plan(socket, principal)
        else:
            socket.pid = self._replay.new_pid(principal)
        if self._limit.claims(principal):
            await self._limit.claim(socket, principal, self._replay.pid_before(socket.handshake, principal))
        member = self._let_in(socket, principal)
        if resume is not None:
            member.resume = resume
            member.watching = set(resume.watching) or None

    def _let_in(self, socket: Socket, principal: Principal) -> Member:
        """The last word of the middleware: nothing is awaited between it and `connected`."""
        if self._revocations.is_revoked(principal):
            raise self._refused(socket, InvalidToken("revoked"))
        self._limit.admit(socket, principal, self._replay.pid_before(socket.handshake, principal))
        member = socket.data = Member(principal)
        return member

    def _refused(self, socket: Socket, error: AuthError) -> ConnectError:
        _log.info("connection refused", message=str(error), why=error.why, address=socket.handshake.address)
        return ConnectError(str(error))

    def connected(self, socket: Socket) -> None:
        """Puts the socket where its token says it belongs."""
        principal: Principal = socket.data.principal
        member: Member = socket.data
        socket.join(*rooms_on_connect(principal))
        if (resume := member.resume) is not None:
            open_still = self._watching.resume(socket, resume)
            self._replay.begin(socket, resume)
            self._watching.tell(socket, open_still)
            member.resume = None
        if principal.is_guest:
            self._io.spawn(self._look_at_link(socket))
        if principal.expires_at is not None:
            self._clock.watch(socket, principal.expires_at)
        self._monitor.came(principal)
        self._limit.connected(socket)
        _log.info("connected", user=principal.user_id, role=principal.role.value, sid=socket.id)

    def disconnected(self, socket: Socket, reason: str) -> None:
        """Counts it out; rooms are left by then, and a replay for it ends here."""
        socket.session.drop_held(socket)
        socket.session.release(socket)
        self._clock.forget()
        principal: Principal = socket.data.principal
        self._monitor.went(principal)
        self._limit.left(socket)
        _log.info("disconnected", user=principal.user_id, role=principal.role.value, sid=socket.id, reason=reason)

    def revoked(self) -> None:
        """Tokens have been revoked: those who came with them go."""
        for socket in tuple(self._io.of("/").sockets.values()):
            if self._revocations.is_revoked(socket.data.principal):
                evict(socket, REVOKED)

    async def _look_at_link(self, socket: Socket) -> None:
        """A share link that has ended, since its order became another customer's, is none to stay connected with."""
        principal: Principal = socket.data.principal
        order_id = principal.order_id or ""
        try:
            shown = await self._orders.visible(frozenset({order_id}), principal)
        except StorageError as error:
            _log.error("whether a share link still shows its order is not known", error=str(error))
        else:
            if order_id not in shown and socket.connected:
                evict(socket, REVOKED)

    async def refresh(self, socket: Socket, token: Any = None, *_: Any) -> dict[str, Any]:
        """A new token of the same user: the connection goes on with it, in the rooms that it gives."""
        member: Member = socket.data
        before = member.principal
        try:
            principal = await self._verifier.verify(token)
        except AuthError as error:
            return {"error": str(error)}
        same = (principal.user_id, principal.order_id) == (before.user_id, before.order_id)
        if not same or self._revocations.is_revoked(principal):
            return {"error": "Invalid token"}
        if not socket.connected:
            return {"error": "Authentication required"}
        member.principal = principal
        self._clock.forget()
        self._monitor.went(before)
        self._monitor.came(principal)
        for room in set(rooms_on_connect(before)).difference(rooms_on_connect(principal)):
            socket.leave(room)
        socket.join(*rooms_on_connect(principal))
        if principal.expires_at is not None:
            self._clock.watch(socket, principal.expires_at)
        if member.watching:
            await self._watching.look_again(socket, frozenset(member.watching))
        return {"expiresAt": None if principal.expires_at is None else round(principal.expires_at)}
