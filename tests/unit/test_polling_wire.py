"""Long-polling over a real uvicorn, byte by byte: the same answers straight from its protocol as through plain ASGI."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from ordercast.engineio import Session, disconnects
from tests.wire import Site, Wire, running

PATH = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture(params=[True, False], ids=["direct", "asgi"])
async def site(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with running(direct=request.param, cors_origins=("https://shop.example",), cookie="io") as site:
        yield site


def get(target: str = PATH, *lines: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {target} HTTP/{version}", "Host: here.example", *lines, "", ""]).encode()


def post(target: str, body: bytes, *lines: str) -> bytes:
    head = [f"POST {target} HTTP/1.1", "Host: here.example", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)


async def opened(site: Site) -> tuple[Wire, Session, str]:
    """A connection that has shaken hands, its session, and where to poll."""
    wire = await site.connect()
    wire.write(get())
    assert (await wire.answer())[0] == 200
    (session,) = site.io.engine.sessions.values()
    return wire, session, f"{PATH}&sid={session.id}"


async def test_a_handshakes_head(site: Site) -> None:
    wire = await site.connect()
    wire.write(get(PATH, "Origin: https://shop.example"))
    status, headers = await wire.head()
    (session,) = site.io.engine.sessions.values()
    assert status == 200
    assert headers.pop("date")
    assert headers.pop("server", "uvicorn") == "uvicorn"
    assert int(headers.pop("content-length")) > 50
    assert headers == {
        "content-type": "text/plain; charset=UTF-8",
        "cache-control": "no-store",
        "access-control-allow-origin": "https://shop.example",
        "access-control-allow-credentials": "true",
        "vary": "Origin",
        "set-cookie": f"io={session.id}; Path=/; HttpOnly; SameSite=Lax",
    }


async def test_what_is_asked_before_a_page_may_post(site: Site) -> None:
    wire = await site.connect()
    asked = get(PATH, "Origin: https://shop.example", "Access-Control-Request-Method: POST")
    wire.write(asked.replace(b"GET", b"OPTIONS", 1))
    status, headers = await wire.head()
    assert (status, headers["access-control-allow-methods"]) == (204, "GET, POST, OPTIONS")
    wire.write(get())  # the connection goes on
    assert (await wire.answer())[0] == 200


async def test_one_connection_carries_polls_and_posts(site: Site) -> None:
    wire, _, target = await opened(site)
    for n in range(3):
        wire.write(post(target, b"40" if n == 0 else b'42["hello"]'))
        assert await wire.answer() == (200, b"ok")
        if n == 0:
            wire.write(get(target))
            assert (await wire.answer())[1].startswith(b"40{")
        site.io.emit("news", n)
        wire.write(get(target))
        assert await wire.answer() == (200, b'42["news",%d]' % n)


async def test_a_poll_waits(site: Site) -> None:
    wire, session, target = await opened(site)
    wire.write(post(target, b"40"))
    await wire.answer()
    wire.write(get(target))
    await wire.answer()
    wire.write(get(target))
    await until(lambda: session.transport.writable)
    site.io.emit("news", 1)
    site.io.emit("news", 2)
    assert await wire.answer() == (200, b'42["news",1]\x1e42["news",2]')


async def test_what_is_pipelined_behind_a_poll_waits_its_turn(site: Site) -> None:
    wire, session, target = await opened(site)
    wire.write(get(target) + get("/other") + get("/socket.io/?EIO=4&transport=nothing") + get("/other"))
    await until(lambda: session.transport.writable)
    session.close(disconnects.SHUTDOWN)
    assert await wire.answer() == (200, b"6")
    assert await wire.answer() == (200, b"")
    assert (await wire.answer())[0] == 400
    assert await wire.answer() == (200, b"")


async def test_a_poll_pipelined_behind_another_request(site: Site) -> None:
    wire = await site.connect()
    wire.write(get("/other") + get() + get(version="1.0"))
    assert await wire.answer() == (200, b"")
    assert (await wire.answer())[1].startswith(b'0{"sid"')
    assert (await wire.answer())[1].startswith(b'0{"sid"')
    assert await wire.rest() == b""


@pytest.mark.parametrize(("lines", "version"), [(["Connection: close"], "1.1"), ([], "1.0")])
async def test_who_wants_no_further_answer_gets_the_end(site: Site, lines: list[str], version: str) -> None:
    wire = await site.connect()
    wire.write(get(PATH, *lines, version=version))
    status, headers = await wire.head()
    assert (status, headers["connection"]) == (200, "close")
    assert len(await wire.rest()) == int(headers["content-length"])


async def test_a_body_in_pieces(site: Site) -> None:
    wire, session, target = await opened(site)
    heard = []
    site.io.on("say", lambda socket, *words: heard.append(words))
    request = post(target, b'40\x1e42["say","a"]\x1e42["say","b"]')
    for n in range(len(request) - 30, len(request)):
        wire.write(request[:n] if n == len(request) - 30 else request[n - 1 : n])
        await wire.writer.drain()
        await asyncio.sleep(0)
    wire.write(request[-1:])
    assert await wire.answer() == (200, b"ok")
    await until(lambda: len(heard) == 2)
    assert heard == [("a",), ("b",)]
    assert session.state == 0


async def test_a_body_on_demand(site: Site) -> None:
    wire, _, target = await opened(site)
    request = post(target, b"40", "Expect: 100-continue")
    wire.write(request[:-2])
    assert (await wire.head())[0] == 100
    wire.write(request[-2:])
    assert await wire.answer() == (200, b"ok")


async def test_half_a_body_counts_for_nothing(site: Site) -> None:
    wire, session, target = await opened(site)
    wire.write(post(target, b"40\x1e" + b"4" * 100)[:-50])
    await until(lambda: session.transport.posting)  # type: ignore[attr-defined]
    wire.writer.transport.abort()
    await until(lambda: not site.io.engine.sessions or session.state != 0)
    assert len(site.io.sockets) == 0


async def test_a_body_that_is_too_large(site: Site) -> None:
    wire, session, target = await opened(site)
    wire.write(post(target, b"")[:-4].replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"\r\n\r\n")
    for _ in range(3):
        wire.write(b"2000\r\n" + b"x" * 8192 + b"\r\n")
    assert (await wire.answer())[0] == 413
    assert session.why is not None
    assert session.why.reason == "message too large"


async def test_a_poll_whose_client_hangs_up_ends_the_session(site: Site) -> None:
    wire, session, target = await opened(site)
    wire.write(get(target))
    await until(lambda: session.transport.writable)
    wire.writer.transport.abort()
    await until(lambda: not site.io.engine.sessions)
    assert session.why is not None
    assert session.why.reason == "transport close"


async def test_a_second_poll_ends_both(site: Site) -> None:
    first, session, target = await opened(site)
    first.write(get(target))
    await until(lambda: session.transport.writable)
    second = await site.connect()
    second.write(get(target))
    assert (await second.answer())[0] == 400
    assert await first.answer() == (200, b"1")
    assert site.io.engine.sessions == {}


async def test_a_client_that_asks_and_never_reads_is_not_answered_for_ever(site: Site) -> None:
    """Each answer waits in the server until it is read: the next question has to wait too."""
    wire, session, target = await opened(site)
    for request in (post(target, b"40"), get(target)):
        wire.write(request)
        await wire.answer()
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    (http,) = site.uvicorn.server_state.connections
    asked = 0
    for _ in range(40):  # far more than the kernel takes for either of us
        if not session.queue:
            site.io.emit("much", "x" * 900_000)
        wire.write(get(target))
        asked += 1
        await asyncio.sleep(0.002)
    assert http.transport.get_write_buffer_size() < 2_000_000
    wire.writer.transport.resume_reading()  # type: ignore[attr-defined]
    for _ in range(asked):
        status, body = await wire.answer()
        assert (status, len(body)) == (200, 900_000 + len(b'42["much",""]'))
        if not session.queue:
            site.io.emit("much", "x" * 900_000)


@pytest.mark.parametrize("direct", [True, False])
async def test_an_application_that_fails_to_say_who_may_come(direct: bool, caplog: pytest.LogCaptureFixture) -> None:
    def allow(request: object) -> bool:
        raise LookupError("no such list")

    async with running(direct=direct, allow_request=allow) as site:
        with caplog.at_level(logging.ERROR):
            assert await site.get(PATH) == (500, b"Internal Server Error")
        assert "no such list" in caplog.text
        assert site.io.engine.sessions == {}
