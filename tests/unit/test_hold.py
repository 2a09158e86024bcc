"""Holding a session's queue back while something goes ahead of it, and the packet that closes a write."""

from __future__ import annotations

import pytest

from ordercast.engineio import disconnects
from ordercast.engineio.packet import Packet, PacketType, message
from tests.fakes import OneSession, virtual_loop


@pytest.fixture
def one(monkeypatch: pytest.MonkeyPatch) -> OneSession:
    return OneSession(virtual_loop(monkeypatch))


def test_what_goes_ahead_goes_first(one: OneSession) -> None:
    one.send("before")
    one.session.hold("me")
    one.send("new 1")
    one.session.send_ahead("me", [message("missed 1")])
    one.loop.turn()
    assert one.transport.texts == ["4before", "4missed 1"]
    one.send("new 2")
    one.session.send_ahead("me", [message("missed 2")])
    one.session.release("me")
    one.loop.turn()
    assert one.transport.texts == ["4before", "4missed 1", "4missed 2", "4new 1", "4new 2"]
    one.send("later")
    one.loop.turn()
    assert one.transport.texts[-1] == "4later"


def test_a_later_holder_takes_over(one: OneSession) -> None:
    one.session.hold("first")
    one.send("new")
    one.session.hold("second")
    one.session.send_ahead("first", [message("nobody's")])
    one.session.send_ahead("second", [message("missed")])
    one.session.release("first")
    one.loop.turn()
    assert one.transport.texts == ["4missed"]
    one.session.release("second")
    one.loop.turn()
    assert one.transport.texts == ["4missed", "4new"]
    one.session.release("second")
    one.loop.turn()
    assert one.transport.texts == ["4missed", "4new"]


@pytest.mark.parametrize("writable", [True, False])
def test_a_farewell_takes_what_was_held_along(one: OneSession, writable: bool) -> None:
    one.transport.writable = writable
    one.session.hold("me")
    one.send("new")
    one.session.send_ahead("me", [message("missed")])
    one.session.close(disconnects.SHUTDOWN)
    one.transport.writable = True
    one.engine.flush_soon(one.session)
    one.loop.turn()
    assert one.transport.texts == ["4missed", "4new"]
    assert one.transport.ended is disconnects.SHUTDOWN


def test_what_is_held_counts_as_waiting(one: OneSession) -> None:
    one.transport.writable = False
    one.session.hold("me")
    for _ in range(11):
        one.send("x" * 99)
        one.loop.turn()
    assert one.handler.closed == ["slow_consumer"]


def trailed(text: str, trailer: Packet | None) -> Packet:
    packet = message(text)
    packet.trailer = trailer
    return packet


def test_a_write_is_closed_once_by_the_last_that_asks_for_it(one: OneSession) -> None:
    first, last = message("at 1"), message("at 2")
    for packet in (trailed("a", first), trailed("b", last), message("plain")):
        one.session.send(packet)
    one.loop.turn()
    assert one.transport.writes == [one.transport.writes[0]]
    assert one.transport.texts == ["4a", "4b", "4plain", "4at 2"]
    one.send("plain")
    one.loop.turn()
    assert one.transport.texts[-1] == "4plain"
    one.session.send(trailed("c", last))
    one.loop.turn()
    assert one.transport.texts[-2:] == ["4c", "4at 2"]


@pytest.mark.parametrize("ends", [True, False])
def test_nothing_tells_a_client_that_it_is_past_what_did_not_come(one: OneSession, ends: bool) -> None:
    """Where a replay breaks off, the events behind it and the cursors they bring go too; the farewell stays."""
    position = message("position 9")
    one.session.hold("me")
    one.session.send_ahead("me", [trailed("missed 1", message("position 1"))])
    one.session.send(trailed("new 9", position))
    one.session.send(trailed("position 9 alone", position))
    one.send("force_disconnect")
    if ends:
        one.session.close(disconnects.SERVER_DISCONNECT)
    else:
        one.session.drop_held("me")
        one.session.release("me")
    one.loop.turn()
    assert one.transport.texts == ["4missed 1", "4force_disconnect", "4position 1"]


