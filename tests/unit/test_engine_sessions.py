"""Sessions over a transport in memory: what is written when."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio import EngineServer, Options, PacketType
from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.packet import PING, Packet, message
from ordercast.engineio.session import State
from tests.fakes import FakeHandler, FakeTransport, OneSession, VirtualLoop, request, virtual_loop


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    return virtual_loop(monkeypatch)


@pytest.fixture
def one(loop: VirtualLoop) -> OneSession:
    return OneSession(loop)


# -- opening --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "transports", "upgrades"),
    [
        ("polling", ("polling", "websocket"), ["websocket"]),
        ("polling", ("polling",), []),
        ("websocket", ("polling", "websocket"), []),
    ],
)
def test_the_open_packet(loop: VirtualLoop, name: str, transports: tuple[str, ...], upgrades: list[str]) -> None:
    options = Options(transports=transports, ping_interval=2.5, ping_timeout=0.1, max_payload=777)
    engine = EngineServer(FakeHandler(), options)
    transport = FakeTransport(name)
    session = engine.open(request(), transport)
    loop.turn()
    (packet,) = transport.packets
    assert packet.type is PacketType.OPEN
    assert msgspec.json.decode(packet.data) == {
        "sid": session.id,
        "upgrades": upgrades,
        "pingInterval": 2500,
        "pingTimeout": 100,
        "maxPayload": 777,
    }


def test_sessions_are_counted_and_found(one: OneSession) -> None:
    _, other = one.open()
    assert one.handler.opened == [one.session, other]
    assert one.engine.opened == len(one.engine) == 2
    assert one.session.id != other.id
    assert one.engine.find(other.id) is other
    with pytest.raises(Refused) as caught:
        one.engine.find("nobody")
    assert caught.value.refusal is Refusal.UNKNOWN_SESSION


def test_no_session_while_shutting_down(one: OneSession) -> None:
    one.engine.stop_accepting()
    with pytest.raises(Refused) as caught:
        one.engine.gate.check_session(one.session.request)
    assert caught.value.refusal is Refusal.UNAVAILABLE
    assert one.handler.opened == [one.session]
    one.send("still here")
    one.loop.turn()
    assert one.transport.texts == ["4still here"]


# -- writing --------------------------------------------------------------------------------------------------


def test_one_write_per_turn(one: OneSession) -> None:
    one.send("a", "b")
    assert one.transport.writes == []
    one.send("c")
    one.loop.turn()
    assert [[packet.data for packet in write] for write in one.transport.writes] == [[b"a", b"b", b"c"]]
    one.loop.turn()
    assert len(one.transport.writes) == 1


def test_one_flush_serves_every_session(one: OneSession) -> None:
    transports = [one.open()[0] for _ in range(10)]
    assert len(one.loop.ready) == 1
    one.loop.turn()
    assert all(len(transport.writes) == 1 for transport in transports)


def test_what_is_sent_during_a_flush_goes_out_in_the_next(one: OneSession) -> None:
    class Answering(FakeTransport):
        def write(self, packets: list[Packet]) -> None:
            super().write(packets)
            if len(self.writes) < 3:
                session.send(PING)

    transport = Answering()
    session = one.engine.open(request(), transport)
    one.loop.turn()
    assert len(transport.writes) == 1
    one.loop.turn()
    one.loop.turn()
    assert transport.texts[1:] == ["2", "2"]


def test_a_client_that_does_not_read_gets_all_later_in_order(one: OneSession) -> None:
    one.transport.writable = False
    for text in "abc":
        one.send(text)
        one.loop.turn()
    assert one.transport.writes == []
    one.transport.writable = True
    one.engine.flush_soon(one.session)
    one.send("d")
    one.loop.turn()
    assert one.transport.texts == ["4a", "4b", "4c", "4d"]
    assert len(one.transport.writes) == 1


def test_a_slow_consumer_is_dropped_at_the_limit(one: OneSession) -> None:
    one.transport.writable = False
    for _ in range(10):
        one.send("x" * 99)
        one.loop.turn()
    assert one.session.state is State.OPEN
    one.send("")
    one.loop.turn()
    assert one.handler.closed == ["slow_consumer"]
    assert one.transport.aborted
    assert one.session.queue == []
    assert one.engine.sessions == {}
    assert one.engine.journal.closed == {"slow_consumer": 1}


def test_the_backlog_begins_anew_once_it_was_read(one: OneSession) -> None:
    for _ in range(5):
        one.transport.writable = False
        one.send("x" * 449, "x" * 449)
        one.loop.turn()
        one.transport.writable = True
        one.engine.flush_soon(one.session)
        one.loop.turn()
    assert len(one.transport.packets) == 10
    assert one.handler.closed == []


def test_a_burst_in_one_turn_is_no_backlog(one: OneSession) -> None:
    one.send(*["x" * 99] * 100)
    one.loop.turn()
    assert len(one.transport.packets) == 100


@pytest.mark.parametrize(("cost", "pause"), [(0.001, 0), (0.01, 0.01), (1.0, 0.03)])
def test_a_flush_that_took_long_has_the_next_wait_and_lose_nothing(one: OneSession, cost: float, pause: float) -> None:
    class Slow(FakeTransport):
        def write(self, packets: list[Packet]) -> None:
            super().write(packets)
            times.append(one.loop.now)
            one.loop.now += cost

    times: list[float] = []
    transport = Slow()
    session = one.engine.open(request(), transport)
    one.loop.turn()
    ended = one.loop.now
    for text in "abc":
        session.send(message(text))
        one.loop.turn()
    one.loop.advance(1)
    assert times[1] - ended == pytest.approx(pause)
    assert transport.texts[1:] == ["4a", "4b", "4c"]
    assert len(transport.writes) == (4 if pause == 0 else 2)


@given(st.lists(st.sampled_from(["send", "turn", "stop", "read", "pass"]), max_size=40), st.integers(0, 5))
def test_every_packet_once_and_in_order(steps: list[str], cost: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        one = OneSession(virtual_loop(patch), max_queue_bytes=1_000_000)
        count = 0
        for step in steps:
            if step == "send":
                one.send(str(count))
                count += 1
            elif step == "turn":
                one.loop.turn()
                one.engine._not_before = one.loop.now + cost / 100  # as after a flush that took this long
            elif step == "pass":
                one.loop.advance(0.01)
            elif step == "stop":
                one.transport.writable = False
            elif not one.transport.writable:
                one.transport.writable = True
                one.engine.flush_soon(one.session)
        one.transport.writable = True
        one.engine.flush_soon(one.session)
        one.loop.advance(0.1)
        assert one.transport.texts == [f"4{i}" for i in range(count)]


# -- receiving ------------------------------------------------------------------------------------------------


def test_messages_reach_the_handler(one: OneSession) -> None:
    one.session.receive(PacketType.MESSAGE, "a")
    one.session.receive(PacketType.MESSAGE, b"b")
    assert one.handler.messages == ["a", b"b"]


@pytest.mark.parametrize("type", [PacketType.OPEN, PacketType.PING, PacketType.UPGRADE, PacketType.NOOP])
def test_packets_that_clients_do_not_send(one: OneSession, type: PacketType) -> None:
    one.session.receive(type, "")
    assert one.handler.closed == ["parse error"]
    one.session.receive(PacketType.MESSAGE, "too late")
    assert one.handler.messages == []


def test_a_transport_that_fails_keeps_nobody_elses_packets(one: OneSession, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeTransport):
        def write(self, packets: list[Packet]) -> None:
            raise OSError("broken")

    broken = one.engine.open(one.session.request, Broken())
    one.send("hello")
    one.loop.turn()
    assert one.transport.texts == ["4hello"]
    assert broken.id not in one.engine.sessions
    assert "could not be written to" in caplog.text
