"""One endpoint's messages: in order per order, none lost, whatever happens to each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ordercast.webhooks.models import TYPES, Delivery, Key, Settled
from ordercast.webhooks.queue import FAILING, Queue


def message(position: int, order_id: str = "a", type: str = TYPES[1]) -> Delivery:
    return Delivery(position=position, type=type, order_id=order_id, at=position)


def filled(*orders: str, limit: int = 1_000) -> Queue:
    queue = Queue(0, limit=limit)
    for position, order_id in enumerate(orders, 1):
        queue.add(position, [message(position, order_id)])
    return queue


def taken(queue: Queue, now: int = 0, most: int = 100) -> list[int]:
    return [one.position for one in queue.take(now, most)]


def test_one_of_an_order_at_a_time_the_oldest_first() -> None:
    queue = filled("a", "a", "b", "c")
    assert taken(queue, most=2) == [1, 3]
    assert taken(queue) == [4]
    assert taken(queue) == []


def test_what_failed_holds_up_its_order_alone() -> None:
    queue = filled("a", "a", "b", "b")
    first, other = queue.take(0, 2)
    first.attempts = 1
    queue.failed(first, 100)
    queue.delivered(other, 0)
    assert taken(queue) == [4]
    assert queue.next_due() == 100
    assert taken(queue, now=99) == []
    (again,) = queue.take(100, 9)
    queue.delivered(again, 100)
    assert taken(queue, now=100) == [2]


def test_after_a_dead_letter_its_order_goes_on() -> None:
    queue = filled("a", "a")
    (first,) = queue.take(0, 9)
    queue.died(first)
    assert taken(queue) == [2]
    written = queue.unsettled()
    assert written is not None
    assert [(one.position, one.state) for one in written.keep] == [(1, "dead")]
    assert written.cursor == 1


def test_the_cursor_waits_for_what_is_not_kept() -> None:
    queue = filled("a", "b", "c")
    one, two, three = queue.take(0, 9)
    queue.delivered(two, 0)
    queue.delivered(three, 0)
    assert queue.unsettled() is None
    one.attempts = 1
    queue.failed(one, 5)
    written = queue.unsettled()
    assert written is not None
    assert written.cursor == 3
    assert [kept.position for kept in written.keep] == [1]


def test_an_endpoint_that_is_down_is_asked_one_at_a_time_and_all_at_once_when_it_is_back() -> None:
    queue = filled(*"abcdefgh")
    flying = queue.take(0, FAILING)
    for one in flying:
        one.attempts = 1
        queue.failed(one, 10_000)
    assert queue.failing
    assert taken(queue) == [6]
    assert taken(queue) == []
    queue.delivered(next(one for one in queue if one.position == 6), 50)
    assert taken(queue, now=50) == [1, 2, 3, 4, 5, 7, 8]


def test_what_happens_while_it_is_written_down_is_not_forgotten() -> None:
    queue = filled("a", "b")
    one, two = queue.take(0, 9)
    for each in (one, two):
        each.attempts = 1
        queue.failed(each, 0)
    written = queue.unsettled()
    assert written is not None
    one, two = queue.take(0, 9)
    queue.delivered(one, 0)
    two.attempts = 2
    queue.failed(two, 7)
    queue.settled(written)
    after = queue.unsettled()
    assert after is not None
    assert after.drop == (one.key,)
    assert [(kept.position, kept.attempts, kept.due) for kept in after.keep] == [(2, 2, 7)]
    queue.settled(after)
    assert queue.unsettled() is None


class World:
    """A log, a table and a receiver around a queue. A crash forgets the queue."""

    def __init__(self, orders: list[str], limit: int) -> None:
        self.orders = orders
        self.limit = limit
        self.cursor = 0
        self.table: dict[Key, Delivery] = {}
        self.arrived: list[Key] = []
        self.flying: list[Delivery] = []
        self.writing: Settled | None = None
        self.now = 0
        self.crash()

    def crash(self) -> None:
        waiting = [replace(one, recorded=False) for one in self.table.values() if one.state == "waiting"]
        self.queue = Queue(self.cursor, waiting, self.limit)
        self.flying, self.writing = [], None

    def read(self) -> None:
        while not self.queue.full and self.queue.read < len(self.orders):
            position = self.queue.read + 1
            types = TYPES[1:] if position % 3 == 0 else TYPES[1:2]
            self.queue.add(position, [message(position, self.orders[position - 1], type) for type in types])

    def take(self, most: int) -> None:
        self.flying += self.queue.take(self.now, most)
        assert len({one.order_id for one in self.flying}) == len(self.flying)

    def land(self, index: int, outcome: str) -> None:
        if not self.flying:
            return
        one = self.flying.pop(index % len(self.flying))
        if outcome == "arrived":
            self.arrived.append(one.key)
            self.queue.delivered(one, self.now)
            return
        one.attempts += 1
        if outcome == "lost answer":
            self.arrived.append(one.key)
        if one.attempts > 3:
            self.queue.died(one)
        else:
            self.queue.failed(one, self.now + one.attempts)

    def begin(self) -> None:
        if self.writing is None:
            self.writing = self.queue.unsettled()

    def commit(self) -> None:
        if self.writing is None:
            return
        self.cursor = self.writing.cursor
        for key in self.writing.drop:
            del self.table[key]  # what is dropped was there
        self.table |= {one.key: one for one in self.writing.keep}
        self.queue.settled(self.writing)
        self.writing = None

    def end(self) -> None:
        """All goes well from now on."""
        for _ in range(1_000):
            self.now += 100
            self.begin()
            self.commit()
            self.read()
            self.take(9)
            while self.flying:
                self.land(0, "arrived")
        self.begin()
        self.commit()
        assert len(self.queue) == 0


steps = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 8)),
    st.tuples(st.just("land"), st.integers(0, 7), st.sampled_from(["arrived", "lost answer", "failed", "failed"])),
    st.tuples(st.sampled_from(["read", "begin", "commit", "crash", "tick"])),
)


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(1, 8), st.lists(steps, max_size=60))
def test_in_order_per_order_and_none_lost_whatever_happens(orders: list[str], limit: int, steps: list[Any]) -> None:
    world = World(orders, limit)
    for name, *arguments in steps:
        match name:
            case "tick":
                world.now += 2
            case "take":
                world.take(arguments[0])
            case "land":
                world.land(arguments[0], arguments[1])
            case _:
                getattr(world, name)()
        assert len(world.queue) <= limit + 1
    world.end()
    dead = {key for key, one in world.table.items() if one.state == "dead"}
    assert {one.state for one in world.table.values()} <= {"dead"}
    assert world.cursor == len(orders)
    for order_id in set(orders):
        of_it = [key for key in world.arrived if orders[key[0] - 1] == order_id]
        first = list(dict.fromkeys(of_it))
        assert first == sorted(first, key=lambda key: (key[0], TYPES.index(key[1])))
        all_of_it = {
            (position, type)
            for position, id in enumerate(orders, 1)
            if id == order_id
            for type in (TYPES[1:] if position % 3 == 0 else TYPES[1:2])
        }
        assert all_of_it <= set(first) | dead
