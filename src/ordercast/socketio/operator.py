"""``io.to(room).except_(room).emit(event, …)``: who gets an event, and the event."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ordercast.socketio import fanout
from ordercast.socketio.packet import RESERVED, PacketType, encode

if TYPE_CHECKING:
    from ordercast.socketio.namespace import Namespace
    from ordercast.socketio.socket import Socket


class BroadcastOperator:
    """A set of rooms to emit to, and of rooms to leave out. Immutable: each call returns a new one.

    No rooms means everyone in the namespace. A socket in several of the rooms gets the event once.
    https://socket.io/docs/v4/server-api/#socket.to
    """

    __slots__ = ("_except", "_namespace", "_rooms")

    def __init__(
        self, namespace: Namespace, rooms: frozenset[str] = frozenset(), except_: frozenset[str] = frozenset()
    ) -> None:
        self._namespace = namespace
        self._rooms = rooms
        self._except = except_

    def to(self, *rooms: str) -> BroadcastOperator:
        """Adds rooms. A socket's id is a room of its own."""
        return BroadcastOperator(self._namespace, self._rooms.union(rooms), self._except)

    in_ = to

    def except_(self, *rooms: str) -> BroadcastOperator:
        """Leaves out whoever is in these rooms."""
        return BroadcastOperator(self._namespace, self._rooms, self._except.union(rooms))

    @property
    def local(self) -> BroadcastOperator:
        """Only the sockets of this node."""
        return self

    def emit(self, event: str, *args: Any) -> None:
        """Sends the event to all of them. Returns at once; never awaits.

        Raises ``ValueError`` for a reserved name and ``TypeError`` for arguments that JSON cannot hold.
        """
        if event in RESERVED:
            raise ValueError(f"'{event}' is a reserved event name")
        targets = self._targets()
        if targets:
            packets = encode(PacketType.EVENT, self._namespace.name, [event, *args])
            self._namespace.delivered += fanout.deliver(targets, packets)

    def sockets(self) -> list[Socket]:
        """The sockets themselves, of this node."""
        return list(self._targets())

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
        return targets

    def __iter__(self) -> Iterator[Socket]:
        return iter(self.sockets())
