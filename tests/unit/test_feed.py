"""The feed: each event once, in order of position, without a gap, whatever wakes it and whatever fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio import Packet, message
from ordercast.errors import StorageError
from ordercast.live import feed as module
from ordercast.live.feed import STORAGE_TRIES, TRIES, Feed
from ordercast.orders.models import Change, EventKind, Order, event_of
from ordercast.orders.workflow import load_workflow
from ordercast.testing import MemoryLog
from tests.contract.support import Clock

STEP = load_workflow().step


class Io:
    """Stands in for the server and its namespace: keeps what is emitted to the operators."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.fails: Callable[[int], bool] = lambda position: False
        self.tried: list[int] = []

    local = property(lambda self: self)

    def to(self, *rooms: str) -> Io:
        self.rooms = rooms
        return self

    def except_(self, *rooms: str) -> Io:
        return self

    def of(self, name: str) -> Io:
        return self

    def encode_event(self, event: str, args: list[Any], *, closed: bool = True) -> list[Packet]:
        if event == "order:status_changed":
            position = args[0]["position"]
            self.tried.append(position)
            if self.fails(position):
                raise TypeError("JSON cannot hold this")
        return [message(json.dumps(args))]

    def deliver(self, packets: list[Packet]) -> None:
        if "operators" in self.rooms:
            self.heard.append(json.loads(packets[0].data)[0]["position"])


