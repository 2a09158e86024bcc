"""What a client may do: connect with a token, watch an order, stop watching it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import structlog

from ordercast.auth import TokenVerifier, find_token
from ordercast.errors import AuthError, InvalidToken, NotFound, StorageError
from ordercast.live.feed import Feed
from ordercast.live.limit import ConnectionLimit
from ordercast.live.monitor import Monitor
from ordercast.live.replay import Replay
from ordercast.live.rooms import guests_room, order_room, rooms_on_connect, watch_room
from ordercast.live.sessions import REVOKED, Member, TokenClock, evict
from ordercast.orders.ids import json_id, parse_id
from ordercast.orders.models import OrderEvent, Snapshot
from ordercast.orders.ports import Revocations, Watches
from ordercast.orders.principal import Principal
from ordercast.orders.service import OrderService
from ordercast.socketio import ConnectError, Server, Socket

_log = structlog.get_logger("ordercast.live")


class Handlers:
    """Binds the contract's events to a Socket.IO server."""

    def __init__(
        self,
        io: Server,
        verifier: TokenVerifier,
        orders: OrderService,
        feed: Feed,
        monitor: Monitor,
        limit: ConnectionLimit,
        clock: TokenClock,
        replay: Replay,
        watches: Watches,
        revocations: Revocations,
        max_watches: int,
    ) -> None:
        self._verifier = verifier
        self._orders = orders
        self._feed = feed
        self._monitor = monitor
        self._limit = limit
        self._clock = clock
        self._replay = replay
        self._watches = watches
        self._revocations = revocations
        self.max_watches = max_watches
        """Orders that one socket may watch; 0: no limit."""
        self._io = io
        feed.speaker.moved = self.moved
        io.use(self.authenticate)
        io.on("connection", self.connected)
        io.on("disconnect", self.disconnected)
        io.on("watch:order", self.watch_order)
        io.on("unwatch:order", self.unwatch_order)
        io.on("auth:refresh", self.refresh)

    # -- coming and going ----------------------------------------------------------------------------------

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
            # Not into those of orders that others may have got since: `_tell` joins them, if it still may.
            moved = {id for id in resume.watching if self._feed.speaker.moves.since(id, resume.moves)}
            socket.join(*(watch_room(principal, id) for id in resume.watching - moved))
            self._replay.begin(socket, resume)
            for order_id in resume.watching if resume.position is None else moved:
                self._io.spawn(self._tell(socket, order_id))
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

    def moved(self, event: OrderEvent) -> tuple[str, ...]:
        """An order is another customer's or shop's now: who watches it and may not see it any more is out, and share
        links of before have ended. Returns the sockets that were told.

        What is stored of their watches may stay: whoever comes back with it is asked for the right again.
        """
        id, namespace = event.order_id, self._io.of("/")
        for socket in tuple(namespace.members(guests_room(id))):
            if not socket.data.principal.may_see(event):
                evict(socket, REVOKED)
        out = [one for one in tuple(namespace.members(order_room(id))) if not one.data.principal.may_see(event)]
        for socket in out:
            self._leave(socket, id)
            self._deny(socket, id, "not_found")
        return tuple(socket.id for socket in out)

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
            await self._look_again(socket, frozenset(member.watching))
        return {"expiresAt": None if principal.expires_at is None else round(principal.expires_at)}

    async def _look_again(self, socket: Socket, watched: frozenset[str]) -> None:
        """The caller's rights have changed: an order it may not see any more is not watched any more."""
        lost = watched - await self._orders.visible(watched, socket.data.principal)
        for id in lost:
            self._leave(socket, id)
            self._deny(socket, id, "not_found")
        if socket.pid is not None:
            await asyncio.gather(*(self._watches.drop(socket.pid, id) for id in lost))  # in one commit, or a few

    # -- watching ------------------------------------------------------------------------------------------

    async def watch_order(self, socket: Socket, order_id: Any = None, *_: Any) -> dict[str, Any]:
        """Joins ``order:{id}`` and answers with a snapshot that leaves no crack before the first event."""
        id = parse_id(order_id)
        if id is None:
            return self._deny(socket, None, "invalid_order_id")
        member: Member = socket.data
        member.watching = member.watching or set()
        if 0 < self.max_watches <= len(member.watching) and id not in member.watching:
            return self._deny(socket, id, "too_many_watches")
        member.watching.add(id)
        try:
            snapshot = await self._now(socket, id, save=True)
        except NotFound:
            self._leave(socket, id)  # it may have been in before the order became somebody else's
            return self._deny(socket, id, "not_found")
        answer = _watching(snapshot)
        if id in member.watching:
            socket.emit("watching", answer)
        return answer

    async def _tell(self, socket: Socket, id: str) -> None:
        """A fresh snapshot of an order that is watched already."""
        try:
            snapshot = await self._now(socket, id, save=False)
        except NotFound:
            self._leave(socket, id)
            self._deny(socket, id, "not_found")
            return
        if id in (socket.data.watching or ()):
            socket.emit("watching", _watching(snapshot))

    async def _now(self, socket: Socket, id: str, *, save: bool) -> Snapshot:
        """Joins the order's room, and reads the order until nothing newer of it has gone out: a client takes what comes
        last for the newest, and an event that came before this answer may say less of the order. The caller's rights
        are those of then. ``save``: the watch outlives the connection. Raises `NotFound`."""
        member: Member = socket.data
        with self._feed.latest.of(id) as newest:
            principal = member.principal
            snapshot = await self._join(socket, id)
            if save and socket.pid is not None:
                await self._watches.save(socket.pid, member.principal.user_id, id)
            await self._feed.reached(snapshot.position)
            while newest() > snapshot.order.version or member.principal is not principal:
                principal = member.principal
                snapshot = await self._join(socket, id)
                await self._feed.reached(snapshot.position)
            return snapshot

    async def _join(self, socket: Socket, id: str) -> Snapshot:
        """Joins the order's room, if the caller may see it, and reads it at a position the room has not passed.

        Events up to the snapshot's position are in it; later ones come through the room. A snapshot read before
        the join may miss what the feed emitted in between, and is read again; also where the order may have become
        somebody else's meanwhile.
        """
        member: Member = socket.data
        moves = self._feed.speaker.moves
        while True:
            count = moves.count
            snapshot = await self._orders.snapshot(id, member.principal)
            if socket.connected and member.watching is not None and id in member.watching:
                socket.join(watch_room(member.principal, id))
            if snapshot.position >= self._feed.position and not moves.since(id, count):
                return snapshot

    def _deny(self, socket: Socket, id: str | None, error: str) -> dict[str, Any]:
        answer = {"orderId": None if id is None else json_id(id), "error": error}
        socket.emit("watch:denied", answer)
        return answer

    async def unwatch_order(self, socket: Socket, order_id: Any = None, *_: Any) -> None:
        """Leaves ``order:{id}``; not watching it is no error."""
        id = parse_id(order_id)
        if id is not None and socket.data.watching is not None and id in socket.data.watching:
            self._leave(socket, id)
            if socket.pid is not None:
                await self._watches.drop(socket.pid, id)

    def _leave(self, socket: Socket, id: str) -> None:
        member: Member = socket.data
        if member.watching is not None:  # `None`: the host's own code put it into the room
            member.watching.discard(id)
        socket.leave(watch_room(socket.data.principal, id))


def _watching(snapshot: Snapshot) -> dict[str, Any]:
    order = snapshot.order
    return {
        "orderId": json_id(order.order_id),
        "status": order.status,
        "version": order.version,
        "position": snapshot.position,
    }