def test_heartbeats_wait_for_nobody(one: OneSession) -> None:
    one.session.hold("me")
    one.send("new")
    one.loop.advance(one.engine.options.ping_interval + 1)
    assert one.transport.texts == ["2"]


def test_a_closing_packet_alone_is_sent_once(one: OneSession) -> None:
    closing = message("position 2")
    closing.trailer = closing
    older = trailed("event", message("position 1"))
    one.session.send(older)
    one.session.send(closing)
    one.loop.turn()
    assert one.transport.texts == ["4event", "4position 2"]


# -- who does not read meanwhile -----------------------------------------------------------------------------


def ahead(one: OneSession, *texts: str) -> None:
    one.session.send_ahead("me", [message(text) for text in texts])
    one.loop.turn()


def test_what_went_ahead_is_no_backlog_however_long_it_waits(one: OneSession) -> None:
    one.transport.writable = False
    one.session.hold("me")
    for number in range(30):  # three times what may wait in the queue
        packet = message(f"{number} ".ljust(100, "x"))
        packet.key = "the same"
        one.session.send_ahead("me", [packet])
        one.loop.turn()
    one.send("new")
    one.session.release("me")
    one.loop.turn()
    one.send("newer")
    one.loop.turn()
    assert one.handler.closed == []
    one.transport.writable = True
    one.engine.flush_soon(one.session)
    one.loop.turn()
    (written,) = one.transport.writes
    assert [packet.data.split()[0] for packet in written] == [*(b"%d" % n for n in range(30)), b"new", b"newer"]


def test_what_goes_ahead_waits_no_longer_than_a_queue(one: OneSession) -> None:
    one.transport.writable = False
    one.session.hold("me")
    ahead(one, "missed")
    one.loop.advance(one.engine.options.max_queue_time - 1)
    assert one.handler.closed == []
    one.loop.advance(2)
    assert one.handler.closed == ["slow_consumer"]


def test_each_time_it_reads_there_is_as_long_again(one: OneSession) -> None:
    one.session.hold("me")
    one.send("new")
    for number in range(3):
        one.transport.writable = False
        ahead(one, f"missed {number}")
        one.loop.advance(one.engine.options.max_queue_time / 2 + 1)
        one.transport.writable = True
        one.session.receive(PacketType.PONG, "")
        one.engine.flush_soon(one.session)
        one.loop.turn()
    assert one.handler.closed == []
    assert [text for text in one.transport.texts if text != "2"] == ["4missed 0", "4missed 1", "4missed 2"]


def test_a_holder_that_comes_before_all_was_read_goes_behind_it(one: OneSession) -> None:
    one.transport.writable = False
    one.session.hold("me")
    ahead(one, "missed")
    one.send("new")
    one.session.release("me")
    one.session.hold("another")
    one.send("newer")
    one.session.send_ahead("me", [message("nobody's")])
    one.session.send_ahead("another", [message("missed later")])
    one.session.drop_held("me")
    one.transport.writable = True
    one.loop.turn()
    assert one.transport.texts == ["4missed", "4new", "4missed later"]
    one.session.release("another")
    one.loop.turn()
    assert one.transport.texts[3:] == ["4newer"]


def test_answers_to_a_flood_of_pings_do_not_pile_up_ahead(one: OneSession) -> None:
    one.session.protocol = 3
    one.transport.writable = False
    one.session.hold("me")
    for _ in range(1_000):
        one.session.receive(PacketType.PING, "x" * 1_000)
        one.loop.turn()
    one.transport.writable = True
    one.engine.flush_soon(one.session)
    one.loop.turn()
    assert len(one.transport.packets) == 1
