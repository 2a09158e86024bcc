"""Who is told of what, in which order, and until when: on a socket and on a namespace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ordercast.socketio import Namespace, Server, Socket
from tests.fake_clients import FakeClient, settled


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server()
    yield io
    await io.close(grace=0)


@pytest.fixture
async def client(io: Server) -> FakeClient:
    client = FakeClient(io)
    await client.join()
    await client.hear()
    return client


def the_socket(io: Server) -> Socket:
    (socket,) = io.sockets.values()
    return socket


# -- order and acknowledgement --------------------------------------------------------------------------------


async def test_every_listener_is_called_in_its_order(io: Server, client: FakeClient) -> None:
    """A socket's own before the namespace's, those to the event before catch-all ones, each kind as it was added."""
    socket = the_socket(io)
    calls: list[tuple[str, tuple[Any, ...]]] = []

    def keep(name: str) -> Any:
        return lambda *args: calls.append((name, args))

    io.on_any(keep("any, of all"))
    socket.on_any(keep("any"))
    io.on("ask", keep("first, of all"))
    io.on("ask", keep("second, of all"))
    socket.on("ask", keep("first"))
    socket.on("ask", keep("second"))
    socket.on_any(keep("any, too"))
    client.say('2["ask",1,"b"]')
    assert calls == [
        ("first", (1, "b")),
        ("second", (1, "b")),
        ("first, of all", (socket, 1, "b")),
        ("second, of all", (socket, 1, "b")),
        ("any", ("ask", 1, "b")),
        ("any, too", ("ask", 1, "b")),
        ("any, of all", (socket, "ask", 1, "b")),
    ]


@pytest.mark.parametrize("is_async", [False, True])
async def test_the_first_listener_acknowledges(io: Server, client: FakeClient, is_async: bool) -> None:
    async def later(*args: object) -> str:
        await asyncio.sleep(0)
        return "first"

    socket = the_socket(io)
    socket.on("ask", later if is_async else lambda: "first")
    socket.on("ask", lambda: "second")
    io.on("ask", lambda socket: "third")
    io.on_any(lambda *args: "fourth")
    client.say('27["ask"]')
    assert await client.hear() == ['37["first"]']
    socket.off("ask")
    client.say('28["ask"]')
    assert await client.hear() == ['38["third"]']
    io.off("ask")
    client.say('29["ask"]')
    assert await client.hear() == [], "who listens to everything answers for nothing"


async def test_a_first_listener_that_fails_leaves_the_others(io: Server, client: FakeClient) -> None:
    """But nobody acknowledges for it: the client shall not take the second's word for the first's."""
    called: list[str] = []

    @io.on("ask")
    def fail(socket: Socket) -> None:
        raise RuntimeError("broken")

    io.on("ask", lambda socket: called.append("second"))
    client.say('27["ask"]')
    assert called == ["second"]
    assert await client.hear() == []


# -- once and off ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_socket", [False, True])
async def test_once(io: Server, client: FakeClient, on_socket: bool) -> None:
    emitter: Socket | Namespace = the_socket(io) if on_socket else io.of("/")
    calls: list[str] = []

    def again(*args: object) -> str:
        calls.append("once")
        client.say('2["ask"]')  # even while it is being called
        return "ok"

    emitter.once("ask", again)
    emitter.on("ask", lambda *args: calls.append("always"))
    assert len(emitter.listeners("ask")) == 2
    client.say('21["ask"]', '2["ask"]')
    assert calls == ["once", "always", "always", "always"]
    assert await client.hear() == ['31["ok"]']
    assert len(emitter.listeners("ask")) == 1


@pytest.mark.parametrize("on_socket", [False, True])
async def test_off(io: Server, client: FakeClient, on_socket: bool) -> None:
    emitter: Socket | Namespace = the_socket(io) if on_socket else io.of("/")
    calls: list[str] = []

    def one(*args: object) -> None:
        calls.append("one")

    def other(*args: object) -> None:
        calls.append("other")

    emitter.off("ask", one)  # which does not listen
    emitter.on("ask", one)
    emitter.on("ask", other)
    emitter.once("ask", one)
    emitter.off("else", one)
    emitter.off("ask", one)
    client.say('2["ask"]')
    assert calls == ["other"]
    emitter.on("ask", one)
    emitter.off("ask")
    client.say('2["ask"]')
    assert calls == ["other"]
    assert emitter.listeners("ask") == ()


async def test_listeners_that_come_and_go_while_they_are_called(io: Server, client: FakeClient) -> None:
    """An event is for those who listened when it came."""
    calls: list[str] = []

    def third(socket: Socket) -> None:
        calls.append("third")

    def first(socket: Socket) -> None:
        calls.append("first")
        io.off("ask", second)
        io.on("ask", third)

    def second(socket: Socket) -> None:
        calls.append("second")

    io.on("ask", first)
    io.on("ask", second)
    client.say('2["ask"]')
    assert calls == ["first", "second"]
    client.say('2["ask"]')
    assert calls == ["first", "second", "first", "third"]


async def test_decorators_leave_the_function_as_it_is(io: Server, client: FakeClient) -> None:
    socket = the_socket(io)
    calls: list[Any] = []

    def keep(*args: object) -> None:
        calls.append(args)

    assert io.on("a")(keep) is keep
    assert io.on("a", keep) is keep
    assert socket.once("b")(keep) is keep
    assert socket.once("b", keep) is keep
    assert io.on_any(keep) is keep
    assert socket.on_any_outgoing(keep) is keep
    client.say('2["a",1]')
    assert calls == [(socket, 1), (socket, 1), (socket, "a", 1)]


@pytest.mark.parametrize("event", ["connection", "disconnecting", "disconnect"])
async def test_several_listeners_to_what_happens_to_a_socket(io: Server, event: str) -> None:
    calls: list[str] = []
    io.on(event, lambda *args: calls.append("first"))
    io.once(event, lambda *args: calls.append("once"))
    io.on_any(lambda *args: calls.append("no event of a client"))
    for _ in range(2):
        client = FakeClient(io)
        await client.join()
        client.say("1")
    assert calls == ["first", "once", "first"]


# -- catch-all listeners --------------------------------------------------------------------------------------


async def test_off_any(io: Server, client: FakeClient) -> None:
    socket = the_socket(io)
    calls: list[tuple[Any, ...]] = []

    def one(*args: object) -> None:
        calls.append(args)

    def other(*args: object) -> None:
        calls.append(args)

    io.off_any(one)  # nobody listens
    for emitter in (socket, io.of("/")):
        emitter.on_any(one)
        emitter.on_any(other)
        emitter.off_any(one)
    client.say('2["ask"]')
    assert calls == [("ask",), (socket, "ask")]
    socket.off_any()
    client.say('2["ask"]')
    assert calls[2:] == [(socket, "ask")]
    io.off_any()
    client.say('2["ask"]')
    assert len(calls) == 3


async def test_what_is_sent_to_one_client(io: Server, client: FakeClient) -> None:
    """Broadcasts are encoded once and for all, and are not among it."""
    socket = the_socket(io)
    sent: list[tuple[Any, ...]] = []

    def keep(*args: object) -> None:
        sent.append(args)

    socket.on_any_outgoing(keep)
    socket.emit("one", 1, {"a": b"\x00"})
    socket.emit("two", ack=lambda *args: None)
    socket.send("three")
    io.emit("to all")
    asking = asyncio.create_task(socket.emit_with_ack("four"))
    await asyncio.sleep(0)
    client.say("31[]")
    await asking
    assert sent[:3] == [("one", 1, {"a": b"\x00"}), ("two",), ("message", "three")]
    assert ("to all",) not in sent
    socket.off_any(keep)
    socket.emit("five")
    assert ("five",) not in sent
    client.say("1")
    socket.on_any_outgoing(keep)
    socket.emit("too late")
    assert ("too late",) not in sent
    await settled(io)


async def test_what_emit_with_ack_sends_is_sent_too(io: Server, client: FakeClient) -> None:
    socket = the_socket(io)
    sent: list[tuple[Any, ...]] = []
    socket.on_any_outgoing(lambda *args: sent.append(args))
    asking = asyncio.create_task(socket.emit_with_ack("ask", 7))
    await asyncio.sleep(0)
    client.say("30[]")
    await asking
    assert sent == [("ask", 7)]
