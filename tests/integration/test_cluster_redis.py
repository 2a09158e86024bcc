"""What a node does with Redis itself: what it subscribes to, an outage, TLS and passwords, messages that are none."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

from ordercast.engineio import disconnects
from ordercast.socketio import RemoteSocket, Server, cluster_link
from ordercast.socketio.cluster_redis import RedisCluster
from ordercast.socketio.emitter import AsyncEmitter, Emitter
from tests.cluster import WAIT, NodeError, OurNode, client, node_js, our_node
from tests.fake_clients import FakeClient
from tests.proxy import Proxy
from tests.redis_server import RedisServer, certificate
from tests.sites import free_port


@pytest.fixture
async def ours(redis: RedisServer, prefix: str) -> AsyncIterator[OurNode]:
    async with our_node(redis, prefix) as node:
        yield node


@pytest.fixture
async def other(redis: RedisServer, prefix: str) -> AsyncIterator[OurNode]:
    async with our_node(redis, prefix) as node:
        yield node


@pytest.fixture
async def raw(redis: RedisServer) -> AsyncIterator[Any]:
    async with Redis.from_url(redis.url) as connection:
        yield connection


async def until(condition: Callable[[], bool]) -> None:
    """Waits for it. The time only bounds a failure."""
    async with asyncio.timeout(WAIT):
        while not condition():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)


# -- what it hears --------------------------------------------------------------------------------------------


class Watcher:
    """What Redis says a node is subscribed to, without what every node is for its namespaces."""

    def __init__(self, raw: Any, prefix: str) -> None:
        self.raw = raw
        self.prefix = prefix

    async def rooms(self) -> set[str]:
        found = [channel.decode() for channel in await self.raw.pubsub_channels(f"{self.prefix}#*")]
        return {name.removeprefix(f"{self.prefix}#/#").removesuffix("#") for name in found} - {
            "",
            f"{self.prefix}#/kitchen",
        }

    async def commands(self) -> int:
        """How many commands have subscribed to anything, ever."""
        stats = await self.raw.info("commandstats")
        return sum(
            stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("subscribe", "unsubscribe", "psubscribe")
        )


async def test_exactly_the_rooms_there_are(ours: OurNode, raw: Any, prefix: str) -> None:
    watcher = Watcher(raw, prefix)
    async with client(ours, "x", "ü#*?[a]") as one, client(ours, "x") as another:
        assert await watcher.rooms() == {"x", "ü#*?[a]"}
        ours.io.sockets[one.id].leave("x")
        ours.io.sockets[one.id].leave("ü#*?[a]")
        await ours.settled()
        assert await watcher.rooms() == {"x"}
        ours.io.sockets[another.id].join("y")
        ours.io.sockets[another.id].leave("y")
        await ours.settled()
        assert await watcher.rooms() == {"x"}
    await until(lambda: not ours.io.sockets)
    await ours.settled()
    assert await watcher.rooms() == set()


async def test_a_storm_of_connects_costs_few_commands(ours: OurNode, raw: Any, prefix: str) -> None:
    watcher = Watcher(raw, prefix)
    before = await watcher.commands()
    clients = [FakeClient(ours.io) for _ in range(400)]
    for one in clients:
        one.say("0")  # connects
    for number, member in enumerate(ours.io.sockets.values()):
        member.join(f"user:{number}")
    await ours.settled()
    assert len(await watcher.rooms()) == 400, "one for each room, none for the sockets' ids"
    assert await watcher.commands() - before <= 2


async def test_ids_that_are_not_the_nodes_own_to_choose(ours: OurNode, other: OurNode, raw: Any, prefix: str) -> None:
    """Clients before 3.0 make theirs up from the session's."""
    legacy = FakeClient(ours.io, b"EIO=3&transport=websocket")
    id = legacy.session.id
    await ours.settled()
    assert await Watcher(raw, prefix).rooms() == {id}
    await legacy.hear()
    other.io.to(id).emit("private")
    await until(lambda: bool(legacy.transport.packets) and '"private"' in str(legacy.transport.packets[-1].data))
    legacy.session.close(disconnects.TRANSPORT_CLOSE)
    await ours.settled()
    assert await Watcher(raw, prefix).rooms() == set()


async def test_a_room_named_like_another_nodes_socket(ours: OurNode, other: OurNode) -> None:
    async with client(other) as there, client(ours) as here:
        await here.join(there.id)
        other.io.to(there.id).emit("both")
        assert await here.next() == await there.next() == ("both",)


