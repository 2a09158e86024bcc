"""Servers joined by a real Redis: ours, and Node.js's with the official adapter. Each reaches the other's clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ordercast.socketio import AckTimeout, ClusterTimeout, RemoteSocket
from tests.cluster import WAIT, NodeError, NodeJs, OurNode, client, node_js, our_node
from tests.redis_server import RedisServer

BYTES = b"\x00\x01\xfe\xff"


@pytest.fixture
async def ours(redis: RedisServer, prefix: str) -> AsyncIterator[OurNode]:
    async with our_node(redis, prefix) as node:
        yield node


@pytest.fixture
async def other(redis: RedisServer, prefix: str) -> AsyncIterator[OurNode]:
    async with our_node(redis, prefix) as node:
        yield node


@pytest.fixture
async def node(redis: RedisServer, prefix: str) -> AsyncIterator[NodeJs]:
    async with node_js(redis, prefix) as node:
        yield node


@pytest.fixture(params=["ours", "node"])
def elsewhere(request: pytest.FixtureRequest) -> Any:
    """Another node: ours, or Node.js's."""
    return "other" if request.param == "ours" else "node"


@pytest.fixture
async def far(request: pytest.FixtureRequest, redis: RedisServer, prefix: str, elsewhere: str) -> Any:
    """That other node, running."""
    async with our_node(redis, prefix) if elsewhere == "other" else node_js(redis, prefix) as node:
        yield node


# -- we speak -------------------------------------------------------------------------------------------------


