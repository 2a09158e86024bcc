"""What a client missed, in order, before anything newer.

A client that comes back is put into its rooms and its queue is held (`Session.hold`): the feed goes on and queues what
is new, while what it missed, up to where the feed was at that moment, goes past the queue. Then the queue is let go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from ordercast.engineio import disconnects
from ordercast.errors import StorageError
from ordercast.live.feed import Feed
from ordercast.live.recovery import Pid, Pids
from ordercast.live.said import Said
from ordercast.orders.announcements import needs_order
from ordercast.orders.cursors import Cursor, format_cursor, parse_cursor
from ordercast.orders.former import former
from ordercast.orders.models import OrderEvent, now
from ordercast.orders.ports import EventLog, OrderRepository, Watches
from ordercast.orders.principal import Principal
from ordercast.orders.service import OrderService
from ordercast.socketio import Handshake, Socket

_log = structlog.get_logger("ordercast.live")

_BATCH = 256  # events of the log per look
_AHEAD = 1_000  # packets that may wait for a client that replays; it reads, or there is no point in more
_PAUSE = 0.05  # s between looks whether it has read


@dataclass(frozen=True, slots=True)
class Resume:
    """Where a client goes on. ``position`` ``None``: that cannot be given whole, and it must fetch anew."""

    position: int | None
    watching: frozenset[str]
    moves: int = 0
    """`Moves.count` from before it was known that the client may see those."""


class Replay:
    """Plans and plays replays. ``max_events`` and ``max_age`` (s) bound how far back one goes,
    ``max_watches`` how many orders one watches again (0: no limit)."""

    def __init__(
        self,
        feed: Feed,
        log: EventLog,
        repository: OrderRepository,
        orders: OrderService,
        pids: Pids,
        watches: Watches,
        max_events: int,
        max_age: float,
        max_watches: int,
    ) -> None:
        self._feed = feed
        self._log = log
        self._repository = repository
        self._orders = orders
        self._pids = pids
        self._watches = watches
        self.adopt(max_events, max_age, max_watches)
        self.replayed = 0
        self.resyncs = 0

    def adopt(self, max_events: int, max_age: float, max_watches: int) -> None:
        """Other bounds, for who comes back from now on."""
        self._max_events = max_events
        self._max_age = timedelta(seconds=max_age)
        self._max_watches = max_watches

    # -- planning ------------------------------------------------------------------------------------------

    def new_pid(self, principal: Principal) -> str:
        """A pid for a client that begins here and now."""
        return self._pids.issue(principal.user_id, format_cursor(self._log.log_id, self._feed.position))

    @staticmethod
    def wanted(handshake: Handshake) -> bool:
        """Whether a client asks to go on from somewhere."""
        auth = handshake.auth
        return "pid" in auth or "since" in auth or b"since=" in handshake.request.query_string

    def pid_before(self, handshake: Handshake, principal: Principal) -> str | None:
        """The pid of the connection that a client says it goes on with, where it is this user's."""
        pid = handshake.auth.get("pid")
        return None if pid is None or self._own_pid(pid, principal) is None else str(pid)

    async def plan(self, socket: Socket, principal: Principal) -> Resume:
        """Where the client goes on, and whether as whom it was (`Socket.recovered`, with the pid it had)."""
        try:
            return await self._plan(socket, principal)
        except StorageError as error:
            # Refused, it would stay away; like this it is served, and told that it has missed something.
            _log.error("a replay cannot be planned", error=str(error))
            socket.pid = self._pid_from(None, principal)
            return Resume(None, frozenset(), self._feed.speaker.moves.count)

    async def _plan(self, socket: Socket, principal: Principal) -> Resume:
        auth = socket.handshake.auth
        pid = self._own_pid(auth.get("pid"), principal)
        watching: frozenset[str] = frozenset()
        moves = self._feed.speaker.moves.count
        if pid is not None:
            watching = await self._orders.visible(await self._watches.of(auth["pid"], principal.user_id), principal)
        position = await self._reachable(self._cursor_of(socket.handshake, pid))
        if 0 < self._max_watches < len(watching):  # of several that came with this pid, or the limit was higher
            watching, position = frozenset(sorted(watching)[: self._max_watches]), None
        socket.recovered = pid is not None and position is not None
        socket.pid = auth["pid"] if socket.recovered else self._pid_from(position, principal)
        await self._watches.save_all(socket.pid, principal.user_id, watching)  # for longer, or under its new pid
        return Resume(position, watching, moves)

    def _pid_from(self, position: int | None, principal: Principal) -> str:
        """A pid for a client that is yet to get all after ``position``, or ``resync``: should its connection end before
        that, the pid must not say that it has."""
        cursor = "" if position is None else format_cursor(self._log.log_id, position)
        return self._pids.issue(principal.user_id, cursor)

    def _own_pid(self, pid: object, principal: Principal) -> Pid | None:
        read = self._pids.read(pid)
        return read if read is not None and read.user_id == principal.user_id else None

    def _cursor_of(self, handshake: Handshake, pid: Pid | None) -> Cursor | None:
        """Where it says it is: its offset, ``since``, or else the cursor its pid was issued with."""
        for value in (handshake.auth.get("offset"), _since(handshake), None if pid is None else pid.cursor):
            try:
                return parse_cursor(value)
            except ValueError:
                continue  # an offset may be another event's last string
        return None

    async def _reachable(self, cursor: Cursor | None) -> int | None:
        """The position to go on from, where everything after it is still there and not too much."""
        if cursor is None or not cursor.of(self._log.log_id):
            return None
        position, head = cursor.position, await self._log.head()
        if not self._log.floor <= position <= head or head - position > self._max_events:
            return None
        if position < head:
            since = await self._log.at(position + 1)
            if since is None or now() - since > self._max_age:
                return None
        await self._feed.reached(position)  # another node may have told it what this one is yet to hear
        return position

    # -- playing -------------------------------------------------------------------------------------------

    def begin(self, socket: Socket, resume: Resume) -> None:
        """The socket is in its rooms: holds what is new and plays what it missed, or says that it cannot."""
        until = self._feed.position
        if resume.position is None:
            self.resyncs += 1
            for packet in self._feed.speaker.standing("resync", until):
                socket.session.send(packet)
            return
        socket.session.hold(socket)
        socket.namespace.server.spawn(self._play(socket, resume.position, until))

    async def _play(self, socket: Socket, position: int, until: int) -> None:
        session = socket.session
        try:
            while position < until and socket.connected:
                batch = await self._batch(position, until)
                rooms = socket.rooms  # of now: it may have had to leave one meanwhile
                for at, said in batch:
                    session.send_ahead(socket, [packet for one in said if one.reaches(rooms) for packet in one.packets])
                    position = at
                    self.replayed += 1
                await self._read_by(socket)
            if not socket.connected:
                return
            session.send_ahead(socket, self._feed.speaker.standing("caught_up", until))
        except Exception:
            # It comes back from the last cursor it heard; what it has got until here is in order.
            _log.exception("a replay failed", sid=socket.id, position=position)
            session.close(disconnects.TRANSPORT_ERROR)
        finally:
            session.release(socket)

    async def _batch(self, position: int, until: int) -> Sequence[tuple[int, Sequence[Said]]]:
        """The announcements of some events after ``position``."""
        speaker = self._feed.speaker
        found: list[tuple[int, Sequence[Said]]] = []
        while len(found) < _BATCH and position < until and (said := speaker.said(position + 1)) is not None:
            position += 1
            found.append((position, said))
        if found:
            return found
        for event in await self._log.after(position, min(_BATCH, until - position)):
            found.append((event.position, await self._say(event)))
        if not found or found[0][0] != position + 1:
            raise LookupError(f"the log has nothing right after {position}")
        return found

    async def _say(self, event: OrderEvent) -> Sequence[Said]:
        """The announcements of an event; none where it cannot be said, or all behind it would never come, however
        often the client comes back. Raises `StorageError`: that passes, and coming back helps."""
        try:
            order = await self._repository.get(event.order_id) if needs_order(event) else None
            return self._feed.speaker.say(event, order, await former(self._repository, event))
        except StorageError:
            raise
        except Exception:
            place = {"position": event.position, "order": event.order_id, "version": event.version}
            _log.exception("an event cannot be replayed; passing over it", **place)
            self._feed.speaker.pass_over(event.position)
            return ()

    async def _read_by(self, socket: Socket) -> None:
        """Waits while the client does not read; the engine bounds for how long."""
        while socket.connected and socket.session.ahead is not None and len(socket.session.ahead) > _AHEAD:  # noqa: ASYNC110 - as the engine's writes tell nobody
            await asyncio.sleep(_PAUSE)


def _since(handshake: Handshake) -> object:
    """The cursor a client brings: in ``auth``, or in the query as clients before 3.0 do."""
    since: object = handshake.auth.get("since")
    return since if since is not None else handshake.query.get("since")
