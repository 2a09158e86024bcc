"""Clients before 3.0: Engine.IO 3 and Socket.IO protocol 4, whose CONNECT the server begins.

https://github.com/socketio/socket.io-protocol/tree/v4
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from ordercast.engineio import PacketType, disconnects
from ordercast.socketio import ConnectError, Server, Socket
from tests.fake_clients import FakeClient, settled

QUERY = b"EIO=3&transport=websocket"


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server(max_attachments=2)
    yield io
    await io.close(grace=0)


# -- joining --------------------------------------------------------------------------------------------------


async def test_the_server_connects_the_client_to_the_root(io: Server) -> None:
    seen: list[Socket] = []
    io.on("connection", seen.append)
    io.on("connection", lambda socket: socket.emit("hello"))
    client = FakeClient(io, QUERY + b"&token=x")
    assert await client.hear() == ["0", '2["hello"]']
    (socket,) = seen
    assert socket.connected
    assert io.sockets == {client.session.id: socket}
    assert socket.id == client.session.id  # which is what these clients take for theirs
    assert socket.handshake.auth == {}
    assert socket.handshake.query["token"] == "x"
    client.say("0", "0/")  # has been connected without asking
    assert await client.hear() == []
    assert client.session.why is None


async def test_the_open_packet_names_no_maximum(io: Server) -> None:
    hellos = {}
    for query in (QUERY, b"EIO=4&transport=websocket"):
        client = FakeClient(io, query)
        await settled(io)
        hellos[query] = msgspec.json.decode(client.transport.packets[0].data)
    assert set(hellos[QUERY]) == {"sid", "upgrades", "pingInterval", "pingTimeout"}
    assert "maxPayload" in hellos[b"EIO=4&transport=websocket"]


async def test_a_namespace_with_a_query(io: Server) -> None:
    client = FakeClient(io, QUERY + b"&token=root&lang=it")
    admin: dict[str, Socket] = io.of("/admin").sockets
    client.say("0/admin?token=admin&empty=&x=%C3%A9%2C1")
    assert await client.hear() == ["0", "0/admin,"]
    (socket,) = admin.values()
    assert socket.id == f"/admin#{client.session.id}"
    assert socket.handshake.query == {
        "EIO": "3",
        "transport": "websocket",
        "lang": "it",
        "token": "admin",
        "empty": "",
        "x": "é,1",
    }
    assert io.sockets[client.session.id].handshake.query["token"] == "root"


async def test_namespaces_asked_for_before_the_root_is_joined(io: Server) -> None:
    """Clients of 1.x and 2.x send them all at once; each comes after "/"."""
    go_on = asyncio.Event()
    order: list[str] = []

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    for name in ("/", "/a", "/b"):
        io.of(name).on("connection", lambda socket: order.append(socket.id))
    client = FakeClient(io, QUERY)
    client.say("0/a?x=1", "0/b", "0/nowhere")
    assert client.session.why is None
    assert order == []
    go_on.set()
    assert await client.hear() == ["0", "0/a,", "0/b,", '4/nowhere,"Invalid namespace"']
    id = client.session.id
    assert order == [id, f"/a#{id}", f"/b#{id}"]
    assert io.of("/a").sockets[f"/a#{id}"].handshake.query["x"] == "1"


@pytest.mark.parametrize("names", [["/0", "/0"], [f"/{i}" for i in range(16)], [f"/{i}" for i in range(17)]])
async def test_too_many_namespaces_at_once_end_the_session(io: Server, names: list[str]) -> None:
    """Also where that shows only when "/" has been joined: it counts too."""
    go_on = asyncio.Event()

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    for name in names:
        io.of(name)
    client = FakeClient(io, QUERY)
    client.say(*(f"0{name}" for name in names))
    go_on.set()
    await settled(io)
    assert client.session.why is disconnects.PARSE_ERROR
    assert all(namespace.sockets == {} for namespace in io.namespaces)


async def test_namespaces_wait_for_nobody_who_is_gone(io: Server) -> None:
    """The root's own listener may end the connection."""
    go_on = asyncio.Event()
    joined: list[Socket] = []

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    io.on("connection", lambda socket: socket.disconnect(close=True))
    io.of("/a").on("connection", joined.append)
    client = FakeClient(io, QUERY)
    client.say("0/a")
    go_on.set()
    assert await client.hear() == ["0", "1"]
    assert joined == []
    assert len(io.of("/a").sockets) == 0


