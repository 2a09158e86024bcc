"""``MAX_CONNECTIONS_PER_USER`` over several nodes on one PostgreSQL: the newest wins, with Redis and without."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import socketio

from ordercast.app import Ordercast
from ordercast.errors import StorageError
from ordercast.live import limit as limits
from ordercast.live.limit import SharedLimit
from ordercast.live.recovery import Pids
from ordercast.socketio import ConnectError, Socket
from ordercast.storage.logins import SqlLogins
from tests.harness import Listener, ServerProcess, api_at, run_node, token
from tests.inside import WAIT, Node, listening, several, until
from tests.redis_server import RedisServer

NEVER = 1e6  # s
FOREVER = 1e9  # s: everyone is too young to be evicted

Nodes = list[Node]


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[Nodes]:
    """Two, without Redis."""
    async with several(2, postgres_url, max_connections_per_user=1) as found:
        yield found


@pytest.fixture
def any_age(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is too young to be evicted."""
    monkeypatch.setattr(limits, "MIN_AGE", 0.0)


def limit(app: Ordercast) -> SharedLimit:
    found = app.connection_limit
    assert isinstance(found, SharedLimit)
    return found


async def rows(app: Ordercast) -> list[str]:
    """The sockets in the table of logins."""
    assert app.storage.logins is not None
    return [row[0] for row in await app.storage.logins._readers.fetch("SELECT socket FROM logins ORDER BY number")]


async def until_rows(app: Ordercast, count: int) -> None:
    async with asyncio.timeout(WAIT):
        while len(await rows(app)) != count:  # noqa: ASYNC110 - as the database tells nobody
            await asyncio.sleep(0.02)


async def gone(listener: Listener) -> None:
    """It was told why, and sent away."""
    assert await listener.until("force_disconnect") == [{"reason": "new_login"}]
    await until(lambda: not listener.client.connected)


async def connect(listener: Listener, url: str, **auth: object) -> None:
    """As user 42."""
    what = {"token": token(42)} | auth
    await listener.client.connect(url, auth=what, transports=["websocket"], wait_timeout=WAIT)


async def refusal(url: str, **auth: object) -> Any:
    """What a client is told that is not let in."""
    listener, said = Listener(), asyncio.Queue[Any]()
    listener.client.on("connect_error", said.put_nowait)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await connect(listener, url, **auth)
    return said.get_nowait()["message"]


def sockets(app: Ordercast) -> int:
    return len(app.io.of("/").sockets)


async def test_the_newest_wins_on_whichever_node(nodes: Nodes, any_age: None) -> None:
    (a, a_url), (b, b_url) = nodes
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(listening(a_url, 43, "customer"))
        newest = await stack.enter_async_context(listening(a_url, 42, "customer"))
        for url in (b_url, b_url, a_url):
            before, newest = newest, await stack.enter_async_context(listening(url, 42, "customer"))
            await gone(before)
        assert newest.client.connected
        assert other.client.connected
        assert (sockets(a), sockets(b)) == (2, 0)
        await until_rows(a, 2)
    await until_rows(a, 0)


