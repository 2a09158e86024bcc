"""What runs before a client is connected: in order, plain or async, and able to refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ordercast.engineio import disconnects
from ordercast.socketio import ConnectError, Server, Socket
from tests.fake_clients import FakeClient, settled


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server()
    yield io
    await io.close(grace=0)


async def test_middleware_runs_in_order_plain_or_async(io: Server) -> None:
    order: list[str] = []

    @io.use
    def first(socket: Socket) -> None:
        order.append("first")
        socket.data["user"] = 42

    @io.use
    async def second(socket: Socket) -> None:
        await asyncio.sleep(0)
        order.append("second")

    @io.use
    def third(socket: Socket) -> None:
        assert not socket.connected
        order.append("third")

    io.on("connection", lambda socket: order.append(f"connection of {socket.data['user']}"))
    await FakeClient(io).join()
    assert order == ["first", "second", "third", "connection of 42"]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ConnectError("no"), '4/a,{"message":"no"}'),
        (ConnectError("no", {"why": [1]}), '4/a,{"message":"no","data":{"why":[1]}}'),
        (ConnectError("no", 0), '4/a,{"message":"no","data":0}'),
        (RuntimeError("secret"), '4/a,{"message":"Internal server error"}'),
    ],
)
async def test_middleware_that_refuses(
    io: Server, error: Exception, answer: str, is_async: bool, caplog: pytest.LogCaptureFixture
) -> None:
    namespace = io.of("/a")
    later: list[Socket] = []
    refusing = [True]

    async def refuse_later(socket: Socket) -> None:
        await asyncio.sleep(0)
        refuse(socket)

    def refuse(socket: Socket) -> None:
        socket.join("room")
        if refusing:
            raise error

    namespace.use(refuse_later if is_async else refuse)
    namespace.use(later.append)
    client = FakeClient(io)
    client.say("0/a,")
    assert await client.hear() == [answer]
    assert later == []
    assert namespace.sockets == {}
    assert "room" not in namespace.rooms
    assert bool(caplog.records) == isinstance(error, RuntimeError)
    refusing.clear()
    await client.join("/a")  # the client may try again
    assert len(namespace.members("room")) == 1


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_client_that_leaves_while_middleware_thinks(io: Server, refuses: bool) -> None:
    connected: list[Socket] = []
    left = asyncio.Event()

    @io.use
    async def think(socket: Socket) -> None:
        socket.join("early")
        await left.wait()
        socket.join("late")
        if refuses:
            raise ConnectError("no")

    io.on("connection", connected.append)
    client = FakeClient(io)
    client.say("0")
    await asyncio.sleep(0)
    client.session.lost(disconnects.TRANSPORT_CLOSE)
    left.set()
    await settled(io)
    assert connected == []
    assert io.sockets == {}
    assert len(io.of("/").rooms) == 0


@pytest.mark.parametrize(
    ("packet", "why"),
    [("0", disconnects.PARSE_ERROR), ('2["early"]', None), ('2/other,["early"]', None)],
)
async def test_what_a_client_says_while_middleware_thinks(
    io: Server, packet: str, why: disconnects.Disconnect | None
) -> None:
    go_on = asyncio.Event()
    heard: list[Socket] = []

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    io.on("early", heard.append)
    client = FakeClient(io)
    client.say("0", packet)
    assert client.session.why is why
    go_on.set()
    await settled(io)
    assert heard == []
    assert len(io.sockets) == (1 if why is None else 0)


@pytest.mark.parametrize("refuses", [False, True])
async def test_a_client_that_leaves_and_asks_anew_while_middleware_thinks(io: Server, refuses: bool) -> None:
    """What becomes of the first attempt is not taken for an answer to the second, which may be another user's."""
    go_on = {"first": asyncio.Event(), "second": asyncio.Event()}

    @io.use
    async def think(socket: Socket) -> None:
        await go_on[socket.handshake.auth["user"]].wait()
        if refuses and socket.handshake.auth["user"] == "first":
            raise ConnectError("no")

    client = FakeClient(io)
    client.say('0{"user":"first"}', "1", '0{"user":"second"}')
    go_on["first"].set()
    await asyncio.sleep(0.001)
    assert io.sockets == {}
    go_on["second"].set()
    (answer,) = await client.hear()
    (socket,) = io.sockets.values()
    assert answer == f'0{{"sid":"{socket.id}"}}'
    assert socket.handshake.auth == {"user": "second"}


async def test_a_client_that_leaves_while_middleware_thinks_is_told_nothing(io: Server) -> None:
    go_on = asyncio.Event()

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    client = FakeClient(io)
    client.say("0", "1")
    go_on.set()
    assert await client.hear() == []
    assert io.sockets == {}
    assert client.session.why is None
    await client.join()
