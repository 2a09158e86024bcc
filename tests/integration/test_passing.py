"""A request that lands on another node than its session's is passed on, and its client notices nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.frames import Opcode

from ordercast.socketio import Server, Socket
from tests.wire import PATIENCE, Site, Wire, frame, running

POLL = "/socket.io/?EIO=4&transport=polling"
BIG = 300_000


@pytest.fixture(params=["directly", "through ASGI"])
async def nodes(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Site, Site]]:
    """Two that know each other; the second one carries in either way."""
    async with (
        running(node="a", ping_interval=60.0) as a,
        running(request.param == "directly", node="b", ping_interval=60.0, max_payload=4_096) as b,
    ):
        addresses = {name: f"127.0.0.1:{_port(site)}" for name, site in (("a", a), ("b", b))}
        for site in (a, b):
            site.io.engine.locate = addresses.get
            _speak(site.io)
        yield a, b


def _port(site: Site) -> int:
    port: int = site.uvicorn.servers[0].sockets[0].getsockname()[1]
    return port


def _speak(io: Server) -> None:
    async def big(socket: Socket, *_: object) -> None:
        socket.emit("big", "x" * BIG)

    io.on("echo", lambda socket, *said: socket.emit("echo", *said))
    io.on("big", big)


async def _open(site: Site) -> str:
    status, body = await site.get(POLL)
    assert status == 200
    sid: str = json.loads(body[1:])["sid"]
    return sid


async def _post(site: Site, sid: str, body: bytes) -> tuple[int, bytes]:
    wire = await site.connect()
    head = f"POST {POLL}&sid={sid} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: {len(body)}\r\n\r\n"
    wire.write(head.encode() + body)
    return await wire.answer()


async def _joined(at: Site, through: Site) -> str:
    sid = await _open(at)
    assert await _post(through, sid, b"40") == (200, b"ok")
    status, body = await through.get(f"{POLL}&sid={sid}")
    assert (status, body[:9]) == (200, b'40{"sid":')
    return sid


async def test_polls_and_messages_may_land_anywhere(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    assert sid.startswith("a.")
    for number, (posted, polled) in enumerate([(a, b), (b, a), (b, b)]):
        assert await _post(posted, sid, f'42["echo",{number}]'.encode()) == (200, b"ok")
        assert await polled.get(f"{POLL}&sid={sid}") == (200, f'42["echo",{number}]'.encode())
    assert b.io.engine.passed_on == 6
    assert b.io.engine.peers.idle(f"127.0.0.1:{_port(a)}") == 1  # which has carried all six
    assert len(b.io.engine.sessions) == 0


async def test_a_poll_waits_there_until_there_is_something(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    poll = asyncio.create_task(b.get(f"{POLL}&sid={sid}"))
    async with asyncio.timeout(PATIENCE):
        while not a.io.engine.sessions[sid].transport.writable:  # noqa: ASYNC110 - until the poll has arrived
            await asyncio.sleep(0.01)
    a.io.emit("news", 1)
    assert await poll == (200, b'42["news",1]')


async def test_a_large_answer_comes_whole(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    await _post(a, sid, b'42["big"]')
    status, body = await b.get(f"{POLL}&sid={sid}")
    assert (status, len(body)) == (200, BIG + len('42["big",""]'))


async def test_who_hangs_up_in_mid_poll_has_hung_up_there_too(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    gone = asyncio.Event()
    a.io.on("disconnect", lambda *_: gone.set())
    wire = await b.connect()
    wire.write(f"GET {POLL}&sid={sid} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        while not a.io.engine.sessions[sid].transport.writable:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        wire.writer.transport.abort()
        await gone.wait()
    assert sid not in a.io.engine.sessions


@pytest.mark.parametrize("sid", ["nobody", "c.nobody", "a.nobody", "b.nobody", ".nobody", "a." + "x" * 500])
async def test_a_session_that_nobody_has_is_unknown(nodes: tuple[Site, Site], sid: str) -> None:
    status, body = await _post(nodes[1], sid, b"40")
    assert (status, json.loads(body)) == (400, {"code": 1, "message": "Session ID unknown"})


async def test_what_was_passed_on_goes_no_further(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    a.io.engine.locate = b.io.engine.locate = {"c": f"127.0.0.1:{_port(a)}"}.get  # who is no c, and would pass it on
    status, body = await _post(b, "c.nobody", b"40")
    assert (status, json.loads(body)["code"]) == (400, 1)
    assert (a.io.engine.passed_on, b.io.engine.passed_on) == (0, 1)


async def test_too_large_a_body_is_refused_before_anyone_is_asked(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    before = b.io.engine.passed_on
    status, _ = await _post(b, sid, b"4" * 4_097)
    assert status == 413
    assert b.io.engine.passed_on == before
    assert sid in a.io.engine.sessions


async def test_a_node_that_is_away_makes_its_sessions_unknown(nodes: tuple[Site, Site]) -> None:
    b = nodes[1]
    b.io.engine.locate = lambda name: "127.0.0.1:1"
    for answer in (await b.get(f"{POLL}&sid=a.gone"), await _post(b, "a.gone", b"40")):
        assert (answer[0], json.loads(answer[1])["code"]) == (400, 1)
    wire = await b.ask_websocket("/socket.io/?EIO=4&transport=websocket&sid=a.gone")
    status, _ = await wire.head()
    assert status in (400, 403)  # ASGI's own word for a WebSocket that is refused


async def test_an_answer_that_is_none_is_an_unknown_session(nodes: tuple[Site, Site]) -> None:
    said = [b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", b"nonsense\r\n\r\n", b"HTTP/1.1 999 ?\r\n\r\n", b""]

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said.pop())
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        nodes[1].io.engine.locate = lambda name: f"127.0.0.1:{port}"
        while said:
            status, body = await nodes[1].get(f"{POLL}&sid=a.gone")
            assert (status, json.loads(body)["code"]) == (400, 1)


async def _upgraded(a: Site, b: Site) -> tuple[str, Wire]:
    sid = await _joined(a, b)
    wire = await b.websocket(f"/socket.io/?EIO=4&transport=websocket&sid={sid}")
    wire.write(frame(Opcode.TEXT, b"2probe"))
    assert await wire.frame() == (Opcode.TEXT, b"3probe")
    wire.write(frame(Opcode.TEXT, b"5"))
    return sid, wire


@pytest.mark.parametrize("nodes", ["directly"], indirect=True)
async def test_an_upgrade_may_land_anywhere(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid, wire = await _upgraded(a, b)
    wire.write(frame(Opcode.TEXT, b'42["echo","there"]'))
    assert await wire.frame() == (Opcode.TEXT, b'42["echo","there"]')
    wire.write(frame(Opcode.TEXT, b'42["big"]'))
    opcode, payload = await wire.frame()
    assert (opcode, len(payload)) == (Opcode.TEXT, BIG + len('42["big",""]'))
    gone = asyncio.Event()
    a.io.on("disconnect", lambda *_: gone.set())
    wire.writer.transport.abort()
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    assert sid not in a.io.engine.sessions


@pytest.mark.parametrize("nodes", ["directly"], indirect=True)
async def test_a_relayed_websocket_ends_when_its_node_does(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    _, wire = await _upgraded(a, b)
    await a.io.close(grace=0)
    await wire.rest()  # which ends


@pytest.mark.parametrize("nodes", ["through ASGI"], indirect=True)
async def test_through_asgi_an_upgrade_is_refused_and_polling_goes_on(nodes: tuple[Site, Site]) -> None:
    a, b = nodes
    sid = await _joined(a, b)
    wire = await b.ask_websocket(f"/socket.io/?EIO=4&transport=websocket&sid={sid}")
    status, _ = await wire.head()
    assert status in (400, 403)
    await _post(b, sid, b'42["echo",1]')
    assert await b.get(f"{POLL}&sid={sid}") == (200, b'42["echo",1]')
