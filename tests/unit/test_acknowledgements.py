"""Events of clients and acknowledgements both ways; listeners and callbacks that fail, fail alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ordercast.engineio import disconnects
from ordercast.socketio import Server, Socket
from ordercast.socketio.errors import AckTimeout
from tests.fake_clients import FakeClient, settled


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server(max_attachments=2)
    yield io
    await io.close(grace=0)


# -- events and acknowledgements ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "answer"),
    [
        (None, ["35[]"]),
        (1, ["35[1]"]),
        ((1, "two"), ['35[1,"two"]']),
        ((), ["35[]"]),
        ([1, 2], ["35[[1,2]]"]),
        (False, ["35[false]"]),
        (b"\x01", ['61-5[{"_placeholder":true,"num":0}]', b"\x01"]),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_a_listener_returns_is_the_acknowledgement(
    io: Server, result: object, answer: list[str | bytes], is_async: bool
) -> None:
    async def later(socket: Socket) -> object:
        await asyncio.sleep(0)
        return result

    io.on("ask", later if is_async else lambda socket: result)
    client = FakeClient(io)
    await client.join()
    client.say('2["ask"]')  # asks for none
    assert await client.hear() == []
    client.say('25["ask"]')
    assert await client.hear() == answer


async def test_nobody_is_acknowledged_who_has_left(io: Server) -> None:
    answer = asyncio.Event()

    async def later(socket: Socket) -> str:
        await answer.wait()
        return "ok"

    io.on("ask", later)
    client = FakeClient(io)
    await client.join()
    client.say('25["ask"]', "1")
    answer.set()
    assert await client.hear() == []
    assert client.session.why is None


async def test_a_sockets_own_listener_comes_first(io: Server) -> None:
    io.on("ask", lambda socket, value: f"everyone's {value}")
    connections: list[Socket] = []
    io.on("connection", connections.append)
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    socket.on("ask")(lambda value: f"own {value}")
    client.say('21["ask",7]', '22["nobody listens"]', '23["connection"]')
    assert await client.hear() == ['31["own 7"]']
    assert connections == [socket]  # and no client can pretend to be a new one


async def test_attachments_reach_the_listener(io: Server) -> None:
    heard: list[object] = []
    io.on("file", lambda socket, *args: heard.extend(args))
    client = FakeClient(io)
    await client.join()
    client.say('52-["file",{"x":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]', b"0", b"1")
    client.say('2["file",2]')
    assert heard == [{"x": b"1"}, b"0", 2]
    client.say('51-["file",{"_placeholder":true,"num":0}]', '2["file"]')
    assert client.session.why is disconnects.PARSE_ERROR


@pytest.mark.parametrize(
    "packets", [['53-["a"]'], [b"x"], ['51-["a",{"_placeholder":true,"num":1}]', b"0"], ["51-" + "[" * 1100, b""]]
)
async def test_attachments_that_make_no_sense(io: Server, packets: list[str | bytes]) -> None:
    client = FakeClient(io)
    await client.join()
    client.say(*packets)
    assert client.session.why is disconnects.PARSE_ERROR


async def test_callbacks_of_ours(io: Server) -> None:
    heard: list[object] = []
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    socket.emit("one", ack=lambda *args: heard.append(args))
    socket.emit("two", ack=lambda *args: heard.append(args))
    assert await client.hear() == ['20["one"]', '21["two"]']
    client.say('31["b",2]', "30[]", "30[]", "399[]")
    assert heard == [("b", 2), ()]


@pytest.mark.parametrize(
    ("answer", "value"), [("30[]", None), ("30[1]", 1), ("30[1,2]", (1, 2)), ("30[null]", None), ("30[[1,2]]", [1, 2])]
)
async def test_emit_with_ack(io: Server, answer: str, value: object) -> None:
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    asking = asyncio.create_task(socket.emit_with_ack("ask", 7))
    await asyncio.sleep(0)
    assert await client.hear() == ['20["ask",7]']
    client.say(answer)
    assert await asking == value


@pytest.mark.parametrize("later", range(4))
async def test_who_is_cancelled_as_the_answer_comes_is_cancelled(io: Server, later: int) -> None:
    """``later``: turns of the loop between the two."""
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    asking = asyncio.create_task(socket.emit_with_ack("ask"))
    await asyncio.sleep(0)
    assert await client.hear() == ['20["ask"]']
    client.say("30[]")
    for _ in range(later):
        await asyncio.sleep(0)
    cancelled = asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled() == cancelled


async def test_emit_with_ack_does_not_wait_for_ever(io: Server) -> None:
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    with pytest.raises(AckTimeout, match="'ask' within"):
        await socket.emit_with_ack("ask", timeout=0.01)
    assert not socket._acks
    client.say("30[1]")  # too late, and no mistake
    client.say("1")
    with pytest.raises(AckTimeout, match="not connected"):
        await socket.emit_with_ack("ask")
    assert client.session.why is None


# -- failing alone --------------------------------------------------------------------------------------------


def _fail(*args: object) -> object:
    raise RuntimeError("broken")


async def _fail_later(*args: object) -> None:
    await asyncio.sleep(0)
    raise RuntimeError("broken")


def _deep(depth: int = 5000) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("event", ["ask", "connection", "disconnecting", "disconnect"])
@pytest.mark.parametrize("listener", [_fail, _fail_later])
async def test_a_listener_that_fails_disturbs_nobody(
    io: Server, event: str, listener: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    io.on(event, listener)
    first, second = FakeClient(io), FakeClient(io)
    await first.join()
    await second.join()
    first.say('20["ask"]', "1")
    io.emit("news")
    assert await second.hear() == ['2["news"]']
    second.say("1")
    await settled(io)
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert first.session.why is None
    assert io.sockets == {}


@pytest.mark.parametrize("result", [object(), "\ud800", _deep()], ids=["object", "surrogate", "deep"])
@pytest.mark.parametrize("is_async", [False, True])
async def test_an_acknowledgement_that_cannot_be_sent(
    io: Server, result: object, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def later(socket: Socket) -> object:
        return result

    io.on("ask", later if is_async else lambda socket: result)
    io.on("other", lambda socket: 1)
    client = FakeClient(io)
    await client.join()
    client.say('20["ask"]', '21["other"]')
    assert await client.hear() == ["31[1]"]
    assert "acknowledgement cannot be sent" in caplog.text


async def test_arguments_that_a_listener_does_not_take(io: Server, caplog: pytest.LogCaptureFixture) -> None:
    io.on("ask", lambda socket, one: one)
    client = FakeClient(io)
    await client.join()
    client.say('20["ask"]', '21["ask",1,2]', '22["ask",3]')
    assert await client.hear() == ["32[3]"]
    assert "listener failed" in caplog.text


async def test_a_callback_that_fails_disturbs_nobody(io: Server, caplog: pytest.LogCaptureFixture) -> None:
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    socket.emit("ask", ack=lambda only: None)
    client.say("30[1,2]")
    assert client.session.why is None
    assert "acknowledgement failed" in caplog.text