async def test_packets_before_the_root_is_joined_are_nobodys(io: Server) -> None:
    go_on = asyncio.Event()
    heard: list[Socket] = []

    @io.use
    async def think(socket: Socket) -> None:
        await go_on.wait()

    io.on("early", heard.append)
    client = FakeClient(io, QUERY)
    client.say('2["early"]', "30[]", '2/a,["early"]', "1/a")
    go_on.set()
    assert await client.hear() == ["0"]
    assert heard == []
    assert client.session.why is None


# -- refusing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (ConnectError("no"), '"no"'),
        (ConnectError("no", {"why": [1]}), '{"why":[1]}'),
        (ConnectError("no", "because"), '"because"'),
        (ConnectError("no", 0), "0"),
        (ConnectError("no", ""), '""'),
        (RuntimeError("secret"), '"Internal server error"'),
    ],
)
async def test_a_refusal_is_an_error_packet(io: Server, error: Exception, answer: str, is_async: bool) -> None:
    """Its data is the message, or what the error carries in its place."""

    def refuse(socket: Socket) -> None:
        raise error

    async def refuse_later(socket: Socket) -> None:
        await asyncio.sleep(0)
        raise error

    for namespace in (io.of("/"), io.of("/a")):
        namespace.use(refuse_later if is_async else refuse)
    client = FakeClient(io, QUERY)
    assert await client.hear() == ["4" + answer]
    client.say("0/a")  # waits for "/", for ever
    assert await client.hear() == []
    assert client.session.why is None
    assert io.sockets == {}


async def test_a_refusal_in_a_namespace_leaves_the_others(io: Server) -> None:
    refusing = [True]

    @io.of("/a").use
    def refuse(socket: Socket) -> None:
        if refusing:
            raise ConnectError("no")

    client = FakeClient(io, QUERY)
    client.say("0/a?token=x")
    assert await client.hear() == ["0", '4/a,"no"']
    assert len(io.sockets) == 1
    refusing.clear()
    client.say("0/a?token=y")
    assert await client.hear() == ["0/a,"]


@pytest.mark.parametrize("early", [[], ["0/a"]])
async def test_a_refused_client_is_told_to_stay_away(early: list[str]) -> None:
    """Else it would come back, and be refused, for ever. One that was let in stays."""
    io = Server(connect_timeout=0.02)
    io.of("/a")

    @io.use
    def refuse(socket: Socket) -> None:
        if socket.handshake.query["token"] == "bad":
            raise ConnectError("no")

    refused, let_in = FakeClient(io, QUERY + b"&token=bad"), FakeClient(io, QUERY + b"&token=good")
    refused.say(*early)
    async with asyncio.timeout(60):
        while refused.session.why is None:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.001)
    assert await refused.hear() == ['4"no"', "1"]
    assert refused.session.why is disconnects.REFUSED
    assert not disconnects.REFUSED.returns
    assert refused.transport.ended is disconnects.REFUSED
    assert let_in.session.why is None
    assert refused.session.id not in io.engine.sessions
    await io.close(grace=0)


# -- leaving --------------------------------------------------------------------------------------------------


async def test_leaving_a_namespace_and_the_root(io: Server) -> None:
    reasons: list[str] = []
    for name in ("/", "/a"):
        io.of(name).on("disconnect", lambda socket, why: reasons.append(f"{socket.namespace.name} {why}"))
    client = FakeClient(io, QUERY)
    client.say("0/a", "1/a", "1/a", "0/a")
    assert await client.hear() == ["0", "0/a,", "0/a,"]
    io.of("/a").sockets[f"/a#{client.session.id}"].disconnect()
    assert await client.hear() == ["1/a,"]
    client.say("1")
    client.session.receive(PacketType.CLOSE, "")
    assert reasons == [
        "/a client namespace disconnect",
        "/a server namespace disconnect",
        "/ client namespace disconnect",
    ]
    assert client.session.why is disconnects.TRANSPORT_CLOSE


async def test_events_and_acknowledgements(io: Server) -> None:
    io.of("/a").on("ask", lambda socket, *args: (socket.id, *args))
    client = FakeClient(io, QUERY)
    client.say("0/a", '2/a,7["ask","é"]')
    assert await client.hear() == ["0", "0/a,", f'3/a,7["/a#{client.session.id}","é"]']
    asking = asyncio.create_task(io.sockets[client.session.id].emit_with_ack("ask", b"\x01"))
    await asyncio.sleep(0)
    assert await client.hear() == ['51-0["ask",{"_placeholder":true,"num":0}]', b"\x01"]
    client.say('61-0[{"_placeholder":true,"num":0}]', b"\x02")
    assert await asking == b"\x02"
