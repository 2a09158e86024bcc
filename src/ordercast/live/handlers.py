"""What a client may do: connect with a token, watch an order, stop watching it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import structlog

from ordercast.auth import TokenVerifier, find_token
from ordercast.errors import AuthError, NotFound
from ordercast.live.feed import Feed
from ordercast.live.monitor import Monitor
from ordercast.live.rooms import order_room, rooms_on_connect
from ordercast.live.sessions import ConnectionLimit, Member, TokenClock
from ordercast.orders.ids import json_id, parse_id
from ordercast.orders.models import Snapshot
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
    ) -> None:
        self._verifier = verifier
        self._orders = orders
        self._feed = feed
        self._monitor = monitor
        self._limit = limit
        self._clock = clock
        io.use(self.authenticate)
        io.on("connection", self.connected)
        io.on("disconnect", self.disconnected)
        io.on("watch:order", self.watch_order)
        io.on("unwatch:order", self.unwatch_order)

    # -- coming and going ----------------------------------------------------------------------------------

    def authenticate(self, socket: Socket) -> Awaitable[None] | None:
        """Middleware: no connection without a token. Awaits only where keys must be fetched."""
        handshake = socket.handshake
        token = find_token(handshake.auth, handshake.request.query_string, handshake.request.header(b"authorization"))
        if self._verifier.is_local:
            try:
                self._admit(socket, self._verifier.verify_now(token))
            except AuthError as error:
                raise self._refused(socket, error) from None
            return None
        return self._authenticate_later(socket, token)

    async def _authenticate_later(self, socket: Socket, token: object) -> None:
        try:
            self._admit(socket, await self._verifier.verify(token))
        except AuthError as error:
            raise self._refused(socket, error) from None

    def _admit(self, socket: Socket, principal: Principal) -> None:
        self._limit.admit(principal)
        socket.data = Member(principal)

    def _refused(self, socket: Socket, error: AuthError) -> ConnectError:
        _log.info("connection refused", message=str(error), why=error.why, address=socket.handshake.address)
        return ConnectError(str(error))

    def connected(self, socket: Socket) -> None:
        """Puts the socket where its token says it belongs."""
        principal: Principal = socket.data.principal
        socket.join(*rooms_on_connect(principal))
        if principal.expires_at is not None:
            self._clock.watch(socket, principal.expires_at)
        self._monitor.came(principal)
        _log.info("connected", user=principal.user_id, role=principal.role.value, sid=socket.id)

    def disconnected(self, socket: Socket, reason: str) -> None:
        """Counts it out; rooms are left by then."""
        principal: Principal = socket.data.principal
        self._monitor.went(principal)
        _log.info("disconnected", user=principal.user_id, role=principal.role.value, sid=socket.id, reason=reason)

    # -- watching ------------------------------------------------------------------------------------------

    async def watch_order(self, socket: Socket, order_id: Any = None, *_: Any) -> dict[str, Any]:
        """Joins ``order:{id}`` and answers with a snapshot that leaves no crack before the first event."""
        id = parse_id(order_id)
        if id is None:
            return self._deny(socket, None, "invalid_order_id")
        member: Member = socket.data
        member.watching = member.watching or set()
        member.watching.add(id)
        try:
            snapshot = await self._join(socket, id)
        except NotFound:
            member.watching.discard(id)
            return self._deny(socket, id, "not_found")
        await self._feed.reached(snapshot.position)
        order = snapshot.order
        answer = {
            "orderId": json_id(id),
            "status": order.status,
            "version": order.version,
            "position": snapshot.position,
        }
        if id in member.watching:
            socket.emit("watching", answer)
        return answer

    async def _join(self, socket: Socket, id: str) -> Snapshot:
        """Joins the order's room, if the caller may see it, and reads it at a position the room has not passed.

        Events up to the snapshot's position are in it; later ones come through the room. A snapshot read before
        the join may miss what the feed emitted in between, and is read again.
        """
        member: Member = socket.data
        while True:
            snapshot = await self._orders.snapshot(id, member.principal)
            if socket.connected and member.watching is not None and id in member.watching:
                socket.join(order_room(id))
            if snapshot.position >= self._feed.position:
                return snapshot

    def _deny(self, socket: Socket, id: str | None, error: str) -> dict[str, Any]:
        answer = {"orderId": None if id is None else json_id(id), "error": error}
        socket.emit("watch:denied", answer)
        return answer

    def unwatch_order(self, socket: Socket, order_id: Any = None, *_: Any) -> None:
        """Leaves ``order:{id}``; not watching it is no error."""
        id = parse_id(order_id)
        member: Member = socket.data
        if id is not None and member.watching is not None:
            member.watching.discard(id)
            socket.leave(order_room(id))
