"""WebSocket PINGs and probes of a peer that never reads: their answers must not pile up."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.engineio import EngineServer, Options
from ordercast.engineio.frames import CLOSE, PING, PONG, TEXT, encode_frame
from ordercast.engineio.polling import PollingTransport
from ordercast.engineio.uvicorn_websocket import WebSocketProtocol
from tests.fakes import FakeHandler, OneSession, request, virtual_loop
from tests.wire import frame


class Tcp(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: object) -> None:
        assert isinstance(data, bytes)
        self.written.append(data)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    abort = close


def connected(engine: EngineServer) -> tuple[Tcp, WebSocketProtocol]:
    tcp, websocket = Tcp(), WebSocketProtocol(engine, set())
    websocket.connection_made(tcp)
    return tcp, websocket


def test_only_the_newest_ping_is_answered_once_the_peer_reads() -> None:
    tcp, websocket = connected(EngineServer(FakeHandler(), Options()))
    websocket.data_received(frame(PING, b"first"))
    websocket.pause_writing()
    for number in range(10_000):
        websocket.data_received(frame(PING, b"%d" % number))
    assert tcp.written == [encode_frame(PONG, b"first")]
    websocket.resume_writing()
    websocket.pause_writing()
    websocket.resume_writing()
    assert tcp.written[1:] == [encode_frame(PONG, b"9999")]


async def test_no_ping_is_answered_after_our_close() -> None:
    tcp, websocket = connected(EngineServer(FakeHandler(), Options()))
    websocket.pause_writing()
    websocket.data_received(frame(PING, b"waits") + frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"))
    (close,) = tcp.written
    assert close[0] == 0x80 | CLOSE
    websocket.resume_writing()
    assert tcp.written == [close]


def test_probes_of_a_peer_that_does_not_read_are_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    one = OneSession(virtual_loop(monkeypatch))
    session = one.engine.open(request(), PollingTransport())
    tcp, websocket = connected(one.engine)
    websocket.opened(request(), session)
    websocket.data_received(frame(TEXT, b"2probe"))
    websocket.pause_writing()
    for _ in range(1_000):
        websocket.data_received(frame(TEXT, b"2probe"))
    assert tcp.written == [encode_frame(TEXT, b"3probe")]
