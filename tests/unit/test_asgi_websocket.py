"""WebSockets under any ASGI server, by hand-made events.

https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from ordercast.engineio import EngineServer, Options, Session, asgi, asgi_websocket, disconnects
from ordercast.engineio.packet import message
from ordercast.engineio.polling import PollingTransport
from ordercast.engineio.session import State
from tests.fakes import HOST, FakeHandler, request

LIMIT = 1000


class Peer:
    """The server and the client in one: what the application is given, and what it sends."""

    def __init__(self, engine: EngineServer, query: str = "EIO=4&transport=websocket", origin: bytes = b"") -> None:
        headers = [(b"host", HOST)] + ([(b"origin", origin)] if origin else [])
        self.scope = {"type": "websocket", "path": "/socket.io/", "query_string": query.encode(), "headers": headers}
        self._engine = engine
        self.sent: list[MutableMapping[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.fails: Exception | None = None
        self._incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.put("connect")
        self.task = asyncio.create_task(asgi.app(engine, self.scope, self._incoming.get, self._send))

    def put(self, event: str, **content: Any) -> None:
        self._incoming.put_nowait({"type": f"websocket.{event}", **content})

    async def _send(self, event: MutableMapping[str, Any]) -> None:
        await self.reads.wait()
        if self.fails is not None:
            raise self.fails
        self.sent.append(event)

    async def turns(self) -> list[tuple[str, Any]]:
        """Lets everything happen that can, and returns what has been sent: kinds and contents."""
        for _ in range(20):
            await asyncio.sleep(0)
            while self._engine._dirty:  # noqa: ASYNC110 - a flush may pause
                await asyncio.sleep(0)
        return [(event["type"][10:], event.get("text", event.get("bytes", event.get("code")))) for event in self.sent]

    async def opened(self) -> Peer:
        (accept, _), (_, hello) = await self.turns()
        assert (accept, hello[:8]) == ("accept", '0{"sid":')
        self.sent.clear()
        return self


@pytest.fixture
def handler() -> FakeHandler:
    return FakeHandler()


@pytest.fixture
async def engine(handler: FakeHandler) -> AsyncIterator[EngineServer]:
    engine = EngineServer(handler, Options(max_payload=LIMIT, max_queue_bytes=LIMIT))
    yield engine
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    engine.timer.close()


def the_session(engine: EngineServer) -> Session:
    (session,) = engine.sessions.values()
    return session


async def test_a_conversation(engine: EngineServer, handler: FakeHandler) -> None:
    peer = await Peer(engine).opened()
    peer.put("receive", text="4hello")
    peer.put("receive", text=None, bytes=b"\x01")
    peer.put("receive", bytes=None, text="4€")
    await peer.turns()
    assert handler.messages == ["hello", b"\x01", "€"]
    session = the_session(engine)
    session.send(message("€"))
    session.send(message(b"\x02"))
    assert await peer.turns() == [("send", "4€"), ("send", b"\x02")]
    peer.put("disconnect", code=1005)
    await peer.task
    assert handler.closed == ["transport close"]
    assert engine.sessions == {}


@pytest.mark.parametrize(
    ("query", "origin"),
    [
        ("EIO=4&transport=websocket", b"https://evil.example"),
        ("EIO=4&transport=polling", b""),
        ("EIO=2&transport=websocket", b""),
        ("EIO=4&transport=websocket&sid=nobody", b""),
        ("", b""),
    ],
)
async def test_who_is_refused_is_not_accepted_first(engine: EngineServer, query: str, origin: bytes) -> None:
    peer = Peer(engine, query, origin)
    await peer.task
    assert await peer.turns() == [("close", 1008)]
    assert engine.opened == 0


@pytest.mark.parametrize(
    "why", [disconnects.SHUTDOWN, disconnects.SERVER_DISCONNECT, disconnects.PARSE_ERROR], ids=lambda why: why.reason
)
async def test_ending(engine: EngineServer, why: disconnects.Disconnect) -> None:
    peer = await Peer(engine).opened()
    session = the_session(engine)
    session.send(message("last words"))
    session.close(why)
    session.send(message("too late"))
    last = [("send", "4last words")] if why.farewell else []
    assert await peer.turns() == [*last, ("close", why.close_code)]
    peer.put("receive", text="4too late")
    peer.put("disconnect", code=why.close_code)
    await peer.task


@pytest.mark.parametrize(
    ("content", "reason", "code"),
    [
        ({"text": "4" * (LIMIT + 1)}, "message too large", 1009),
        ({"text": "4" + "€" * (LIMIT // 2)}, "message too large", 1009),  # the limit counts bytes
        ({"bytes": b"x" * (LIMIT + 1)}, "message too large", 1009),
        ({"text": "x"}, "parse error", 1008),
        ({"text": ""}, "parse error", 1008),
        ({"text": "1"}, "transport close", 1000),
    ],
)
async def test_what_ends_a_session(
    engine: EngineServer, handler: FakeHandler, content: dict[str, Any], reason: str, code: int
) -> None:
    peer = await Peer(engine).opened()
    peer.put("receive", **content)
    assert await peer.turns() == [("close", code)]
    assert handler.closed == [reason]


async def test_messages_as_large_as_the_limit(engine: EngineServer, handler: FakeHandler) -> None:
    peer = await Peer(engine).opened()
    peer.put("receive", text="4" + "é" * ((LIMIT - 1) // 2))
    peer.put("receive", bytes=b"x" * LIMIT)
    await peer.turns()
    assert [len(data) for data in handler.messages] == [(LIMIT - 1) // 2, LIMIT]


async def test_a_client_that_reads_late_gets_all_in_order(engine: EngineServer) -> None:
    peer = await Peer(engine).opened()
    session = the_session(engine)
    peer.reads.clear()
    for i in range(5):
        session.send(message(str(i)))
        assert await peer.turns() == []
    peer.reads.set()
    assert await peer.turns() == [("send", f"4{i}") for i in range(5)]


async def test_a_client_that_does_not_read_is_let_go_of(engine: EngineServer, handler: FakeHandler) -> None:
    peer = await Peer(engine).opened()
    session = the_session(engine)
    peer.reads.clear()
    for _ in range(3):
        session.send(message("x" * LIMIT))
        await peer.turns()
    assert handler.closed == ["slow_consumer"]
    assert engine.sessions == {}


async def test_an_upgrade(engine: EngineServer, handler: FakeHandler) -> None:
    session = engine.open(request(), PollingTransport())
    query = f"EIO=4&transport=websocket&sid={session.id}"
    quitter, peer = Peer(engine, query), Peer(engine, query)
    quitter.put("receive", text="4hello")
    assert (await quitter.turns())[-1] == ("close", 1008)
    peer.put("receive", text="2probe")
    assert await peer.turns() == [("accept", None), ("send", "3probe")]
    peer.put("receive", text="5")
    (_, hello) = (await peer.turns())[-1]
    assert hello[:8] == '0{"sid":'  # what waited
    peer.put("receive", text="4hello")
    await peer.turns()
    assert handler.messages == ["hello"]
    assert session.state is State.OPEN


# -- ends -----------------------------------------------------------------------------------------------------


async def test_what_is_being_written_precedes_the_end_and_its_code(engine: EngineServer, handler: FakeHandler) -> None:
    peer = await Peer(engine).opened()
    session = the_session(engine)
    peer.reads.clear()
    session.send(message("one"))
    await peer.turns()
    peer.put("receive", text="no packet")
    assert await peer.turns() == []
    assert handler.closed == ["parse error"]
    peer.reads.set()
    assert await peer.turns() == [("send", "4one"), ("close", 1008)]


async def test_a_slow_consumer_that_reads_again_is_told_why_it_was_let_go_of(engine: EngineServer) -> None:
    peer = await Peer(engine).opened()
    session = the_session(engine)
    peer.reads.clear()
    for _ in range(3):
        session.send(message("x" * LIMIT))
        await peer.turns()
    peer.reads.set()
    assert await peer.turns() == [("send", "4" + "x" * LIMIT), ("close", 1013)], "what waited is dropped"


@pytest.mark.parametrize("why", [disconnects.SLOW_CONSUMER, disconnects.SHUTDOWN, disconnects.PARSE_ERROR])
async def test_a_write_that_never_ends_is_given_up(
    engine: EngineServer, why: disconnects.Disconnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_websocket, "_CLOSE_TIMEOUT", 0.01)
    peer = await Peer(engine).opened()
    session = the_session(engine)
    peer.reads.clear()
    session.send(message("one"))
    await peer.turns()
    session.close(why)
    session.abort()  # what comes of a farewell that takes too long
    async with asyncio.timeout(60):
        await peer.task
    assert peer.sent == []
    assert engine.sessions == {}


async def test_a_peer_that_does_not_answer_the_close_is_not_waited_for(
    engine: EngineServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_websocket, "_CLOSE_TIMEOUT", 0.01)
    peer = await Peer(engine).opened()
    peer.put("receive", text="no packet")
    async with asyncio.timeout(60):
        await peer.task
    assert await peer.turns() == [("close", 1008)]


async def test_what_comes_after_the_end_is_nobodys(engine: EngineServer, handler: FakeHandler) -> None:
    session = engine.open(request(), PollingTransport())
    peer = Peer(engine, f"EIO=4&transport=websocket&sid={session.id}")
    for text in ("no packet", "2probe", "5", "4hello"):
        peer.put("receive", text=text)
    assert await peer.turns() == [("accept", None), ("close", 1008)]
    assert handler.messages == []
    assert session.upgrading is None
    assert session.transport.name == "polling"


async def test_too_much_before_the_upgrade(engine: EngineServer) -> None:
    session = engine.open(request(), PollingTransport())
    peer = Peer(engine, f"EIO=4&transport=websocket&sid={session.id}")
    peer.put("receive", text="2" + "x" * LIMIT)
    assert await peer.turns() == [("accept", None), ("close", 1009)]
    assert session.state is State.OPEN


async def test_an_upgrade_that_comes_too_late_is_closed_and_hung_up_on(
    engine: EngineServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asgi_websocket, "_CLOSE_TIMEOUT", 0.01)
    first = await Peer(engine).opened()
    late = Peer(engine, f"EIO=4&transport=websocket&sid={the_session(engine).id}")
    async with asyncio.timeout(60):
        await late.task
    assert await late.turns() == [("accept", None), ("close", 1002)]
    assert not first.task.done()


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), RuntimeError("a mistake of the server's")])
async def test_a_send_that_fails(
    engine: EngineServer, handler: FakeHandler, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OSError` says that the peer has gone (ASGI, "Send exceptions"); anything else is for the server's log."""
    monkeypatch.setattr(asgi_websocket, "_CLOSE_TIMEOUT", 0.01)
    peer = await Peer(engine).opened()
    peer.fails = error
    the_session(engine).send(message("one"))
    async with asyncio.timeout(60):
        (result,) = await asyncio.gather(peer.task, return_exceptions=True)
    assert result is (None if isinstance(error, OSError) else error)
    assert handler.closed == ["transport close"]
