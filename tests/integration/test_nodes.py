"""Several whole nodes on one PostgreSQL, with Redis and without: who is online, and what reaches whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ordercast.app import Ordercast
from ordercast.config import Settings
from ordercast.errors import SettingsError
from ordercast.live import feed
from ordercast.socketio.cluster_redis import RedisCluster
from ordercast.storage import database
from tests.harness import SECRET, api_at
from tests.inside import WAIT, listening, several, until
from tests.redis_server import RedisServer

NEVER = 1e6  # s between looks that are not to come


async def test_who_is_online(postgres_url: str) -> None:
    async with (
        several(2, postgres_url) as ((a, a_url), (b, b_url)),
        listening(a_url, "ana", "operator"),
        listening(b_url, "ana", "operator"),
        listening(b_url, "bob", "admin", shops=["north"]),
        api_at(a_url, "operator") as api,
        api_at(a_url, "operator", shops=["south"]) as south,
    ):
        async with listening(a_url, 42, "customer"):
            await until(lambda: a.nodes.connections == b.nodes.connections == 4)
            await until(lambda: len(a.nodes.operators()) == 2)
            assert a.nodes.line == "Connections: 4 | Operators online: 2 | this node: 2, 1 | nodes: 2"
            assert b.nodes.line == "Connections: 4 | Operators online: 2 | this node: 2, 2 | nodes: 2"
        await until(lambda: a.nodes.connections == b.nodes.connections == 3)
        assert await api.get("/api/presence") == {
            "connections": 3,
            "operatorsOnline": 2,
            "operators": [{"userId": "ana", "role": "operator"}, {"userId": "bob", "role": "admin"}],
            "nodes": [
                {"node": "n0", "connections": 1, "operators": 1},
                {"node": "n1", "connections": 2, "operators": 2},
            ],
        }
        assert await south.get("/api/presence") == {
            "operatorsOnline": 1,
            "operators": [{"userId": "ana", "role": "operator"}],
        }
        figures = (await api.send("GET", "/metrics")).text
        for line in ("nodes 2.0", "cluster_connections 3.0", "cluster_operators_online 2.0", "connections 1.0"):
            assert f"\nordercast_{line}\n" in figures
        assert "redis" not in figures


async def test_a_node_that_stops_is_gone_at_once(postgres_url: str) -> None:
    async with several(1, postgres_url) as ((a, _),):
        b = Ordercast(Settings(jwt_secret=(SECRET,), database_url=postgres_url, node_name="b"))
        b.port = 4001
        async with b:
            await until(lambda: a.nodes.address("b") == "http://127.0.0.1:4001")
        assert b.storage.nodes is not None
        await a.nodes.beat()
        assert a.nodes.alive() == ["n0"]
        assert a.nodes.line == "Connections: 0 | Operators online: 0"


# -- with Redis -----------------------------------------------------------------------------------------------


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis for one test alone, since the nodes' channels are the same everywhere."""
    with RedisServer(tmp_path) as server:
        yield server


