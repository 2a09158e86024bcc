"""WebSockets of the engine over a real uvicorn, byte by byte: refusals, frames, the upgrade, closing, not reading."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest

from ordercast.engineio import Session, disconnects
from ordercast.engineio import uvicorn_websocket as carrier
from ordercast.engineio.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, encode_frame
from ordercast.engineio.packet import message
from ordercast.engineio.session import State
from tests.wire import PATIENCE, Site, Wire, frame, running

LIMIT = 1000
OTHER = "https://other.example"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(max_payload=LIMIT, max_attachments=1, max_queue_bytes=LIMIT) as site:
        yield site


def the_session(site: Site) -> Session:
    (session,) = site.io.engine.sessions.values()
    return session


async def until(happened: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)


# -- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("EIO=4&transport=tube", {}, 400, 0),
        ("EIO=4&transport=websocket&sid=nobody", {}, 400, 1),
        ("EIO=4&transport=polling", {}, 400, 3),
        ("EIO=9&transport=websocket", {}, 400, 5),
        ("EIO=4&transport=websocket", {"Origin": OTHER}, 403, 4),
        ("EIO=4&transport=websocket", {"Origin": "http://["}, 403, 4),
    ],
)
async def test_refusals(site: Site, query: str, headers: dict[str, str], status: int, code: int) -> None:
    wire = await site.ask_websocket(f"/socket.io/?{query}", **headers)
    answer, body = await wire.answer()
    assert (answer, msgspec.json.decode(body)["code"]) == (status, code)
    assert await wire.rest() == b""
    assert site.io.engine.opened == 0
    assert site.io.engine.journal.refused.total() == 1


async def test_no_websocket_while_shutting_down(site: Site) -> None:
    site.io.engine.stop_accepting()
    assert (await (await site.ask_websocket()).answer())[0] == 503


async def test_whom_the_application_does_not_want_is_not_let_in_first() -> None:
    asked = []

    def never(request: object) -> bool:
        asked.append(request)
        return False

    async with running(allow_request=never) as site:
        wire = await site.ask_websocket()
        assert await wire.answer() == (403, b'{"code":4,"message":"Forbidden"}')
        assert len(asked) == 1


async def test_whom_the_application_wants_is_asked_about_once() -> None:
    asked = []

    def always(request: object) -> bool:
        asked.append(request)
        return True

    async with running(allow_request=always) as site:
        await site.session()
        assert len(asked) == 1


# -- frames ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode_frame(TEXT, b"40"), 1002),  # unmasked
        (frame(CONTINUATION, b"40"), 1002),
        (frame(TEXT, b"4" * (LIMIT + 1)), 1009),
        (frame(TEXT, b"4" * LIMIT, fin=False) + frame(CONTINUATION, b"4"), 1009),
        (frame(TEXT, b"\xff"), 1007),
        (frame(CLOSE, b"\x03"), 1002),
        (frame(CLOSE, (1005).to_bytes(2, "big")), 1002),
        (frame(TEXT, b"x"), 1008),
        (frame(TEXT, b""), 1008),
        (frame(TEXT, b"4x"), 1008),
        (frame(TEXT, b"2"), 1008),
    ],
)
async def test_what_breaks_the_rules_is_answered_by_a_close_frame(site: Site, data: bytes, code: int) -> None:
    wire = await site.session()
    wire.write(data)
    assert (await wire.closed())[0] == code
    wire.write(frame(CLOSE))
    assert await wire.rest() == b""
    assert site.io.engine.sessions == {}


async def test_frames_however_they_arrive(site: Site) -> None:
    heard: list[object] = []

    def hear(socket: object, *args: object) -> str:
        heard.extend(args)
        return "ok"

    site.io.on("say", hear)
    wire = await site.session()
    wire.write(frame(TEXT, b"40"))
    assert (await wire.frame())[1][:2] == b"40"
    text = '421["say","€"]'.encode()
    data = frame(TEXT, text[:12], fin=False) + frame(PING, b"now") + frame(CONTINUATION, text[12:])
    for i in range(len(data)):
        wire.write(data[i : i + 1])
        await asyncio.sleep(0)
    assert await wire.frame() == (PONG, b"now")
    assert await wire.frame() == (TEXT, b'431["ok"]')
    wire.write(frame(TEXT, b'451-["say",{"_placeholder":true,"num":0}]') + frame(BINARY, b"\x00\xff"))
    await until(lambda: len(heard) == 2)
    assert heard == ["€", b"\x00\xff"]


async def test_the_clients_close_frame_is_answered_with_its_code(site: Site) -> None:
    reasons: list[str] = []
    site.io.on("disconnect", lambda socket, reason: reasons.append(reason))
    for payload, code in (((4321).to_bytes(2, "big") + b"bye", 4321), (b"", 1000)):
        wire = await site.session()
        wire.write(frame(TEXT, b"40"))
        await wire.frame()
        wire.write(frame(CLOSE, payload))
        assert (await wire.closed())[0] == code
        assert await wire.rest() == b""
    assert reasons == ["transport close"] * 2


@pytest.mark.parametrize("why", [disconnects.SHUTDOWN, disconnects.SERVER_DISCONNECT, disconnects.PARSE_ERROR])
async def test_a_client_that_does_not_answer_our_close_frame(
    site: Site, why: disconnects.Disconnect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "_CLOSE_TIMEOUT", 0.01)
    wire = await site.session()
    session = the_session(site)
    session.send(message("last words"))
    session.close(why)
    if why.farewell:
        assert await wire.frame() == (TEXT, b"4last words")
    assert await wire.closed() == (why.close_code, why.reason)
    assert await wire.rest() == b""


async def test_a_connection_that_is_lost(site: Site) -> None:
    wire = await site.session()
    wire.writer.transport.abort()
    await until(lambda: not site.io.engine.sessions)
    assert site.io.engine.journal.closed.total() == 1


# -- not reading ----------------------------------------------------------------------------------------------

MUCH = 50_000_000  # bytes; more than any kernel takes for a socket that nobody reads


async def not_reading(site: Site) -> tuple[Wire, Session]:
    wire = await site.session()
    session = the_session(site)
    wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
    session.send(message("x" * MUCH))
    await until(lambda: not session.transport.writable)
    return wire, session


async def test_a_client_that_reads_late_gets_it_all(site: Site) -> None:
    wire, session = await not_reading(site)
    session.send(message("later"))
    await asyncio.sleep(0)
    wire.reader._transport.resume_reading()  # type: ignore[attr-defined]
    assert len((await wire.frame())[1]) == MUCH + 1
    assert await wire.frame() == (TEXT, b"4later")
    assert session.transport.writable


async def test_what_the_kernel_holds_for_a_client_is_bounded() -> None:
    """As the kernel has it, which takes twice what is asked for (socket(7)); how much of it it uses is its affair."""
    for size in (16_384, 65_536):
        async with running(send_buffer_bytes=size) as site:
            await site.session()
            sock = the_session(site).transport._transport.get_extra_info("socket")  # type: ignore[attr-defined]
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * size


async def test_a_client_that_does_not_read_is_dropped(site: Site) -> None:
    wire, session = await not_reading(site)
    session.send(message("y" * LIMIT))
    await until(lambda: session.state is State.CLOSED)
    assert session.why is disconnects.SLOW_CONSUMER
    wire.reader._transport.resume_reading()  # type: ignore[attr-defined]
    assert b"y" not in await wire.rest()
    await until(lambda: not site.uvicorn.server_state.connections)


# -- the upgrade ----------------------------------------------------------------------------------------------


async def probe(site: Site) -> tuple[Wire, Session]:
    """A WebSocket that asks for a session which began on polling."""
    status, body = await site.get("/socket.io/?EIO=4&transport=polling")
    assert status == 200
    sid = msgspec.json.decode(body[1:])["sid"]
    return await site.websocket(f"/socket.io/?EIO=4&transport=websocket&sid={sid}"), the_session(site)


async def test_an_upgrade(site: Site) -> None:
    wire, session = await probe(site)
    session.send(message("before"))
    wire.write(frame(TEXT, b"2probe"))
    assert await wire.frame() == (TEXT, b"3probe")
    polled = await site.get(f"/socket.io/?EIO=4&transport=polling&sid={session.id}")
    assert polled == (200, b"4before")
    session.send(message("between"))
    wire.write(frame(TEXT, b"5"))
    assert await wire.frame() == (TEXT, b"4between")
    assert session.transport.name == "websocket"
    assert (await site.get(f"/socket.io/?EIO=4&transport=polling&sid={session.id}"))[0] == 400
    wire.write(frame(CLOSE))
    await wire.rest()
    assert session.why is disconnects.TRANSPORT_CLOSE


async def test_a_poll_that_waits_returns_for_the_upgrade(site: Site) -> None:
    wire, session = await probe(site)
    poll = asyncio.create_task(site.get(f"/socket.io/?EIO=4&transport=polling&sid={session.id}"))
    await until(lambda: session.transport.writable)
    wire.write(frame(TEXT, b"2probe"))
    assert await poll == (200, b"6")


@pytest.mark.parametrize("data", [b"2", b"2other", b"5", b"4hello", b"x", b""])
async def test_what_is_no_probe_leaves_the_session_where_it_was(site: Site, data: bytes) -> None:
    wire, session = await probe(site)
    wire.write(frame(TEXT, data))
    assert (await wire.closed())[0] == 1008
    session.send(message("still here"))
    assert await site.get(f"/socket.io/?EIO=4&transport=polling&sid={session.id}") == (200, b"4still here")


async def test_a_probe_that_goes_away_leaves_the_session_where_it_was(site: Site) -> None:
    wire, session = await probe(site)
    wire.write(frame(TEXT, b"2probe"))
    await wire.frame()
    assert session.upgrading
    wire.writer.transport.abort()
    await until(lambda: not session.upgrading)
    assert session.state is State.OPEN
    assert session.transport.name == "polling"


async def test_a_probe_has_its_time() -> None:
    async with running(upgrade_timeout=0.5) as site:
        wire, session = await probe(site)
        assert await wire.rest() == b""
        assert session.state is State.OPEN


async def test_a_session_is_upgraded_once(site: Site) -> None:
    await site.session()
    session = the_session(site)
    second = await site.websocket(f"/socket.io/?EIO=4&transport=websocket&sid={session.id}")
    assert (await second.closed())[0] == 1002
    assert session.state is State.OPEN
