"""What `engineio/uvicorn.py` relies on in uvicorn: that its seams are there, and that a real server behaves.

Part of this is not uvicorn's public interface; where it changes, these tests say so before a user does.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator

import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ordercast.engineio.frames import TEXT
from ordercast.engineio.options import Options
from ordercast.engineio.uvicorn import HttpProtocol
from ordercast.engineio.uvicorn_polling import HttpExchange
from ordercast.engineio.uvicorn_websocket import WebSocketProtocol
from ordercast.socketio import Server
from tests.wire import Site, frame, running

MAX_HEAD = Options().max_head


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running() as site:
        yield site


# -- the seams themselves -------------------------------------------------------------------------------------


def test_constructors() -> None:
    """uvicorn calls ours with the arguments of its own, by keyword."""
    expected = list(inspect.signature(HttpToolsProtocol).parameters)
    assert expected == ["config", "server_state", "app_state", "_loop"]
    assert list(inspect.signature(HttpProtocol).parameters) == expected


def test_what_a_handshake_is_made_of() -> None:
    """Read in `handle_websocket_upgrade`, where uvicorn has parsed the head and nothing more."""
    source = inspect.getsource(HttpToolsProtocol)
    for name in ("url", "headers", "client", "scheme", "scope", "transport", "connections"):
        assert f"self.{name} = " in source or f"self.{name}: " in source, name


def test_what_we_override_is_there_to_be_overridden() -> None:
    names = ("data_received", "on_headers_complete", "on_body", "on_message_complete", "handle_websocket_upgrade")
    for name in (*names, "connection_made", "connection_lost"):
        assert callable(getattr(HttpToolsProtocol, name))
        assert name in vars(HttpProtocol)
    assert ServerState().connections == set()


def test_what_uvicorn_asks_of_a_request_under_way() -> None:
    """Polls are answered without its `RequestResponseCycle`, by an object that stands in for one."""
    asked = set(re.findall(r"(?:self\.|existing_)cycle\.(\w+)", inspect.getsource(HttpToolsProtocol)))
    ours_answer = {"body", "more_body"}  # used in what we override only
    assert asked == {"disconnected", "message_event", "response_complete", "keep_alive"} | ours_answer
    for name in asked - ours_answer:
        assert hasattr(HttpExchange, name)


def test_each_server_has_classes_of_its_own() -> None:
    first, second = Server(), Server()
    assert first.uvicorn_settings()["http"].bound_engine is first.engine
    assert second.uvicorn_settings()["http"].bound_engine is second.engine


async def test_uvicorn_knows_our_connections(site: Site) -> None:
    """Else it would neither shut them down nor count them."""
    connections = site.uvicorn.server_state.connections
    wire = await site.session()
    (ours,) = connections
    assert isinstance(ours, WebSocketProtocol)
    wire.writer.close()
    await gone(site)
    assert site.io.engine.sessions == {}


async def gone(site: Site) -> None:
    """Waits until uvicorn knows of no connection; a shutdown waits for the same."""
    async with asyncio.timeout(60):
        while site.uvicorn.server_state.connections:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)


async def test_uvicorn_shuts_our_connections_down(site: Site) -> None:
    wire = await site.session()
    site.uvicorn.should_exit = True
    assert await wire.closed() == (1001, "server shutting down")


async def test_a_poll_that_waits_does_not_hold_up_a_shutdown(site: Site) -> None:
    wire = await site.connect()
    wire.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    _, opened = await wire.answer()
    sid = opened.split(b'"sid":"')[1].split(b'"')[0]
    wire.write(b"GET /socket.io/?EIO=4&transport=polling&sid=%b HTTP/1.1\r\nHost: shop.example\r\n\r\n" % sid)
    session = site.io.engine.find(sid.decode())
    async with asyncio.timeout(60):
        while not session.transport.writable:  # noqa: ASYNC110 - until the poll is there
            await asyncio.sleep(0.001)
    site.uvicorn.should_exit = True
    assert (await wire.answer())[0] == 200
    assert site.io.engine.sessions == {}


# -- whose WebSocket it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/socket.io/", "/socket.io"])
async def test_the_engines_path(site: Site, path: str) -> None:
    wire = await site.websocket(f"{path}?EIO=4&transport=websocket")
    opcode, payload = await wire.frame()
    assert (opcode, payload[:8]) == (TEXT, b'0{"sid":')
    (session,) = site.io.engine.sessions.values()
    assert (session.request.path, session.request.address) == (path, "127.0.0.1")
    assert session.request.header(b"host") == "shop.example"


@pytest.mark.parametrize("target", ["/ws", "/", "/socket.io.example", "/x?path=/socket.io/"])
async def test_other_paths_are_the_applications(site: Site, target: str) -> None:
    wire = await site.websocket(target)
    for text in (b"one", b"two"):
        wire.write(frame(TEXT, text))
        assert await wire.frame() == (TEXT, text)
    assert len(site.uvicorn.server_state.connections) == 1
    assert site.io.engine.opened == 0
    wire.writer.close()
    await gone(site)


@pytest.mark.parametrize("target", ["/ws", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize("header", [{"Sec_WebSocket_Key": ""}, {"Sec_WebSocket_Version": "12"}, {"method": "POST"}])
async def test_a_refused_handshake_leaves_nothing_behind(site: Site, target: str, header: dict[str, str]) -> None:
    wire = await site.ask_websocket(target, **header)
    assert b"101 Switching" not in await wire.rest()
    await gone(site)
    assert site.io.engine.opened == 0


def test_the_same_on_uvloop() -> None:
    """The loop that `ordercast serve` runs on; the handing over depends on the order of its callbacks."""

    async def conversation() -> None:
        async with running() as site:
            for method in ("GET", "POST"):
                refused = await site.ask_websocket("/ws", method=method, Sec_WebSocket_Key="")
                await refused.rest()
                await gone(site)
            echo = await site.websocket("/ws")
            echo.write(frame(TEXT, b"one"))
            assert await echo.frame() == (TEXT, b"one")
            ours = await site.session()
            assert len(site.uvicorn.server_state.connections) == 2
            site.uvicorn.should_exit = True
            assert (await ours.closed())[0] == 1001

    uvloop.run(conversation())


# -- heads and bodies -----------------------------------------------------------------------------------------

HEAD = b"POST /echo HTTP/1.1\r\nHost: shop.example\r\n"


def post(body: bytes, *, filler: int = 0) -> bytes:
    return HEAD + b"X: %b\r\nContent-Length: %d\r\n\r\n%b" % (b"x" * filler, len(body), body)


async def test_a_head_below_the_limit(site: Site) -> None:
    wire = await site.connect()
    for _ in range(3):
        wire.write(post(b"body", filler=MAX_HEAD - 200))
        assert await wire.answer() == (200, b"body")


@pytest.mark.parametrize(
    "head",
    [
        post(b"", filler=MAX_HEAD),
        b"GET /" + b"x" * MAX_HEAD,
        HEAD + b"X: y\r\n" * MAX_HEAD,
        b"GET /socket.io/?EIO=4&transport=websocket&token=" + b"x" * MAX_HEAD + b" HTTP/1.1\r\nUpgrade: websocket\r\n",
    ],
    ids=["whole", "no end of the line", "many headers", "websocket"],
)
async def test_a_head_over_the_limit(site: Site, head: bytes) -> None:
    wire = await site.connect()
    wire.write(head[: MAX_HEAD + 100])
    status, body = await wire.answer()
    assert status == 431
    assert b"shorter URL" in body
    assert await wire.rest() == b""


async def test_a_head_that_grows_past_the_limit(site: Site) -> None:
    wire = await site.connect()
    wire.write(HEAD)
    for _ in range(MAX_HEAD // 1000 + 1):
        wire.write(b"X: " + b"x" * 1000 + b"\r\n")
        await wire.writer.drain()
        await asyncio.sleep(0)
    assert (await wire.answer())[0] == 431


async def test_a_body_may_be_larger_than_a_head(site: Site) -> None:
    body = b"x" * MAX_HEAD * 3
    wire = await site.connect()
    for _ in range(2):
        wire.write(post(body))
        assert await wire.answer() == (200, body)


@pytest.mark.parametrize("cut", [1, 2, 3])
async def test_the_end_of_a_head_may_come_in_two_pieces(site: Site, cut: int) -> None:
    def has_begun() -> bool:
        return any(isinstance(c, HttpProtocol) and c._head_size for c in site.uvicorn.server_state.connections)

    body = b"x" * MAX_HEAD * 2
    head = post(body)[: -len(body)]
    wire = await site.connect()
    wire.write(head[:-cut])
    async with asyncio.timeout(60):
        while not has_begun():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)
    wire.write(head[-cut:] + body)
    assert await wire.answer() == (200, body)


@pytest.mark.parametrize("sent", [b"", b"G", HEAD])
async def test_a_head_that_does_not_end_in_time(sent: bytes) -> None:
    async with running(head_timeout=0.02) as site:
        wire = await site.connect()
        wire.write(sent)
        assert (await wire.answer())[0] == 408
        assert await wire.rest() == b""
        assert site.io.engine.journal.refused == {"too_slow": 1}


async def test_a_head_that_drips_is_not_given_more_time() -> None:
    async with running(head_timeout=0.2) as site:
        wire = await site.connect()

        async def drip() -> None:
            while True:
                wire.write(b"x")
                await asyncio.sleep(0.02)

        wire.write(b"GET /")
        dripping = asyncio.create_task(drip())
        assert (await wire.answer())[0] == 408
        dripping.cancel()


async def test_a_body_that_does_not_end_in_time() -> None:
    async with running(body_timeout=0.02) as site:
        wire = await site.connect()
        wire.write(HEAD + b"Content-Length: 10\r\n\r\nhalf")
        assert (await wire.answer())[0] == 408


async def test_no_deadline_runs_between_requests_nor_on_a_websocket(site: Site) -> None:
    wire = await site.connect()
    wire.write(post(b"body"))
    await wire.answer()
    (http,) = site.uvicorn.server_state.connections
    assert isinstance(http, HttpProtocol)
    assert http._deadline is None
    wire.write(HEAD)
    async with asyncio.timeout(60):
        while http._deadline is None:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)
    wire.write(b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    await wire.rest()
    assert http._deadline is None
