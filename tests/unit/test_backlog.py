"""A client that reads slowly: what waits for it is bounded, newest states first, and it is cut in the end."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio.backlog import Backlog
from ordercast.engineio.packet import Packet, message
from ordercast.engineio.session import State
from ordercast.socketio import Server
from tests.fake_clients import FakeClient
from tests.fakes import OneSession, virtual_loop


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> OneSession:
    return OneSession(virtual_loop(monkeypatch))


def keyed(key: Hashable, number: int, size: int = 10) -> Packet:
    packet = message(f"{key} {number} ".ljust(size, "x"))
    packet.key = key
    return packet


def test_nothing_is_replaced_while_little_waits() -> None:
    backlog, queue = Backlog(1), [keyed("a", 1), keyed("a", 2)]
    backlog.take(queue, threshold=1_000)
    assert len(queue) == 2
    assert backlog.bytes == sum(map(len, queue))
    assert backlog.conflated == 0


def test_past_the_threshold_only_the_newest_of_a_key_waits() -> None:
    plain = message("plain")
    first = [keyed("a", 1), plain, keyed("b", 1), keyed("a", 2)]
    backlog, queue = Backlog(1), list(first)
    backlog.take(queue, threshold=1)
    backlog.settle(queue)
    assert queue == [plain, first[2], first[3]]
    more = [keyed("b", 2), keyed("b", 3), keyed("c", 1)]
    queue += more
    backlog.take(queue, threshold=1)
    backlog.settle(queue)
    assert queue == [plain, first[3], more[1], more[2]]
    assert backlog.bytes == sum(map(len, queue))
    assert backlog.conflated == 3


@given(
    st.lists(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(1, 50)), max_size=8), max_size=12),
    st.integers(0, 300),
    st.booleans(),
)
def test_what_remains_is_in_order_whole_of_the_unkeyed_and_newest_of_each_key(
    turns: list[list[tuple[str | None, int]]], threshold: int, each_time: bool
) -> None:
    backlog = Backlog(1)
    queue: list[Packet] = []
    sent: list[Packet] = []
    for turn in turns:
        packets = [keyed(key, len(sent), size) for key, size in turn]
        sent += packets
        queue += packets
        backlog.take(queue, threshold)
        assert len(queue) <= 2 * (len(sent) - backlog.conflated)  # never more in vain than for a reason
        if each_time:
            backlog.settle(queue)
    backlog.settle(queue)
    assert backlog.bytes == sum(map(len, queue))
    positions = [sent.index(packet) for packet in queue]
    assert positions == sorted(positions)
    assert [p for p in queue if p.key is None] == [p for p in sent if p.key is None]
    for key in ("a", "b", "c"):
        of_key = [p for p in sent if p.key == key]
        assert [p for p in queue if p.key == key][-1:] == of_key[-1:]
    if backlog.conflated:
        keys = [p.key for p in queue if p.key is not None]
        assert len(keys) == len(set(keys))
    assert len(queue) + backlog.conflated == len(sent)


def test_one_packet_that_was_queued_twice_is_not_its_own_successor() -> None:
    packet = keyed("a", 1)
    backlog, queue = Backlog(1), [packet, packet]
    backlog.take(queue, threshold=0)
    assert queue == [packet, packet]


async def test_a_client_far_behind_reads_the_latest_of_each_and_everyone_else_all() -> None:
    io = Server(max_queue_bytes=16_000)
    slow, quick = FakeClient(io), FakeClient(io)
    for client in (slow, quick):
        await client.join()
    slow.transport.writable = False
    for number in range(100):
        io.of("/").latest_of(("status", number % 3)).emit("status", number % 3, number, "x" * 100)
        await quick.hear()
    assert io.engine.conflated > 50
    assert io.engine.waiting()[0] == 1
    slow.transport.writable = True
    io.engine.flush_soon(slow.session)
    heard = [str(packet) for packet in await slow.hear()]
    last = [packet.split(",")[1:3] for packet in heard][-3:]
    assert sorted(last) == [["0", "99"], ["1", "97"], ["2", "98"]]
    numbers = [int(packet.split(",")[2]) for packet in heard]
    assert numbers == sorted(numbers)
    assert io.engine.waiting() == (0, 0)


@pytest.mark.parametrize("reads_in_time", [True, False])
def test_a_client_that_takes_nothing_for_too_long_is_cut(one: OneSession, reads_in_time: bool) -> None:
    one.transport.writable = False
    one.send("small")
    one.loop.advance(one.engine.options.max_queue_time - 1)
    if reads_in_time:
        one.transport.writable = True
        one.engine.flush_soon(one.session)
        one.loop.turn()
        one.transport.writable = False
        one.send("small again")
    one.loop.advance(2)
    assert (one.session.state is State.OPEN) == reads_in_time
    assert one.handler.closed == ([] if reads_in_time else ["slow_consumer"])
    assert one.engine.dropped == (0 if reads_in_time else 2)  # a ping is among them
