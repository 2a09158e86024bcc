"""``io.to(room).except_(room).emit(event, …)``: who gets an event, and the event."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable, Iterator
from typing import TYPE_CHECKING, Any

from ordercast.engineio import Packet, disconnects
from ordercast.socketio import fanout
from ordercast.socketio.errors import AckTimeout
from ordercast.socketio.packet import check_event_name

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.socket import Socket

DEFAULT_ACK_TIMEOUT = 10.0  # s


class BroadcastOperator:
    """A set of rooms to emit to, and of rooms to leave out. Immutable: each call returns a new one.

    No rooms means everyone in the namespace. A socket in several of the rooms gets the event once.
    https://socket.io/docs/v4/server-api/#socket.to
    """

    __slots__ = ("_except", "_key", "_namespace", "_rooms", "_volatile")

    def __init__(
        self,
        namespace: Namespace,
        rooms: frozenset[str] = frozenset(),
        except_: frozenset[str] = frozenset(),
        volatile: bool = False,
        key: Hashable | None = None,
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._except = except_
        self._volatile = volatile
        self._key = key

    # -- who -----------------------------------------------------------------------------------------------

    def to(self, *rooms: str) -> BroadcastOperator:
        """Adds rooms. A socket's id is a room of its own."""
        return BroadcastOperator(self._namespace, self._rooms.union(rooms), self._except, self._volatile, self._key)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Leaves out whoever is in these rooms."""
        return BroadcastOperator(self._namespace, self._rooms, self._except.union(rooms), self._volatile, self._key)

    @property
    def local(self) -> BroadcastOperator:
        """Only the sockets of this node."""
        return self

    @property
    def volatile(self) -> BroadcastOperator:
        """Events that may be lost: those who cannot take them now do not get them later.

        https://socket.io/docs/v4/emitting-events/#volatile-events
        """
        return BroadcastOperator(self._namespace, self._rooms, self._except, True, self._key)

    def latest_of(self, key: Hashable) -> BroadcastOperator:
        """Events of which only the latest counts: for a client that is far behind, a newer event of this key replaces
        an older one that still waits. Everyone else gets them all."""
        return BroadcastOperator(self._namespace, self._rooms, self._except, self._volatile, key)

    # -- what ----------------------------------------------------------------------------------------------

    def emit(self, event: str, *args: Any) -> None:
        """Sends the event to all of them. Returns at once; never awaits.

        Raises ``ValueError`` for a reserved name and ``TypeError`` for arguments that JSON cannot hold.
        """
        check_event_name(event)
        targets = self._targets()
        if targets:
            packets = self._namespace.encode_event(event, args)
            if self._key is not None and len(packets) == 1:
                packets[0].key = self._key
            self._namespace.delivered += fanout.deliver(targets, packets)

    def deliver(self, packets: list[Packet]) -> None:
        """Sends packets that are encoded already, as `Namespace.encode_event` does it."""
        self._namespace.delivered += fanout.deliver(self._targets(), packets)

    def send(self, *args: Any) -> None:
        """Emits a ``message`` event."""
        self.emit("message", *args)

    async def emit_with_ack(self, event: str, *args: Any, timeout: float = DEFAULT_ACK_TIMEOUT) -> list[Any]:  # noqa: ASYNC109 - Socket.IO's own word
        """Sends the event and waits up to ``timeout`` (s) until all have acknowledged.

        Returns what each acknowledged, in no order: ``None``, the one argument, or a tuple of several. Raises
        `AckTimeout`, whose ``responses`` are those that came.
        """
        check_event_name(event)
        targets = [socket for socket in self._targets() if socket.connected]
        if not targets:
            return []
        id = self._namespace.next_ack()
        packets = self._namespace.encode_event(event, args, id)
        answers = [socket.expect(id) for socket in targets]
        try:
            self._namespace.delivered += fanout.deliver(targets, packets)
            done, _ = await asyncio.wait(answers, timeout=timeout)
        finally:
            for socket in targets:
                socket.expect_no_more(id)
        responses = [answer.result() for answer in done if answer.exception() is None]
        if len(responses) < len(targets):
            missing = len(targets) - len(responses)
            raise AckTimeout(
                f"{missing} of {len(targets)} did not acknowledge '{event}' within {timeout:g} s", responses
            )
        return responses

    # -- the sockets themselves ----------------------------------------------------------------------------

    async def fetch_sockets(self) -> list[Socket]:
        """The sockets."""
        return self.sockets()

    def sockets(self) -> list[Socket]:
        """The sockets, of this node."""
        return list(self._targets())

    def sockets_join(self, *rooms: str) -> None:
        """Has all of them join rooms."""
        for socket in self.sockets():
            socket.join(*rooms)

    def sockets_leave(self, *rooms: str) -> None:
        """Has all of them leave rooms."""
        for socket in self.sockets():
            for room in rooms:
                socket.leave(room)

    def disconnect_sockets(
        self, close: bool = False, *, why: disconnects.Disconnect = disconnects.SERVER_DISCONNECT
    ) -> None:
        """Ends all of them; see `Socket.disconnect`."""
        for socket in self.sockets():
            socket.disconnect(close, why=why)

    def _targets(self) -> Collection[Socket]:
        namespace = self._namespace
        if not self._rooms:
            targets: Collection[Socket] = namespace.sockets.values()
        elif len(self._rooms) == 1:
            (room,) = self._rooms
            targets = namespace.members(room)
        else:
            targets = set().union(*(namespace.members(room) for room in self._rooms))
        if self._except:
            targets = set(targets).difference(*(namespace.members(room) for room in self._except))
        if self._volatile:
            targets = [socket for socket in targets if socket.session.transport.writable]
        return targets

    def __iter__(self) -> Iterator[Socket]:
        return iter(self.sockets())