async def test_redis_makes_it_at_once(
    postgres_url: str, tmp_path: Path, any_age: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LOOK", NEVER)
    with RedisServer(tmp_path) as redis:
        async with (
            several(2, postgres_url, max_connections_per_user=1, redis_url=redis.url) as ((_, a_url), (_, b_url)),
            listening(a_url, 42, "customer") as first,
            listening(b_url, 42, "customer") as second,
        ):
            await gone(first)
            assert second.client.connected


async def test_a_young_one_on_another_node_stays(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MIN_AGE", FOREVER)
    (a, a_url), (_, b_url) = nodes
    async with listening(a_url, 42, "customer") as first:
        for url in (a_url, b_url):
            assert await refusal(url) == "new_login"
        assert first.client.connected
        assert len(await rows(a)) == 1
    await until_rows(a, 0)
    async with listening(b_url, 42, "customer"):
        pass


async def test_who_has_just_left_is_in_nobodys_way(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where the database has not heard of it."""
    monkeypatch.setattr(limits, "MIN_AGE", FOREVER)
    ((a, a_url), _) = nodes
    async with listening(a_url, 42, "customer"):
        monkeypatch.setattr(limit(a), "_look", lambda: None)
    await until(lambda: sockets(a) == 0)
    async with listening(a_url, 42, "customer"):
        pass


async def test_a_node_that_was_killed_is_in_nobodys_way(
    nodes: Nodes, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However young its connections were: it stops beating."""
    monkeypatch.setattr(limits, "MIN_AGE", FOREVER)
    (_, (_, url)) = nodes
    server = ServerProcess(tmp_path, database_url=postgres_url, max_connections_per_user="1")
    with server:
        lost = Listener()
        await lost.connect(server.url, token(42))
        server.kill()
        async with listening(url, 42, "customer") as here:
            assert here.client.connected
        await lost.close()


async def test_a_client_that_comes_back_takes_its_own_place(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its old connection may not have been missed yet."""
    monkeypatch.setattr(limits, "MIN_AGE", FOREVER)
    (a, a_url), (b, b_url) = nodes
    first, second = Listener(), Listener()
    await first.connect(a_url, token(42))
    (socket,) = a.io.of("/").sockets.values()
    await connect(second, b_url, pid=socket.pid)
    await gone(first)
    (returned,) = b.io.of("/").sockets.values()
    assert returned.pid == socket.pid
    forged = Pids("of another shop").issue("42", "x.1")
    for pid in (forged, "nonsense", 7):
        assert await refusal(a_url, pid=pid) == "new_login"
    await second.close()


async def test_evicted_before_it_was_connected(nodes: Nodes, any_age: None) -> None:
    """Another middleware takes its time."""
    (a, a_url), (_, b_url) = nodes
    thinking, done = asyncio.Event(), asyncio.Event()

    @a.io.use
    async def slow(socket: Socket) -> None:
        thinking.set()
        await done.wait()

    first = Listener()
    task = asyncio.create_task(first.connect(a_url, token(42)))
    async with asyncio.timeout(WAIT):
        await thinking.wait()
    async with listening(b_url, 42, "customer") as second:
        await until(lambda: bool(limit(a)._doomed))
        done.set()
        await gone(first)
        assert second.client.connected
    await asyncio.wait([task])
    task.exception()
    await until_rows(a, 0)


async def test_whom_another_middleware_refuses_leaves_no_row(nodes: Nodes) -> None:
    (a, a_url), (_, b_url) = nodes

    @a.io.use
    def refuse(socket: Socket) -> None:
        raise ConnectError("not today")

    assert await refusal(a_url) == "not today"
    await until_rows(a, 0)
    async with listening(b_url, 42, "customer"):
        pass


async def test_who_leaves_while_it_is_counted_leaves_no_row(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    (a, a_url), _ = nodes
    claim, asked, go_on, claimed = SqlLogins.claim, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        asked.set()
        await go_on.wait()
        try:
            return await claim(*arguments)
        finally:
            claimed.set()

    monkeypatch.setattr(SqlLogins, "claim", slow)
    client = Listener()
    task = asyncio.create_task(client.connect(a_url, token(42)))
    async with asyncio.timeout(WAIT):
        await asked.wait()
    task.cancel()
    await asyncio.wait([task])
    await client.client.eio.disconnect(abort=True)
    await until(lambda: len(a.io.engine) == 0)
    await limit(a).look()  # as it does now and then: too early to tell the database
    go_on.set()
    await claimed.wait()
    await until(lambda: not limit(a)._claiming)
    await until_rows(a, 0)


async def test_while_the_database_is_away_clients_try_again(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    (a, a_url), _ = nodes
    claim, tried = SqlLogins.claim, 0

    async def away(*arguments: Any) -> Any:
        nonlocal tried
        tried += 1
        if tried < 3:
            raise StorageError("The database is away.")
        return await claim(*arguments)

    monkeypatch.setattr(SqlLogins, "claim", away)
    client = Listener(reconnection=True, reconnection_delay=0.05)
    await client.connect(a_url, token(42))
    await until(lambda: client.client.connected and tried == 3)
    assert a.io.engine.journal.closed["unavailable"] == 2
    await client.close()


async def test_the_table_is_empty_after_a_stop(postgres_url: str) -> None:
    client = Listener()
    async with several(1, postgres_url, max_connections_per_user=1) as ((app, url),):
        await client.connect(url, token(42))
        await until_rows(app, 1)
    database = await asyncpg.connect(postgres_url)
    assert await database.fetchval("SELECT count(*) FROM logins") == 0
    await database.close()
    await client.close()


async def test_two_of_the_recipes_clients_come_to_rest(nodes: Nodes) -> None:
    """The second takes the first one's place; the first, which comes again at once, is refused and stays away, though
    the second is old enough by the time it would have been cut off for joining nothing."""
    urls = [url for _, url in nodes]
    eras = ("1.7", "4.8")
    runs = (run_node("recipe.mjs", era, token(user), "6", "12", *urls, wait=120) for user, era in enumerate(eras, 42))
    for found in await asyncio.gather(*runs):
        assert found == [
            {
                "happened": ["connect", "force_disconnect: new_login", "io server disconnect", "refused: new_login"],
                "connected": False,
            },
            {"happened": ["connect"], "connected": True},
        ]


async def test_a_storm_of_logins(postgres_url: str, tmp_path: Path, any_age: None) -> None:
    """Users come again and again, to any of three nodes, while Redis is flushed, killed and started again; at no time
    are two of one user there for long, and in the end there is one."""
    dice, loop = random.Random(7), asyncio.get_running_loop()
    users = [str(n) for n in range(12)]
    spans: dict[str, list[list[float]]] = {user: [] for user in users}

    async def come(user: str, url: str) -> Listener:
        listener = Listener()
        await listener.connect(url, token(user))
        span = [loop.time(), float("inf")]
        spans[user].append(span)

        async def ended(*_: object) -> None:
            span[1] = min(span[1], loop.time())

        listener.client.on("disconnect", ended)
        return listener

    async def again_and_again(user: str, urls: list[str]) -> list[Listener]:
        found = []
        for _ in range(8):
            with suppress(socketio.exceptions.ConnectionError):  # evicted before it knew that it was in
                found.append(await come(user, dice.choice(urls)))
            await asyncio.sleep(dice.uniform(0, 0.4))
        return found

    async def disturb(redis: RedisServer) -> None:
        from redis.asyncio import Redis

        async with Redis.from_url(redis.url) as client:
            await client.flushall()
        await asyncio.sleep(0.5)
        redis.kill()
        await asyncio.sleep(1.5)
        redis.start()

    with RedisServer(tmp_path) as redis:
        async with several(3, postgres_url, max_connections_per_user=1, redis_url=redis.url) as nodes:
            urls = [url for _, url in nodes]
            parts = [again_and_again(user, urls) for user in users for _ in range(2)]
            *found, _ = await asyncio.gather(*parts, disturb(redis))
            clients = [client for part in found if part for client in part]
            await until(lambda: sum(sockets(app) for app, _ in nodes) == len(users))
            await until(lambda: sum(client.client.connected for client in clients) == len(users))
            await until_rows(nodes[0][0], len(users))
            longest = max(overlap(one) for one in spans.values())
            print(f"two of one user at once for at most {longest * 1000:.0f} ms")
            assert longest < WAIT, "it only bounds a failure: two seconds, where nothing else runs"
            for client in clients:
                await client.close()


def overlap(spans: list[list[float]]) -> float:
    """The longest time that a connection outlived a newer one's beginning. s"""
    spans = sorted(spans)
    return max(
        (max(0.0, min(ends, 1e12) - later[0]) for (_, ends), later in pairwise(spans)),
        default=0.0,
    )


async def test_a_share_link_may_be_open_anywhere(nodes: Nodes, any_age: None) -> None:
    (a, a_url), (_, b_url) = nodes
    async with api_at(a_url) as api, AsyncExitStack() as stack:
        order = await api.create(customerId=42)
        shared = (await api.send("POST", f"/api/orders/{order['orderId']}/share")).json()
        guests = [Listener() for _ in range(4)]
        for guest, url in zip(guests, (a_url, b_url) * 2, strict=True):
            stack.push_async_callback(guest.close)
            await guest.connect(url, shared["shareToken"])
        for guest in guests:
            await guest.settle()
        assert await rows(a) == []