async def test_a_hint_through_redis_alone(
    postgres_url: str, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without PostgreSQL's notifications and without looking, another node's change comes all the same."""

    @asynccontextmanager
    async def deaf(address: object, look: float, writer: object, catch_up: Callable[[], Awaitable[None]]) -> Any:
        yield

    monkeypatch.setattr(database, "listening", deaf)
    monkeypatch.setattr(feed, "POLL", NEVER)
    async with (
        several(2, postgres_url, redis_url=own_redis.url) as ((_, a_url), (b, b_url)),
        listening(b_url, 42, "customer") as customer,
        api_at(a_url) as api,
    ):
        id = (await api.create(customerId=42))["orderId"]
        for status in ("accepted", "preparing"):
            await api.patch(id, status=status)
        updates = await customer.until("order:updated", 2)
        assert [update["status"] for update in updates] == ["accepted", "preparing"]
        assert b.feed.position == 3


async def test_redis_carries_the_shops_own_events_and_its_outage_delays_nothing(
    postgres_url: str, own_redis: RedisServer
) -> None:
    async with (
        several(2, postgres_url, redis_url=own_redis.url) as ((a, a_url), (b, b_url)),
        listening(b_url, 42, "customer") as customer,
        api_at(a_url) as api,
    ):
        heard: asyncio.Queue[Any] = asyncio.Queue()
        customer.client.on("hello", heard.put)
        async with asyncio.timeout(WAIT):
            await b.io.cluster.settled()
            a.io.to("user:42").emit("hello", 1)
            assert await heard.get() == 1
        assert "\nordercast_redis_connected 1.0\n" in (await api.send("GET", "/metrics")).text
        own_redis.kill()
        await until(lambda: not a.io.cluster.connected and not b.io.cluster.connected)
        figures = (await api.send("GET", "/metrics")).text
        assert "\nordercast_redis_connected 0.0\n" in figures
        assert "\nordercast_redis_published_total " in figures
        ready = await api.send("GET", "/health/ready")
        assert ready.status_code == 200, "no client here goes without its news"
        assert ready.json()["status"] == "degraded"
        assert ready.json()["problems"][0].startswith("Redis does not answer")
        id = (await api.create(customerId=42))["orderId"]
        await api.patch(id, status="accepted")
        assert (await customer.until("order:updated"))[0]["orderId"] == id


async def test_a_url_of_no_redis() -> None:
    settings = Settings(database_url="postgresql://h/d", redis_url="redis://:hunter2@h:port/0", jwt_secret=(SECRET,))
    with pytest.raises(SettingsError, match="ORDERCAST_REDIS_URL") as caught:
        Ordercast(settings)
    assert "hunter2" not in str(caught.value)


# -- hints by themselves --------------------------------------------------------------------------------------


@asynccontextmanager
async def clusters(redis: RedisServer, prefix: str) -> AsyncIterator[list[RedisCluster]]:
    found = [RedisCluster(redis.url, prefix=prefix) for _ in range(2)]
    for cluster in found:
        cluster.start()
    try:
        yield found
    finally:
        for cluster in found:
            await cluster.close()


async def test_hints(redis: RedisServer, prefix: str) -> None:
    from redis.asyncio import Redis

    async with asyncio.timeout(WAIT), clusters(redis, prefix) as (a, b), Redis.from_url(redis.url) as raw:
        heard: list[str] = []

        def broken() -> None:
            raise RuntimeError

        for cluster, who in ((a, "a"), (b, "b")):
            cluster.on_hint("log", broken)
            cluster.on_hint("log", lambda who=who: heard.append(who))  # type: ignore[misc]
            cluster.on_hint("end", lambda who=who: heard.append(f"{who} end"))  # type: ignore[misc]
            await cluster.settled()
        for _ in range(100):
            a.hint("log")
        await asyncio.sleep(0)
        assert a.counters.published == 0
        await until(lambda: heard == ["b"])  # once, and not by who said it
        await until(lambda: a.counters.published == 1)  # Redis may confirm it after it was heard
        channel = f"{prefix}-hint#log"
        for payload in ("", "x", "a" * 9, "a b c d ", "\n" * 8):
            await raw.publish(channel, payload)
        await raw.publish(f"{prefix}-hint#end", b"\xff" * 8)
        a.hint("end")
        await until(lambda: "b end" in heard)
        assert heard == ["b", "b end"]
        assert b.counters.bad == 6
        await raw.publish(channel, "somebody")
        await until(lambda: sorted(heard) == ["a", "b", "b", "b end"])


async def test_names_of_hints(redis: RedisServer, prefix: str) -> None:
    async with clusters(redis, prefix) as (a, _):
        for name in ("", "a b", "a\n", "a#b", "*", "x" * 65):
            with pytest.raises(ValueError, match="no name"):
                a.hint(name)
            with pytest.raises(ValueError, match="no name"):
                a.on_hint(name, print)


async def test_a_hint_while_redis_is_away_is_lost(own_redis: RedisServer) -> None:
    async with clusters(own_redis, "p") as (a, b), asyncio.timeout(WAIT):
        heard: list[None] = []
        for cluster in (a, b):  # one that hears nothing is never said to be connected
            cluster.on_hint("log", lambda: heard.append(None))
            await cluster.settled()
        own_redis.kill()
        await until(lambda: not a.connected and not b.connected)
        a.hint("log")
        own_redis.start()
        await until(lambda: a.connected and b.connected)
        a.hint("log")
        await until(lambda: bool(heard))
        await until(lambda: a.counters.published == 1)  # Redis may confirm it after it was heard
        assert a.counters.dropped == 0