async def test_namespaces_that_come_and_go(ours: OurNode, other: OurNode, raw: Any, prefix: str) -> None:
    pattern = re.compile(r"/shop-\d+")
    for node in (ours, other):
        node.io.of(pattern).on("join", lambda socket, room: socket.join(room))
    async with client(ours, "x", namespace="/shop-1") as here, client(other, "x", namespace="/shop-1") as there:
        await other.settled()
        ours.io.of("/shop-1").to("x").emit("both")
        assert await here.next() == await there.next() == ("both",)
        assert len(await ours.io.of("/shop-1").fetch_sockets()) == 2
    await until(lambda: ours.io.find_existing("/shop-1") is None and other.io.find_existing("/shop-1") is None)
    await ours.settled()
    await other.settled()
    assert await raw.pubsub_channels(f"{prefix}*/shop-1#*") == []


async def test_a_node_that_has_gone(ours: OurNode, redis: RedisServer, prefix: str) -> None:
    async with node_js(redis, prefix) as node:
        async with our_node(redis, prefix):
            assert await node.run("return io.of('/').adapter.serverCount()") == 3
        assert await node.run("return io.of('/').adapter.serverCount()") == 2


async def test_what_can_be_done_to_a_socket_elsewhere(ours: OurNode, other: OurNode) -> None:
    async with client(other, answer=lambda *args: args[0] if args else None) as there:

        async def remote() -> RemoteSocket:
            (found,) = await ours.io.fetch_sockets()
            assert isinstance(found, RemoteSocket)
            return found

        one = await remote()
        assert repr(one) == f"RemoteSocket('{there.id}')"
        one.send("hello")
        assert await there.next() == ("message", "hello")
        assert await one.emit_with_ack("echo", [1], timeout=WAIT) == [1]
        one.join("a", "b")
        one.leave("a")
        assert (await remote()).rooms == {"b", there.id}
        one.disconnect(close=True)
        await there.ended()
        with pytest.raises(TimeoutError, match="not connected"):
            await one.emit_with_ack("echo", timeout=WAIT)


# -- other processes ------------------------------------------------------------------------------------------


async def test_our_emitters(redis: RedisServer, ours: OurNode, prefix: str) -> None:
    async with node_js(redis, prefix) as node, AsyncEmitter(redis.url, prefix=prefix) as later:
        heard: asyncio.Queue[Any] = asyncio.Queue()
        ours.io.on_server_side_emit("heard", heard.put_nowait)
        with Emitter(redis.url, prefix=prefix) as emitter:
            for far in (ours, node):
                async with client(far, "x") as there, client(far, "y", namespace="/kitchen") as cook:
                    emitter.to("x").emit("room", b"\x00\xff")
                    emitter.in_(there.id).except_("nobody").emit("id")
                    emitter.of("kitchen").emit("cook", {"n": [1]})
                    await later.of("/kitchen").to("y").send("later")
                    assert [await there.next() for _ in range(2)] == [("room", b"\x00\xff"), ("id",)]
                    assert [await cook.next() for _ in range(2)] == [("cook", {"n": [1]}), ("message", "later")]
                    emitter.volatile.emit("volatile")
                    assert await there.next() == ("volatile",)
                    emitter.to("x").sockets_join("a", "b")
                    await later.to("b").sockets_leave("a")
                    (found,) = await ours.io.to("x").fetch_sockets()
                    assert found.rooms == {"x", "b", there.id}
                    await later.to("b").disconnect_sockets()
                    await there.ended()
            emitter.server_side_emit("heard", {"a": 1})
            await later.server_side_emit("heard", 2)
        async with asyncio.timeout(WAIT):
            assert [await heard.get() for _ in range(2)] == [{"a": 1}, 2]
        assert await node.run("return heard") == [[{"a": 1}], [2]]