async def test_a_room_everyone_and_those_left_out(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(far, "x", "y") as both, client(far, "y") as one, client(ours) as here:
        io = ours.io
        io.to("x").emit("room", 1)
        io.to("x", "y").emit("rooms", {"deep": [None, True, 1.5, "ü🍕"]})
        io.to("y").except_("x").emit("but")
        io.local.emit("local")
        io.emit("all", BYTES, {"data": BYTES})
        deep = {"deep": [None, True, 1.5, "ü🍕"]}
        everyone = ("all", BYTES, {"data": BYTES})
        assert [await both.next() for _ in range(3)] == [("room", 1), ("rooms", deep), everyone]
        assert [await one.next() for _ in range(3)] == [("rooms", deep), ("but",), everyone]
        assert [await here.next() for _ in range(2)] == [("local",), everyone]


async def test_a_socket_by_its_id(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(far) as there, client(far) as another:
        ours.io.to(there.id).emit("private", BYTES)
        assert await there.next() == ("private", BYTES)
        ours.io.to(there.id, another.id).volatile.emit("both")
        assert await there.next() == await another.next() == ("both",)


async def test_other_namespaces(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(far, "x", namespace="/kitchen") as cook, client(far, "x") as guest:
        ours.io.of("/kitchen").to("x").emit("cook")
        ours.io.to("x").emit("guest")
        assert await cook.next() == ("cook",)
        assert await guest.next() == ("guest",)


async def test_fetching_sockets(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(ours, "x") as here, client(far, "x", "y") as there, client(far):
        found = {socket.id: socket for socket in await ours.io.to("x").fetch_sockets()}
        assert found.keys() == {here.id, there.id}
        assert found[here.id] is ours.io.sockets[here.id]
        remote = found[there.id]
        assert isinstance(remote, RemoteSocket)
        assert remote.rooms == {"x", "y", there.id}
        assert remote.data == {"from": "python" if isinstance(far, OurNode) else "node"}
        assert remote.handshake.headers["host"] == far.url.removeprefix("http://")
        assert remote.handshake.query["transport"] == "websocket"
        assert (await ours.io.to("x").local.fetch_sockets()) == [ours.io.sockets[here.id]]
        remote.emit("private", 1)
        assert await there.next() == ("private", 1)


async def test_moving_and_ending_sockets(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(far, "x") as there, client(far) as stays:

        async def rooms() -> set[str]:
            (found,) = await ours.io.to(there.id).fetch_sockets()
            return set(found.rooms) - {there.id}

        ours.io.to("x").sockets_join("a", "b")
        assert await rooms() == {"x", "a", "b"}
        ours.io.to("a").sockets_leave("b", "x")
        assert await rooms() == {"a"}
        ours.io.to("a").disconnect_sockets(close=True)
        await there.ended()
        assert [socket.id for socket in await ours.io.fetch_sockets()] == [stays.id]


async def test_acknowledgements_of_clients(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with (
        client(far, "x", answer=lambda data: data + b"1"),
        client(far, "x", answer=lambda data: None),
        client(ours, "x", answer=lambda data: {"deep": [data]}),
        client(far, answer=lambda data: "not asked"),
    ):
        answers = await ours.io.to("x").emit_with_ack("ready?", BYTES, timeout=WAIT)
        assert sorted(map(str, answers)) == sorted(map(str, [BYTES + b"1", None, {"deep": [BYTES]}]))
        assert await ours.io.to("nobody").emit_with_ack("ready?", timeout=WAIT) == []


async def test_a_client_that_does_not_acknowledge(ours: OurNode, far: OurNode | NodeJs) -> None:
    async with client(far, "x", answer=lambda: 1), client(far, "x") as silent:
        silent.io.on("ready?", silent.io.eio.wait, namespace="/")  # until the end of the connection
        with pytest.raises(AckTimeout, match="1 of 2 did not acknowledge") as raised:
            await ours.io.to("x").emit_with_ack("ready?", timeout=2)
        assert raised.value.responses == [1]


async def test_server_side_events(ours: OurNode, far: OurNode | NodeJs) -> None:
    if isinstance(far, OurNode):

        async def add(a: int, b: int) -> int:
            return a + b

        far.io.on_server_side_emit("sum", add)
    assert await ours.io.server_side_emit_with_ack("sum", 1, 2, timeout=WAIT) == [3]


# -- Node.js speaks -------------------------------------------------------------------------------------------


async def test_node_emits(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x", "y") as both, client(ours, "y", "17") as one:
        await node.run("io.to('x').emit('room', 1); io.to('x').to('y').emit('rooms', {n: [null, 1.5]})")
        await node.run("io.to('y').except('x').emit('but'); io.local.emit('local'); io.to(17).emit('number')")
        await node.run(f"io.to('{both.id}').emit('private'); io.volatile.emit('all', Buffer.from([0, 255]), undefined)")
        rooms, everyone = ("rooms", {"n": [None, 1.5]}), ("all", b"\x00\xff", None)
        assert [await both.next() for _ in range(4)] == [("room", 1), rooms, ("private",), everyone]
        assert [await one.next() for _ in range(4)] == [rooms, ("but",), ("number",), everyone]


async def test_the_official_emitter(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x") as here, client(ours, namespace="/kitchen") as cook:
        await node.run("emitter.to('x').emit('room', Buffer.from([7])); emitter.of('/kitchen').emit('cook', 1)")
        assert await here.next() == ("room", b"\x07")
        assert await cook.next() == ("cook", 1)
        await node.run(f"emitter.in('{here.id}').socketsJoin('a'); emitter.in('a').disconnectSockets(true)")
        await here.ended()


async def test_node_finds_our_sockets(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x") as here, client(node, "x") as there:
        found = await node.run(
            "return (await io.in('x').fetchSockets()).map(({id, rooms, data, handshake: {query, headers}}) =>"
            " ({id, rooms: [...rooms].sort(), data, transport: query.transport, host: headers.host}))"
        )
        for one, data in ((here, "python"), (there, "node")):
            assert {
                "id": one.id,
                "rooms": sorted(["x", one.id]),
                "data": {"from": data},
                "transport": "websocket",
                "host": one.node.url.removeprefix("http://"),
            } in found
        assert len(found) == 2
        rooms = await node.run("return [...await io.of('/').adapter.allRooms()]")
        assert {"x", here.id, there.id} <= set(rooms)


async def test_node_finds_sockets_whose_data_is_no_json(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x") as here:
        ours.io.sockets[here.id].data = {"thing": object()}
        assert await node.run("return (await io.in('x').fetchSockets()).map(({id, data}) => ({id, data}))") == [
            {"id": here.id, "data": {}}
        ]


async def test_node_moves_and_ends_our_sockets(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x") as here, client(ours) as stays:
        rooms = f"(await io.in('{here.id}').fetchSockets()).map(s => [...s.rooms].sort())"
        await node.run("io.in('x').socketsJoin(['a', 'b'])")
        assert await node.run(f"return {rooms}") == [sorted(["a", "b", "x", here.id])]
        await node.run("io.in('a').except('nobody').socketsLeave(['x', 'b'])")
        assert await node.run(f"return {rooms}") == [sorted(["a", here.id])]
        await node.run("io.in('a').disconnectSockets()")
        await here.ended()
        assert list(ours.io.sockets) == [stays.id]


async def test_node_asks_our_clients(ours: OurNode, node: NodeJs) -> None:
    async with client(ours, "x", answer=lambda n: n + 1), client(node, "x", answer=lambda n: n + 2):
        assert sorted(await node.run("return io.timeout(15000).to('x').emitWithAck('ready?', 1)")) == [2, 3]
        assert await node.run("return io.timeout(15000).to('nobody').emitWithAck('ready?', 1)") == []


async def test_node_asks_our_servers(ours: OurNode, other: OurNode, node: NodeJs) -> None:
    def fails(*args: Any) -> None:
        raise RuntimeError("on purpose")

    ours.io.on_server_side_emit("sum", lambda a, b: a * 10 + b)
    other.io.on_server_side_emit("sum", fails)
    assert sorted(map(str, await node.run("return io.serverSideEmitWithAck('sum', 1, 2)"))) == ["12", "None"]
    # Nobody listens: answered all the same, or Node.js would wait for its timeout.
    assert await node.run("return io.serverSideEmitWithAck('unheard of')") == [None, None]


async def test_server_side_events_without_answer(ours: OurNode, node: NodeJs) -> None:
    heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
    ours.io.on_server_side_emit("heard", lambda *args: heard.put_nowait(args))
    await node.run("io.serverSideEmit('heard', 'from node', {a: [1]}); emitter.serverSideEmit('heard', 'from emitter')")
    async with asyncio.timeout(WAIT):
        assert await heard.get() == ("from node", {"a": [1]})
        assert await heard.get() == ("from emitter",)
    ours.io.server_side_emit("heard", "from python")
    await ours.io.server_side_emit_with_ack("sum", 1, 2, timeout=WAIT)  # in order: it has heard the one before
    assert await node.run("return heard") == [["from emitter"], ["from python"]]  # its own emitter's too


# -- limits ---------------------------------------------------------------------------------------------------


async def test_a_node_that_listens_and_does_not_answer(redis: RedisServer, prefix: str, ours: OurNode) -> None:
    from redis.asyncio import Redis

    async with Redis.from_url(redis.url) as deaf, deaf.pubsub() as subscription, client(ours) as here:
        await subscription.subscribe(f"{prefix}-request#/#")
        await subscription.parse_response(block=True)
        ours.cluster._timeout = 0.2
        with pytest.raises(ClusterTimeout, match="0 of 1 other nodes") as raised:
            await ours.io.fetch_sockets()
        assert [socket.id for socket in raised.value.responses] == [here.id]
        with pytest.raises(ClusterTimeout):
            await ours.io.server_side_emit_with_ack("sum", timeout=0.2)
        with pytest.raises(AckTimeout, match="1 other nodes did not answer"):
            await ours.io.emit_with_ack("ready?", timeout=0.2)


async def test_node_knows_that_we_are_there(ours: OurNode, node: NodeJs) -> None:
    assert await node.run("return io.of('/').adapter.serverCount()") == 2
    with pytest.raises(NodeError, match="on purpose"):
        await node.run("throw new Error('on purpose')")
