"""How sessions end: what still goes out, who learns it, and how long anyone waits; and how they move to WebSocket."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.engineio import Disconnect, EngineServer, Options, Session, disconnects
from ordercast.engineio.packet import message
from ordercast.engineio.session import State
from tests.fakes import LINGER, FakeHandler, FakeTransport, OneSession, VirtualLoop, request, virtual_loop


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> VirtualLoop:
    return virtual_loop(monkeypatch)


@pytest.fixture
def one(loop: VirtualLoop) -> OneSession:
    return OneSession(loop)


# -- ending ---------------------------------------------------------------------------------------------------


def test_the_table_of_disconnects_is_whole() -> None:
    named = [value for value in vars(disconnects).values() if isinstance(value, Disconnect)]
    assert list(disconnects.ALL) == named
    assert len({why.reason for why in named}) == len(named)
    assert not any(why.farewell and why.silent for why in named)
    assert {why.reason for why in named if not why.returns} == {
        "server namespace disconnect",
        "client namespace disconnect",
        "refused",
    }


@pytest.mark.parametrize("why", disconnects.ALL, ids=lambda why: why.reason)
@pytest.mark.parametrize("name", ["websocket", "polling"])
def test_how_a_session_ends(loop: VirtualLoop, name: str, why: Disconnect) -> None:
    one = OneSession(loop, name)
    one.transport.writable = True
    one.send("last words")
    one.session.close(why)
    assert one.handler.closed == [why.reason]
    one.send("too late")
    one.session.close(disconnects.PARSE_ERROR)
    loop.turn()
    if why.farewell and name == "polling":
        assert one.transport.texts == ["4last words"]
        assert one.transport.ended is None
        one.transport.writable = True  # the next poll, which finds the session still there
        one.engine.find(one.session.id).flush()
    assert one.transport.texts == (["4last words"] if why.farewell else [])
    assert one.transport.ended == (None if why.silent else why)
    assert one.transport.aborted == why.silent
    assert one.engine.sessions == {}
    assert one.engine.journal.closed == {why.reason: 1}
    loop.advance(1000)
    assert one.handler.closed == [why.reason]
    assert loop.timers == 0


def test_a_farewell_waits_for_a_client_that_reads_late(one: OneSession) -> None:
    one.transport.writable = False
    one.send("last words")
    one.session.close(disconnects.SHUTDOWN)
    one.loop.advance(LINGER - 1)
    assert one.session.state is State.CLOSING
    assert len(one.engine) == 0
    one.transport.writable = True
    one.engine.flush_soon(one.session)
    one.loop.turn()
    assert one.transport.texts == ["4last words"]
    assert one.transport.ended is disconnects.SHUTDOWN
    one.loop.advance(LINGER)
    assert not one.transport.aborted


def test_a_farewell_waits_no_longer_than_it_may(one: OneSession) -> None:
    one.transport.writable = False
    one.send("last words")
    one.session.close(disconnects.SERVER_DISCONNECT)
    one.loop.advance(LINGER)
    assert one.transport.aborted
    assert one.engine.sessions == {}
    assert one.engine.journal.closed == {"server namespace disconnect": 1}


def test_no_farewell_for_a_client_that_does_not_read(one: OneSession) -> None:
    one.transport.writable = False
    one.session.close(disconnects.PARSE_ERROR)
    assert one.transport.aborted
    assert one.transport.writes == []


@pytest.mark.parametrize("first", [None, disconnects.SHUTDOWN, disconnects.PARSE_ERROR])
def test_a_lost_transport_ends_a_session_once(one: OneSession, first: Disconnect | None) -> None:
    one.transport.writable = False
    one.send("never read")
    if first is not None:
        one.session.close(first)
    for _ in range(2):
        one.session.lost(disconnects.TRANSPORT_CLOSE)
    assert one.handler.closed == [first.reason if first else "transport close"]
    assert one.engine.journal.closed == {one.handler.closed[0]: 1}
    if first is not disconnects.SHUTDOWN:
        assert one.session.queue == []
    one.loop.advance(1000)
    assert one.transport.writes == []
    assert one.engine.sessions == {}


def test_the_engine_knows_the_session_until_the_handler_has_heard(loop: VirtualLoop) -> None:
    class Curious(FakeHandler):
        def on_close(self, session: Session, why: Disconnect) -> None:
            super().on_close(session, why)
            session.close(disconnects.PARSE_ERROR)
            assert session.state is not State.OPEN
            assert session.why is why

    engine = EngineServer(Curious(), Options())
    for why in disconnects.ALL:
        engine.open(request(), FakeTransport()).close(why)
    assert isinstance(engine.handler, Curious)
    assert engine.handler.closed == [why.reason for why in disconnects.ALL]


# -- upgrade --------------------------------------------------------------------------------------------------


def test_an_upgrade_keeps_the_order(loop: VirtualLoop) -> None:
    one = OneSession(loop, "polling")
    one.transport.writable = True
    one.send("1", "2")
    loop.turn()
    one.send("3")
    loop.turn()
    one.send("4")
    websocket = FakeTransport()
    one.session.upgrade(websocket)
    one.send("5")
    loop.turn()
    one.send("6")
    loop.turn()
    assert one.transport.texts == ["41", "42"]
    assert websocket.texts == ["43", "44", "45", "46"]
    one.session.close(disconnects.SHUTDOWN)
    loop.turn()
    assert (one.transport.ended, websocket.ended) == (None, disconnects.SHUTDOWN)


# -- shutting down --------------------------------------------------------------------------------------------


async def test_closing_the_engine_lets_everyone_hear_and_waits_for_no_one_for_ever() -> None:
    handler = FakeHandler()
    engine = EngineServer(handler, Options())
    reading, stuck = FakeTransport(), FakeTransport()
    for transport in (reading, stuck):
        engine.open(request(), transport).send(message("last words"))
    stuck.writable = False
    async with asyncio.timeout(60):
        await engine.close(grace=0.5)
    assert reading.texts[1:] == ["4last words"]
    assert reading.ended is disconnects.SHUTDOWN
    assert stuck.aborted
    assert handler.closed == ["server shutting down"] * 2
    assert engine.sessions == {}
    assert not engine.gate.accepting
