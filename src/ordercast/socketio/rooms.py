"""Who is in which room, pure. https://socket.io/docs/v4/rooms/"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Generic, TypeVar

Member = TypeVar("Member")


class Rooms(Generic[Member]):
    """Rooms and their members, both ways. A room exists while it has members.

    ``changed`` is called with a room that has come to be or has gone.
    """

    __slots__ = ("_changed", "_members", "_rooms")

    def __init__(self, changed: Callable[[str], None] | None = None) -> None:
        self._changed = changed
        self._members: dict[str, set[Member]] = {}
        self._rooms: dict[Member, set[str]] = {}

    def join(self, member: Member, rooms: Iterable[str]) -> None:
        """Puts a member into rooms; being in one already is no error."""
        for room in rooms:
            self._rooms.setdefault(member, set()).add(room)
            members = self._members.get(room)
            if members is not None:
                members.add(member)
            else:
                self._members[room] = {member}
                if self._changed is not None:
                    self._changed(room)

    def leave(self, member: Member, room: str) -> None:
        """Takes a member out of a room; not being in it is no error."""
        own = self._rooms.get(member)
        if own is None or room not in own:
            return
        own.discard(room)
        if not own:
            del self._rooms[member]
        self._drop(room, member)

    def leave_all(self, member: Member) -> None:
        """Takes a member out of every room."""
        for room in self._rooms.pop(member, ()):
            self._drop(room, member)

    def _drop(self, room: str, member: Member) -> None:
        members = self._members[room]
        members.discard(member)
        if not members:
            del self._members[room]
            if self._changed is not None:
                self._changed(room)

    def of(self, member: Member) -> frozenset[str]:
        """The rooms a member is in."""
        return frozenset(self._rooms.get(member, ()))

    def members(self, room: str) -> Collection[Member]:
        """A room's members; not to be changed, nor kept across a change."""
        return self._members.get(room, frozenset())

    def names(self) -> Iterator[str]:
        """All rooms."""
        return iter(self._members)

    def union(self, rooms: Iterable[str]) -> set[Member]:
        """Everyone who is in at least one of the rooms, once."""
        return set().union(*(self._members.get(room, ()) for room in rooms))

    def __contains__(self, room: str) -> bool:
        return room in self._members

    def __len__(self) -> int:
        return len(self._members)
