"""The heartbeat of Engine.IO 3, which the client begins, on a clock that the test moves.

https://github.com/socketio/engine.io-protocol/tree/v3#timeouts
"""

from __future__ import annotations

import pytest

from ordercast.engineio import PacketType, disconnects
from ordercast.engineio.packet import CLOSE
from tests.fakes import LINGER, FakeTransport, OneSession, request, virtual_loop

QUERY = b"EIO=3&transport=websocket"


def test_the_client_begins_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = virtual_loop(monkeypatch)
    one = OneSession(loop)  # 25 s and 20 s
    transport = FakeTransport(protocol=3)
    session = one.engine.open(request(QUERY), transport)
    loop.advance(0)
    transport.writes.clear()
    for data in ("", "probe", "é"):
        loop.advance(44)
        session.receive(PacketType.PING, data)
        loop.advance(0)
        assert transport.texts.pop(0) == "3" + data
        transport.writes.clear()
    loop.advance(44)
    assert session.why is None
    loop.advance(2)
    assert session.why is disconnects.PING_TIMEOUT
    assert transport.writes == []  # not a single PING of ours, nor a close frame that nobody would read
    assert transport.aborted
    loop.advance(100 + LINGER)
    assert all(not deadlines.queue for deadlines in one.engine.timer.queues)


def test_a_client_that_never_pings_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = virtual_loop(monkeypatch)
    one = OneSession(loop)
    session = one.engine.open(request(QUERY), FakeTransport(protocol=3))
    loop.advance(44)
    session.receive(PacketType.MESSAGE, "talks, and does not ping")
    assert session.why is None
    loop.advance(2)
    assert session.why is disconnects.PING_TIMEOUT


def test_a_flood_of_pings_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = virtual_loop(monkeypatch)
    one = OneSession(loop)
    session = one.engine.open(request(QUERY), FakeTransport(protocol=3))
    for _ in range(200):
        for _ in range(100):
            session.receive(PacketType.PING, "")
        loop.advance(0.01)
    assert sum(len(deadlines.queue) for deadlines in one.engine.timer.queues) < 40
    loop.advance(44)
    assert session.why is None
    loop.advance(2)
    assert session.why is disconnects.PING_TIMEOUT


@pytest.mark.parametrize(
    ("protocol", "type"),
    [(3, PacketType.PONG), (4, PacketType.PING), (3, PacketType.OPEN), (3, PacketType.UPGRADE), (3, PacketType.NOOP)],
)
def test_packets_of_the_other_side_end_the_session(
    protocol: int, type: PacketType, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = virtual_loop(monkeypatch)
    one = OneSession(loop)
    transport = FakeTransport(protocol=protocol)
    session = one.engine.open(request(QUERY), transport)
    session.receive(type, "")
    assert session.why is disconnects.PARSE_ERROR
    assert CLOSE not in transport.packets