class Orders:
    """Stands in for the repository."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.fails: Callable[[], bool] = lambda: False

    async def get(self, order_id: str) -> Order:
        await self.open.wait()
        if self.fails():
            raise StorageError("not now")
        return order(1)


class Log(MemoryLog):
    """A log that can be out of reach, or hold nothing at hand."""

    reachable = True
    at_hand = True

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.open.set()

    async def after(self, position: int, limit: int) -> Any:
        await asyncio.sleep(0)
        if not self.reachable:
            raise StorageError("not now")
        found = await super().after(position, limit)
        await asyncio.sleep(0)
        await self.open.wait()
        return found

    def recent(self, position: int, limit: int) -> Any:
        return super().recent(position, limit) if self.at_hand else ()

    def add(self, kind: EventKind = EventKind.STATUS_CHANGED, *, quietly: bool = False, known: bool = False) -> None:
        """The next event; ``quietly`` as another process adds it, whose wake does not come here; ``known`` with its
        order."""
        position = len(self.events) + 1
        values = {"status": "accepted"} if kind is EventKind.STATUS_CHANGED else {}
        event = event_of(order(position), Change(kind=kind, values=values, updated_by="7"), "received", position)
        if quietly:
            self.events.append(event)
        else:
            self.append(event, order(position) if known else None)


def order(version: int) -> Order:
    time = Clock()()
    return Order(
        order_id="x",
        customer_id="42",
        status="accepted",
        status_since=time,
        version=version,
        created_at=time,
        updated_at=time,
    )


class Under:
    """A feed under test and all it stands on."""

    def __init__(self) -> None:
        self.io, self.log, self.orders = Io(), Log(), Orders()
        self.feed = Feed(self.io, self.log, self.orders, STEP)  # type: ignore[arg-type]

    async def idle(self) -> None:
        """Until the feed waits for a wake."""
        while self.feed._busy:  # noqa: ASYNC110 - some turns of the loop
            await asyncio.sleep(0)


async def turns() -> None:
    """Some turns of the loop: what needs no more news than it has is done after them."""
    for _ in range(30):
        await asyncio.sleep(0)


@asynccontextmanager
async def following() -> AsyncIterator[Under]:
    under = Under()
    await under.feed.start()
    await under.idle()
    try:
        yield under
    finally:
        await under.feed.stop()


@pytest.fixture
async def under(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Under]:
    monkeypatch.setattr(module, "_RETRY", 0)
    async with following() as under:
        yield under


async def test_a_change_goes_out_within_its_commit(under: Under) -> None:
    for position in (1, 2, 3):
        under.log.add()
        assert under.io.heard[-1] == under.feed.position == position
    assert under.feed.announced == 3


async def test_a_change_does_not_wait_while_the_log_is_read(under: Under) -> None:
    under.log.open.clear()
    reached = asyncio.create_task(under.feed.reached(3))  # has it look
    await turns()
    under.log.add()
    assert under.io.heard == [1]
    under.log.add(quietly=True)
    under.log.at_hand = False
    under.log.add()
    under.log.at_hand = True
    await turns()
    assert under.io.heard == [1], "not before what came before it"
    under.log.open.set()
    await reached
    assert under.io.heard == [1, 2, 3]


async def test_what_was_said_while_the_log_was_read_is_not_said_again(under: Under) -> None:
    under.log.open.clear()
    under.log.add(quietly=True)
    reached = asyncio.create_task(under.feed.reached(3))
    under.log.at_hand = False
    await turns()
    under.log.at_hand = True
    under.log.add()
    assert under.io.heard == [1, 2]
    under.log.add(quietly=True)
    under.log.open.set()
    await reached
    assert under.io.heard == [1, 2, 3]


async def test_what_needs_its_order_is_not_overtaken(under: Under) -> None:
    under.orders.open.clear()
    under.log.add()
    under.log.add(EventKind.CREATED)
    under.log.add()
    await turns()
    under.log.add()
    assert under.io.heard == [1]
    under.orders.open.set()
    await under.feed.reached(4)
    assert under.io.heard == [1, 2, 3, 4]
    await under.idle()
    under.log.add()
    assert under.io.heard == [1, 2, 3, 4, 5]


async def test_an_order_at_hand_is_not_read(under: Under) -> None:
    under.orders.open.clear()
    under.log.add(EventKind.CREATED, known=True)
    assert under.io.heard == [1]


@pytest.mark.parametrize("later", range(6))
async def test_it_stops_even_as_it_is_woken(later: int) -> None:
    """``later``: turns of the loop between the two."""
    async with asyncio.timeout(60), following() as under:
        under.log.add(EventKind.CREATED)
        for _ in range(later):
            await asyncio.sleep(0)


async def test_what_is_not_at_hand_is_read(under: Under) -> None:
    under.log.at_hand = False
    under.log.add()
    assert under.io.heard == []
    await turns()
    assert under.io.heard == [1]


async def test_a_burst_larger_than_a_look(under: Under, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    for _ in range(8):
        under.log.add(quietly=True)
    under.log.add()
    assert under.io.heard == [1, 2, 3]
    await turns()
    assert under.io.heard == [*range(1, 10)]


OPS = st.lists(
    st.sampled_from(
        ["status", "created", "known", "quiet", "turn", "turn", "look", "slow", "fast", "hidden", "shown"],
    ),
    max_size=40,
)


@given(OPS)
async def test_each_event_once_and_in_order(ops: list[str]) -> None:
    async with following() as under:
        for op in ops:
            if op == "turn":
                await asyncio.sleep(0)
            elif op in ("slow", "fast"):
                (under.log.open.clear if op == "slow" else under.log.open.set)()
            elif op == "look":
                under.feed._wake.set()
            elif op in ("hidden", "shown"):
                under.log.at_hand = op == "shown"
            else:
                kind = EventKind.CREATED if op in ("created", "known") else EventKind.STATUS_CHANGED
                under.log.add(kind, quietly=op == "quiet", known=op == "known")
            assert under.io.heard == [*range(1, under.feed.position + 1)]
        under.log.open.set()
        await under.feed.reached(len(under.log.events))
        assert under.io.heard == [*range(1, len(under.log.events) + 1)]


# -- what fails ----------------------------------------------------------------------------------------------


async def test_an_event_that_cannot_be_emitted_is_passed_over(under: Under) -> None:
    under.io.fails = lambda position: position == 2
    for _ in range(4):
        under.log.add()
    await under.feed.reached(4)
    assert under.io.heard == [1, 3, 4]
    assert (under.feed.skipped, under.feed.announced) == (1, 3)
    assert under.io.tried.count(2) == TRIES + 1  # once within the commit


async def test_one_that_fails_for_a_while_is_not_lost(under: Under) -> None:
    under.io.fails = lambda position: position == 1 and under.io.tried.count(1) <= TRIES
    under.log.add()
    under.log.add()
    await under.feed.reached(2)
    assert (under.io.heard, under.feed.skipped) == ([1, 2], 0)


async def test_one_that_is_tried_again_is_not_said_by_a_later_commit_too(under: Under) -> None:
    under.io.fails = lambda position: under.io.tried.count(1) == 1
    under.log.at_hand = False
    under.log.add(quietly=True)
    reached = asyncio.create_task(under.feed.reached(2))
    while not under.io.tried:  # noqa: ASYNC110 - some turns of the loop
        await asyncio.sleep(0)
    under.log.at_hand = True
    under.log.add()
    await reached
    assert under.io.heard == [1, 2]


@pytest.mark.parametrize(("failures", "heard"), [(STORAGE_TRIES - 1, [1, 2]), (STORAGE_TRIES, [2])])
async def test_a_database_out_of_reach_is_waited_for_longer(under: Under, failures: int, heard: list[int]) -> None:
    left = iter([True] * failures)
    under.orders.fails = lambda: next(left, False)
    under.log.add(EventKind.CREATED)
    under.log.add()
    await under.feed.reached(2)
    assert (under.io.heard, under.feed.skipped) == (heard, 2 - len(heard))


async def test_a_log_out_of_reach_loses_nothing(under: Under) -> None:
    under.log.at_hand = under.log.reachable = False
    under.log.add()
    await turns()
    assert under.io.heard == []
    under.log.reachable = True
    await under.feed.reached(1)
    assert under.io.heard == [1]
