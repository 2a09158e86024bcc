"""Rooms: a table, and a model of two naive sets that the real thing must agree with after every step."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ordercast.socketio.rooms import Rooms

MEMBERS, ROOMS = range(5), "abcd"


def test_joining_and_leaving() -> None:
    rooms: Rooms[int] = Rooms()
    rooms.join(1, ["a", "b", "a"])
    rooms.join(2, ["b"])
    rooms.join(1, ["b"])
    assert rooms.of(1) == {"a", "b"}
    assert set(rooms.members("b")) == {1, 2}
    rooms.leave(1, "b")
    rooms.leave(1, "b")
    rooms.leave(3, "b")
    rooms.leave(1, "nowhere")
    assert set(rooms.members("b")) == {2}
    rooms.leave_all(1)
    rooms.leave_all(1)
    assert rooms.of(1) == frozenset()
    assert "a" not in rooms
    assert len(rooms) == 1


def test_a_room_exists_while_it_has_members() -> None:
    rooms: Rooms[int] = Rooms()
    assert "a" not in rooms
    assert list(rooms.members("a")) == []
    rooms.join(1, ["a"])
    assert "a" in rooms
    rooms.leave(1, "a")
    assert "a" not in rooms
    assert len(rooms) == 0


def test_nothing_is_kept_of_who_has_left() -> None:
    rooms: Rooms[int] = Rooms()
    rooms.join(1, [])
    for member in range(100):
        rooms.join(member, ["a", str(member)])
        rooms.leave(member, "a")
        if member % 2:
            rooms.leave(member, str(member))
        else:
            rooms.leave_all(member)
    rooms.join(200, [])
    assert rooms._rooms == {}
    assert rooms._members == {}


def test_what_is_given_for_a_member_does_not_change_with_it() -> None:
    rooms: Rooms[int] = Rooms()
    rooms.join(1, ["a"])
    before = rooms.of(1)
    rooms.join(1, ["b"])
    assert before == {"a"}


def test_union_has_everyone_once() -> None:
    rooms: Rooms[int] = Rooms()
    rooms.join(1, ["a", "b"])
    rooms.join(2, ["b"])
    assert rooms.union(["a", "b", "nowhere"]) == {1, 2}
    assert rooms.union([]) == set()
    rooms.union(["a"]).add(9)
    assert rooms.union(["a"]) == {1}


class AgainstNaiveSets(RuleBasedStateMachine):
    """The model is a set of (member, room) pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: Rooms[int] = Rooms()
        self.model: set[tuple[int, str]] = set()

    @rule(member=st.sampled_from(MEMBERS), rooms=st.lists(st.sampled_from(ROOMS), max_size=3))
    def join(self, member: int, rooms: list[str]) -> None:
        self.rooms.join(member, rooms)
        self.model |= {(member, room) for room in rooms}

    @rule(member=st.sampled_from(MEMBERS), room=st.sampled_from(ROOMS))
    def leave(self, member: int, room: str) -> None:
        self.rooms.leave(member, room)
        self.model.discard((member, room))

    @rule(member=st.sampled_from(MEMBERS))
    def leave_all(self, member: int) -> None:
        self.rooms.leave_all(member)
        self.model = {pair for pair in self.model if pair[0] != member}

    @rule(rooms=st.lists(st.sampled_from(ROOMS), max_size=4))
    def union(self, rooms: list[str]) -> None:
        assert self.rooms.union(rooms) == {member for member, room in self.model if room in rooms}

    @invariant()
    def agrees(self) -> None:
        for member in MEMBERS:
            assert self.rooms.of(member) == {room for who, room in self.model if who == member}
        for room in ROOMS:
            members = {member for member, where in self.model if where == room}
            assert set(self.rooms.members(room)) == members
            assert (room in self.rooms) == bool(members)
        assert len(self.rooms) == len({room for _, room in self.model})
        assert set(self.rooms._rooms) == {member for member, _ in self.model}


TestAgainstNaiveSets = AgainstNaiveSets.TestCase
