"""What a client may do: watch an order, stop watching it. And what ends that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from ordercast.errors import NotFound
from ordercast.live.feed import Feed
from ordercast.live.replay import Resume
from ordercast.live.rooms import guests_room, order_room, watch_room
from ordercast.live.sessions import REVOKED, Member, evict
from ordercast.orders.ids import json_id, parse_id
from ordercast.orders.models import OrderEvent, Snapshot
from ordercast.orders.ports import Watches
from ordercast.orders.service import OrderService
from ordercast.socketio import Server, Socket


class Watching:
    """Binds the contract's events of watching to a Socket.IO server."""

    def __init__(self, io: Server, orders: OrderService, feed: Feed, watches: Watches, max_watches: int) -> None:
        self._io = io
        self._orders = orders
        self._feed = feed
        self._watches = watches
        self.max_watches = max_watches
        """Orders that one socket may watch; 0: no limit."""
        feed.speaker.moved = self.moved
        io.on("watch:order", self.watch_order)
        io.on("unwatch:order", self.unwatch_order)

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

    async def unwatch_order(self, socket: Socket, order_id: Any = None, *_: Any) -> None:
        """Leaves ``order:{id}``; not watching it is no error."""
        id = parse_id(order_id)
        if id is not None and socket.data.watching is not None and id in socket.data.watching:
            self._leave(socket, id)
            if socket.pid is not None:
                await self._watches.drop(socket.pid, id)

    # -- who comes back, or has other rights ------------------------------------------------------------------

    def resume(self, socket: Socket, resume: Resume) -> Iterable[str]:
        """Who comes back is in the rooms of what it watched. Returns the orders of which it is to be told how they are
        now (`tell`), after what it missed."""
        # Not into those of orders that others may have got since: `tell` joins them, if it still may.
        moved = {id for id in resume.watching if self._feed.speaker.moves.since(id, resume.moves)}
        socket.join(*(watch_room(socket.data.principal, id) for id in resume.watching - moved))
        return resume.watching if resume.position is None else moved

    def tell(self, socket: Socket, ids: Iterable[str]) -> None:
        """How orders that it watches are now."""
        for id in ids:
            self._io.spawn(self._tell(socket, id))

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

    async def look_again(self, socket: Socket, watched: frozenset[str]) -> None:
        """The caller's rights have changed: an order it may not see any more is not watched any more."""
        lost = watched - await self._orders.visible(watched, socket.data.principal)
        for id in lost:
            self._leave(socket, id)
            self._deny(socket, id, "not_found")
        if socket.pid is not None:
            await asyncio.gather(*(self._watches.drop(socket.pid, id) for id in lost))  # in one commit, or a few

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

    # -- what that stands on -------------------------------------------------------------------------------

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
