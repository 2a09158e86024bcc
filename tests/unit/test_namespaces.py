"""Clients joining and leaving namespaces, what the listeners learn of it, and what ends a session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from ordercast.engineio import disconnects
from ordercast.socketio import Server, Socket
from tests.fake_clients import FakeClient, settled


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server()
    yield io
    await io.close(grace=0)


# -- joining --------------------------------------------------------------------------------------------------


async def test_joining(io: Server) -> None:
    seen: list[Socket] = []
    io.on("connection", seen.append)
    client = FakeClient(io, b"EIO=4&transport=websocket&a=1")
    id = await client.join(auth='{"token":"x"}')
    (socket,) = seen
    assert io.sockets == {id: socket}
    assert socket.connected
    assert socket.rooms == {id}
    assert id != client.session.id
    assert socket.handshake.auth == {"token": "x"}
    assert socket.handshake.query["a"] == "1"
    assert socket.handshake.address == "192.0.2.1"
    assert socket.handshake.headers == {"host": "shop.example"}
    assert not socket.handshake.secure


async def test_the_connect_answer_comes_before_what_the_listener_sends(io: Server) -> None:
    io.on("connection", lambda socket: socket.emit("hello"))
    client = FakeClient(io)
    client.say("0")
    first, second = await client.hear()
    assert (str(first)[:1], second) == ("0", '2["hello"]')


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        ("0/nowhere,", '4/nowhere,{"message":"Invalid namespace"}'),
        ("0/nowhere?a=1,", '4/nowhere?a=1,{"message":"Invalid namespace"}'),
        ("0/a,", None),
        ("0/a?token=1,{}", '4/a?token=1,{"message":"Invalid namespace"}'),  # no query in protocol 5
    ],
)
async def test_which_namespaces_there_are(io: Server, packet: str, answer: str | None) -> None:
    io.of("a")
    client = FakeClient(io)
    client.say(packet)
    (heard,) = await client.hear()
    if answer is None:
        assert str(heard).startswith('0/a,{"sid":')
        assert len(io.of("/a").sockets) == 1
    else:
        assert heard == answer
    assert client.transport.ended is None


@pytest.mark.parametrize("name", ["/a,b", "/a?b", "/a b", "/" + "x" * 128])
def test_what_is_no_namespace(name: str) -> None:
    with pytest.raises(ValueError, match="no namespace"):
        Server().of(name)


async def test_namespaces_are_apart(io: Server) -> None:
    io.of("/a").on("who", lambda socket: socket.namespace.name)
    io.on("who", lambda socket: socket.namespace.name)
    client = FakeClient(io)
    ids = {await client.join("/a"), await client.join()}
    assert len(ids) == 2
    client.say('2/a,1["who"]', '22["who"]')
    assert await client.hear() == ['3/a,1["/a"]', '32["/"]']
    client.say("1/a,")
    client.say('2/a,3["who"]', '24["who"]')
    assert await client.hear() == ['34["/"]']


async def test_joining_again_after_leaving(io: Server) -> None:
    client = FakeClient(io)
    first = await client.join()
    client.say("1")
    assert await client.join() != first


@pytest.mark.parametrize(
    "packets",
    [
        ["0", "0"],
        ["0/a,", "0/a,{}"],
        ['2["early"]'],
        ["1"],
        ["31[]"],
        ['2["a"'],
        ["4"],
        ["0", b"nothing asked for this"],
        ["0", '51-["a",{"_placeholder":true,"num":0}]'],  # attachments are off unless asked for
    ],
)
async def test_what_ends_a_session_with_a_parse_error(io: Server, packets: list[str | bytes]) -> None:
    io.of("/a")
    client = FakeClient(io)
    client.say(*packets)
    await settled(io)
    assert client.session.why is disconnects.PARSE_ERROR
    assert io.sockets == {}


async def test_packets_that_cross_our_disconnect_are_no_mistake(io: Server) -> None:
    client = FakeClient(io)
    io.sockets[await client.join()].disconnect()
    assert await client.hear() == ["1"]
    client.say('2["late"]', "1", "35[]")
    assert client.session.why is None


async def test_the_number_of_namespaces_is_bounded(io: Server) -> None:
    for i in range(17):
        io.of(f"/{i}")
    client = FakeClient(io)
    for i in range(16):
        await client.join(f"/{i}")
    client.say("1/0,", "0/16,")
    assert client.session.why is None
    client.say("0/0,")
    assert client.session.why is disconnects.PARSE_ERROR


async def test_namespaces_on_their_way_count_too(io: Server) -> None:
    for i in range(17):
        io.of(f"/{i}").use(lambda socket: asyncio.sleep(60))
    client = FakeClient(io)
    client.say(*(f"0/{i}," for i in range(16)))
    assert client.session.why is None
    client.say("0/16,")
    assert client.session.why is disconnects.PARSE_ERROR


async def test_a_client_that_joins_nothing_is_let_go_of() -> None:
    io = Server(connect_timeout=0.2)
    quiet, joined = FakeClient(io), FakeClient(io)
    await joined.join()
    async with asyncio.timeout(60):
        while quiet.session.why is None:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)
    assert quiet.session.why is disconnects.CONNECT_TIMEOUT
    assert joined.session.why is None
    await io.close(grace=0)


# -- leaving --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda client, socket: client.say("1"), "client namespace disconnect"),
        (lambda client, socket: socket.disconnect(), "server namespace disconnect"),
        (lambda client, socket: socket.disconnect(close=True), "server namespace disconnect"),
        (lambda client, socket: client.session.lost(disconnects.TRANSPORT_CLOSE), "transport close"),
        (lambda client, socket: client.session.close(disconnects.PING_TIMEOUT), "ping timeout"),
        (lambda client, socket: client.say("x"), "parse error"),
    ],
)
async def test_lifecycle_events(io: Server, end: object, reason: str) -> None:
    events: list[object] = []

    def disconnecting(socket: Socket, why: str) -> None:
        events.append(("disconnecting", why, socket.rooms - {socket.id}, socket.connected))

    def disconnect(socket: Socket, why: str) -> None:
        events.append(("disconnect", why, socket.rooms - {socket.id}, socket.connected))

    io.on("disconnecting", disconnecting)
    io.on("disconnect", disconnect)
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    socket.on("disconnect", lambda why: events.append(("own", why)))
    socket.join("a", "b")
    assert callable(end)
    for _ in range(2):
        end(client, socket)
    assert events == [
        ("disconnecting", reason, {"a", "b"}, True),
        ("own", reason),
        ("disconnect", reason, frozenset(), False),
    ]
    assert io.sockets == {}
    assert len(io.of("/").rooms) == 0


async def test_every_namespace_of_a_session_hears_of_its_end(io: Server) -> None:
    heard: list[str] = []
    client = FakeClient(io)
    for name in ("/a", "/b"):
        io.of(name).on("disconnect", lambda socket, why: heard.append(f"{socket.namespace.name} {why}"))
        await client.join(name)
    client.session.close(disconnects.SHUTDOWN)
    assert heard == ["/a server shutting down", "/b server shutting down"]


async def test_disconnecting_says_so_before_the_end(io: Server) -> None:
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    socket.emit("last words")
    socket.disconnect(close=True)
    socket.emit("too late")
    assert await client.hear() == ['2["last words"]', "1"]
    assert client.transport.ended is disconnects.SERVER_DISCONNECT


async def test_disconnecting_from_within_a_disconnecting_listener(io: Server) -> None:
    heard: list[str] = []

    def disconnecting(socket: Socket, why: str) -> None:
        heard.append(why)
        socket.disconnect()

    io.on("disconnecting", disconnecting)
    io.on("disconnect", lambda socket, why: heard.append(why))
    client = FakeClient(io)
    await client.join()
    client.say("1")
    assert heard == ["client namespace disconnect"] * 2


async def test_a_socket_that_has_left_joins_no_more_rooms(io: Server) -> None:
    """A listener may still be waiting for something when its client goes."""
    client = FakeClient(io)
    socket = io.sockets[await client.join()]
    client.say("1")
    socket.join("a")
    socket.leave("a")
    socket.join("b")
    assert socket.rooms == {socket.id}
    assert len(io.of("/").rooms) == 0


async def test_closing_the_server_ends_what_still_runs(io: Server, caplog: pytest.LogCaptureFixture) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    @io.on("wait")
    async def wait(socket: Socket) -> None:
        started.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    client = FakeClient(io)
    await client.join()
    client.say('2["wait"]')
    await started.wait()
    await io.close(grace=5)
    assert cancelled.is_set()
    assert client.transport.ended is disconnects.SHUTDOWN
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