async def test_an_emitter_that_is_cancelled_as_it_sends(
    redis: RedisServer, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = AbstractConnection._send_packed_command

    async def cancelling(connection: AbstractConnection, command: Any) -> None:
        await send(connection, command)
        emitting.cancel()

    async with AsyncEmitter(redis.url, prefix=prefix) as emitter:
        await emitter.emit("before")
        with monkeypatch.context() as patch:
            patch.setattr(AbstractConnection, "_send_packed_command", cancelling)
            emitting = asyncio.ensure_future(emitter.emit("meanwhile"))
            await asyncio.wait([emitting])
        assert emitting.cancelled()
        await emitter.emit("after")


async def test_a_user_who_may_not_subscribe(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with RedisServer(tmp_path, "--user", "shop", "on", ">word", "+publish", "+ping", "allchannels") as redis:
        io = Server(redis_url=f"unix://shop@{redis.path}?password=word")
        io.start()
        async with Redis.from_url(redis.url) as raw:

            async def refused() -> int:
                return int((await raw.info("errorstats")).get("errorstat_NOPERM", {"count": 0})["count"])

            async with asyncio.timeout(WAIT):
                while await refused() < 4:  # noqa: ASYNC110 - there is nothing to wait on
                    await asyncio.sleep(0.01)
        assert not io.cluster.connected
        assert caplog.messages.count("redis is away") == 1, "a line for an outage, however often it is tried"
        await io.close(grace=0)


def test_what_an_emitter_refuses(redis: RedisServer) -> None:
    with Emitter(redis.url) as emitter:
        with pytest.raises(ValueError, match="reserved"):
            emitter.emit("disconnect")
        with pytest.raises(TypeError):
            emitter.emit("x", object())
        with pytest.raises(TypeError, match="binary"):
            emitter.server_side_emit("x", b"x")


# -- messages that are none -----------------------------------------------------------------------------------

PACKET = {"type": 2, "data": ["x"], "nsp": "/"}
OPTS: dict[str, Any] = {"rooms": [], "except": [], "flags": {}}
BAD = (
    b"",
    b"\x80\x04\x95\x0f\x00\x00\x00cos\nsystem\n(S'true'\ntR.",  # a pickle
    b"\x91" * 5000,
    b"{" * 5000,
    b'{"type":6,"data":["x"],"requestId":{}}',
    msgspec.msgpack.encode(["me", {**PACKET, "data": ["disconnect"]}, OPTS]),
    msgspec.msgpack.encode(["me", {**PACKET, "data": ["x", "y" * 2000]}, OPTS]),
)


async def test_bad_messages(redis: RedisServer, prefix: str, raw: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with our_node(redis, prefix, max_message_bytes=1000) as ours, client(ours, "x") as here:
        channels = [f"{prefix}#/#", f"{prefix}#/#x#", f"{prefix}-request#/#", f"{prefix}-response#/#"]
        answers = asyncio.create_task(
            ours.io.server_side_emit_with_ack("nobody", timeout=0.5)
        )  # so that answers are read
        for channel in channels:
            for payload in BAD:
                await raw.publish(channel, payload)
        elsewhere = msgspec.msgpack.encode(["me", {**PACKET, "nsp": "/kitchen"}, OPTS])
        await raw.publish(f"{prefix}#/#", elsewhere)  # of a namespace that is not the channel's
        await raw.publish(f"{prefix}#/#", msgspec.msgpack.encode(["me", PACKET, OPTS]))
        assert await here.next() == ("x",)
        await answers
        assert 3 * len(BAD) <= ours.cluster.counters.bad <= 4 * len(BAD)
        assert ours.cluster.connected
        assert [record.message for record in caplog.records].count("a bad message from redis") == 1


# -- Redis comes and goes -------------------------------------------------------------------------------------


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for one test alone, to be killed."""
    with RedisServer(tmp_path) as server:
        yield server


async def test_redis_is_killed_and_comes_back(own_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ordercast.socketio")
    async with (
        our_node(own_redis, "p") as ours,
        our_node(own_redis, "p") as other,
        node_js(own_redis, "p") as node,
        client(other, "x", answer=lambda: 1) as there,
        client(node, "x", answer=lambda: 2) as far,
        client(ours, "x", answer=lambda: 3) as here,
    ):
        for _ in range(2):
            own_redis.kill()
            await until(lambda: not ours.cluster.connected and not other.cluster.connected)
            ours.io.to("x").local.emit("meanwhile")
            ours.io.to("x").sockets_join("meanwhile")
            assert await here.next() == ("meanwhile",), "who is here hears it all the same"
            own_redis.start()
            await ours.settled()
            await other.settled()
            async with asyncio.timeout(WAIT):
                while True:
                    with suppress(NodeError):
                        if await node.run("return subscribe.isReady && await io.of('/').adapter.serverCount()") == 3:
                            break
                    await asyncio.sleep(0.02)
            ours.io.to("x").emit("back")
            assert [await one.next() for one in (here, there, far)] == [("back",)] * 3
            assert sorted(await ours.io.to("x").emit_with_ack("ready?", timeout=WAIT)) == [1, 2, 3]
            assert [await one.next() for one in (here, there, far)] == [("ready?",)] * 3
            await node.run("io.to('x').emit('from node')")
            assert [await one.next() for one in (here, there, far)] == [("from node",)] * 3
    said = [record.message for record in caplog.records]
    assert said.count("redis is away") == 4, "a line for each node and outage"


async def test_redis_goes_silent_and_speaks_again(tmp_path: Path, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is broken for TCP: only asking tells."""
    assert 2 * cluster_link._SILENCE < 5, "the node says within 5 s that it is deaf"
    monkeypatch.setattr(cluster_link, "_SILENCE", 0.5)
    port = free_port()
    with RedisServer(tmp_path, "--port", str(port)) as redis:
        async with Proxy(port) as proxy:
            cluster = RedisCluster(f"redis://127.0.0.1:{proxy.port}", prefix=prefix)
            io = Server(cluster=cluster)
            heard = asyncio.Event()
            cluster.on_hint("news", heard.set)
            cluster.start()
            await until(lambda: cluster.connected)
            with proxy.blackhole():
                await until(lambda: not cluster.connected)
            await until(lambda: cluster.connected)
            async with Redis.from_url(redis.url) as raw, asyncio.timeout(WAIT):
                while not heard.is_set():  # again, where a busy machine was silent for as long
                    await raw.publish(f"{prefix}-hint#news", "another1")
                    await asyncio.sleep(0.05)
            await io.close()


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        async with Redis.from_url(redis.url) as raw, raw.pubsub() as subscription:
            await subscription.psubscribe("socket.io#*")
            await subscription.parse_response(block=True)
            cluster = RedisCluster(redis.url, max_queue_bytes=10_000)
            io = Server(cluster=cluster)
            # It is not connected before the loop has its turn.
            for number in range(100):
                io.emit("x", number, "y" * 1000)
            assert 90 <= cluster.counters.dropped < 100
            io.emit("x", "y" * 20_000)
            assert cluster.counters.dropped == 101, "too much by itself"
            io.emit("last")
            async with asyncio.timeout(WAIT):
                assert b"last" in (await subscription.parse_response(block=True))[-1]
            await until(lambda: cluster.counters.published == 1)
            await io.close()


async def test_what_waits_too_long_is_dropped(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path)
    cluster = RedisCluster(redis.url, max_queue_time=0)
    io = Server(cluster=cluster)
    io.emit("x")
    await asyncio.sleep(0)
    with redis:
        io.start()
        await until(lambda: cluster.counters.dropped == 1)
        assert cluster.counters.published == 0
        await io.close()


async def test_tls_and_a_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cert, key = certificate(tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (
        *("--tls-port", str(port), "--tls-cert-file", str(cert), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(cert), "--tls-auth-clients", "no"),
        *("--user", "default", "off", "--user", "shop", "on", ">p%ss/word", "allchannels"),
        *("+subscribe", "+psubscribe", "+unsubscribe", "+punsubscribe", "+publish", "+pubsub", "+ping"),
    )
    with RedisServer(tmp_path, *options):
        url = f"rediss://shop:p%25ss%2Fword@127.0.0.1:{port}/0?ssl_ca_certs={cert}&protocol=3"
        one, two = Server(redis_url=url), Server(redis_url=url)
        heard: asyncio.Queue[Any] = asyncio.Queue()
        two.on_server_side_emit("x", heard.put_nowait)
        for io in (one, two):
            io.start()
            async with asyncio.timeout(WAIT):
                await io.cluster.settled()
        assert await one.server_side_emit_with_ack("x", 1, timeout=WAIT) == [None]
        assert await heard.get() == 1
        wrong = Server(redis_url=url.replace("p%25ss", "wrong"))
        wrong.start()
        await until(lambda: "redis is away" in caplog.messages)
        assert not wrong.cluster.connected
        for io in (one, two, wrong):
            await io.close(grace=0)
    assert all(part not in str(vars(record)) for record in caplog.records for part in ("/word", "%2Fword", "wrong"))
