"""A node that goes leaves its clients to the others a few at a time, and serves the rest until then."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.engineio import EngineServer, Options, drain
from ordercast.engineio.errors import Refused
from ordercast.engineio.packet import message
from tests.fakes import FakeHandler, FakeTransport, request

CLIENTS = 95


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; they take no time."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)
        await sleep(0)

    monkeypatch.setattr("ordercast.engineio.drain.asyncio.sleep", noted)
    return pauses


def _opened(engine: EngineServer, count: int) -> list[FakeTransport]:
    transports = [FakeTransport() for _ in range(count)]
    for transport in transports:
        engine.open(request(), transport)
    return transports


async def test_sessions_end_a_few_at_a_time_within_the_time_given(slept: list[float]) -> None:
    handler = FakeHandler()
    engine = EngineServer(handler, Options())
    transports = _opened(engine, CLIENTS)
    await drain.drain(engine, 1.0)
    assert handler.closed == ["server shutting down"] * CLIENTS
    assert len(slept) == 9  # ten handfuls
    assert sum(slept) <= 1.0
    await engine.close()
    assert all(transport.ended is not None and transport.ended.returns for transport in transports)


async def test_who_is_left_is_served_and_nobody_is_let_in(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    engine = EngineServer(FakeHandler(), Options())
    transports = _opened(engine, 2)
    monkeypatch.setattr("ordercast.engineio.drain.random.shuffle", lambda _: None)
    draining = asyncio.create_task(drain.drain(engine, 60.0))
    await asyncio.sleep(0)
    assert [transport.ended is None for transport in transports] == [False, True]
    (left,) = (session for session in engine.sessions.values() if session.transport is transports[1])
    left.send(message("still there"))
    with pytest.raises(Refused):
        engine.gate.check_session(request())
    await draining
    await engine.close(grace=0)
    assert "4still there" in transports[1].texts


@pytest.mark.parametrize("seconds", [0.0, 1.0])
async def test_nothing_to_do_takes_no_time(slept: list[float], seconds: float) -> None:
    engine = EngineServer(FakeHandler(), Options())
    if not seconds:
        _opened(engine, 3)
    await drain.drain(engine, seconds)
    assert slept == []
    await engine.close(grace=0)
