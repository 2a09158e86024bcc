"""Several nodes on one PostgreSQL database: each change once, in one order that all see alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import asyncpg
import pytest

from ordercast.config import Settings
from ordercast.errors import Conflict, OrderExists, StorageError, VersionConflict
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order, OrderQuery, Written
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.postgres_writer import ALONE_LOCK
from tests.contract.support import create, noting, positions, whole
from tests.postgres import PostgresServer

NEVER = 1e6  # s between looks that are not to come
CREATED = "SELECT count(*) FROM order_events WHERE kind = 'created' AND position <= ?"
WAIT = 60.0  # s that only bound a failure


@pytest.fixture
async def nodes(postgres_url: str) -> AsyncIterator[list[Storage]]:
    """Three, that hear of each other by notifications alone."""
    settings = Settings(database_url=postgres_url)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_storage(settings, look_every=NEVER)) for _ in range(3)]


async def outcomes(*asked: Awaitable[Any]) -> list[Any]:
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_positions_have_no_hole_at_any_moment(nodes: list[Storage], postgres: PostgresServer) -> None:
    ids = [str(n) for n in range(1, 8)]
    for id in ids:
        await create(nodes[0].orders, id)
    total = len(ids) + 3 * 100 * 2

    async def write(node: Storage, n: int) -> None:
        id = ids[n % len(ids)]
        with pytest.raises(OrderExists):
            await create(node.orders, id)
        await node.orders.change(id, noting(str(n)))
        await create(node.orders)

    async def follow(node: Storage, step: int) -> list[int]:
        seen: list[int] = []
        while len(seen) < total:
            found = await positions(node.log, len(seen), step)
            assert found == [*range(len(seen) + 1, len(seen) + 1 + len(found))]
            seen += found
            page = await node.orders.find(OrderQuery(limit=500))
            ((created,),) = await node.orders._readers.fetch(CREATED, page.position)
            assert len(page.orders) == created  # the page is of the very moment it says
        return seen

    async with asyncio.timeout(4 * WAIT):
        await asyncio.gather(
            *(follow(node, step) for node, step in zip(nodes, (1, 7, 1_000), strict=True)),
            *(write(node, n) for n in range(100) for node in nodes),
        )
    for node in nodes:
        await whole(node.orders, node.log, total)
    ((deadlocks,),) = await postgres.execute("SELECT sum(deadlocks) FROM pg_stat_database")
    assert deadlocks == 0


async def test_each_change_sees_the_one_before(nodes: list[Storage]) -> None:
    await create(nodes[0].orders, "1", note="0")

    def count_up(order: Order) -> Change:
        return Change(kind=EventKind.CHANGED, values={"note": str(int(order.note or "0") + 1)}, updated_by="7")

    await asyncio.gather(*(node.orders.change("1", count_up) for _ in range(100) for node in nodes))
    order = await nodes[0].orders.get("1")
    assert order is not None
    assert (order.note, order.version) == ("300", 301)


async def test_of_writers_who_expect_the_same_version_one_wins(nodes: list[Storage]) -> None:
    services = [OrderService(node.orders, load_workflow()) for node in nodes]
    by = Principal("shop", Role.SERVICE)
    await create(nodes[0].orders, "1")
    for version in range(1, 6):
        ended = await outcomes(
            *(
                service.update("1", by, fields={"note": f"{version}.{n}.{i}"}, expected_version=version)
                for n in range(10)
                for i, service in enumerate(services)
            )
        )
        won = [one for one in ended if isinstance(one, Written)]
        assert (len(won), sum(isinstance(one, VersionConflict) for one in ended)) == (1, 29)
        assert won[0].order == await nodes[0].orders.get("1")


async def test_numbers_and_the_shops_own_ids_race(nodes: list[Storage]) -> None:
    own = cycle(range(1, 61))
    ended = await outcomes(
        *(create(node.orders, str(next(own)) if n % 2 else None) for n in range(80) for node in nodes)
    )
    written = [one for one in ended if isinstance(one, Written)]
    assert all(isinstance(one, Written | OrderExists) for one in ended)
    ids = [int(one.order.order_id) for one in written]
    assert sorted(ids) == [*range(1, len(ids) + 1)]  # none twice, and none left out
    await whole(nodes[0].orders, nodes[0].log, len(ids))


async def test_orders_in_opposite_directions(nodes: list[Storage], postgres: PostgresServer) -> None:
    """Batches over the same orders, however they are mixed, never wait for each other in a circle."""
    ids = [f"o{n}" for n in range(30)]
    for id in ids:
        await create(nodes[0].orders, id)
    await asyncio.gather(
        *(
            node.orders.change(id, noting(f"{times}"))
            for times in range(10)
            for node, direction in zip(nodes, (1, -1, 1), strict=True)
            for id in ids[::direction]
        )
    )
    await whole(nodes[1].orders, nodes[1].log, 30 + 900)
    ((deadlocks,),) = await postgres.execute("SELECT sum(deadlocks) FROM pg_stat_database")
    assert deadlocks == 0


async def test_one_request_that_came_to_every_node(nodes: list[Storage]) -> None:
    for n in range(10):
        key = IdempotencyKey("s", f"k{n}", "f")
        new = NewOrder(customer_id="42", order_id=f"own-{n}" if n % 2 else None)
        ended = await asyncio.gather(
            *(node.orders.create(new, "received", "shop", key, lambda order: order.order_id.encode()) for node in nodes)
        )
        assert sorted(one.replayed is None for one in ended) == [False, False, True]
        assert ended[0].order == ended[1].order == ended[2].order
    assert await nodes[0].log.head() == 10


async def test_a_change_that_cannot_be_stored_spoils_no_other(nodes: list[Storage]) -> None:
    """Not even one that the database itself refuses in the middle of a batch."""
    node = nodes[0]
    await create(node.orders, "x")

    def refuse(order: Order) -> Change:
        raise Conflict("no")

    def broken(order: Order) -> bytes:
        raise ZeroDivisionError

    key = IdempotencyKey("s", "k", "f")
    change = node.orders.change
    ended = await outcomes(
        change("x", noting("1")),
        change("x", refuse),
        change("x", noting("NUL \0, which PostgreSQL takes in no text")),
        create(node.orders, "x"),
        change("x", noting("lost"), key, broken),
        create(node.orders, note="\0"),
        create(node.orders),
        change("x", noting("2"), key, lambda order: b"stored"),
        change("x", noting("again"), key, lambda order: b"stored"),
    )
    assert [type(one).__name__ for one in ended] == [
        *("Written", "Conflict", "StorageError", "OrderExists", "ZeroDivisionError", "StorageError"),
        *("Written", "Written", "Written"),
    ]
    assert [one.event.position for one in ended if isinstance(one, Written) and one.event] == [2, 3, 4]
    assert ended[-1].replayed == b"stored"
    assert ended[6].order.order_id == "1"
    order = await node.orders.get("x")
    assert order is not None
    assert (order.note, order.version) == ("2", 3)
    await whole(node.orders, node.log, 4)


async def test_a_commit_wakes_the_other_nodes(nodes: list[Storage]) -> None:
    here, there = nodes[:2]
    woken = asyncio.Event()
    here.log.subscribe(woken.set)
    seen = 0
    async with asyncio.timeout(WAIT):
        for n in range(20):
            writer = (there, here, there)[n % 3]
            await create(writer.orders)
            while True:
                woken.clear()
                recent = here.log.recent(seen, 100)
                if recent:
                    break
                await woken.wait()
            assert [event.position for event, _ in recent] == [seen + 1]
            seen += 1


async def test_what_one_node_revokes_reaches_the_others(nodes: list[Storage]) -> None:
    names = [f"{n}" for n in range(60)]

    async def look() -> None:
        for _ in range(20):
            for node in nodes:
                await node.revocations.look()

    await asyncio.gather(look(), *(nodes[int(name) % 3].revocations.revoke_token(name) for name in names))
    for node in nodes:
        await node.revocations.look()
        for name in names:
            assert node.revocations.is_revoked(Principal("42", Role.CUSTOMER, token_id=name))


async def test_a_revocation_waits_for_one_that_is_not_committed_yet(nodes: list[Storage], postgres_url: str) -> None:
    """Or it would be committed first with an earlier time, and who has seen the later one would never look for it."""
    future = 2**45
    other = await asyncpg.connect(postgres_url)
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", ALONE_LOCK)
        await other.execute("INSERT INTO revocations VALUES ('token', 'first', $1, $1)", future)
        asked = asyncio.create_task(nodes[0].revocations.revoke_token("second"))
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(WAIT):
            while not asked.done() and not await other.fetchval(waits):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)
    await asked
    assert await other.fetchval("SELECT at FROM revocations WHERE value = 'second'") == future + 1
    await other.close()


async def test_all_nodes_have_the_same_ids(nodes: list[Storage]) -> None:
    assert len({(node.log.log_id, node.secret_key) for node in nodes}) == 1


async def test_closing_finishes_what_waits(postgres_url: str) -> None:
    settings = Settings(database_url=postgres_url)
    async with open_storage(settings) as storage:
        asked = [asyncio.create_task(create(storage.orders)) for _ in range(600)]
        await asyncio.sleep(0)
    assert [task.result().order.order_id for task in asked] == [str(n) for n in range(1, 601)]
    for use in (create(storage.orders), storage.orders.get("1"), storage.log.head(), storage.watches.drop("p", "1")):
        with pytest.raises(StorageError, match="is closed"):
            await use
    async with open_storage(settings) as storage:
        await whole(storage.orders, storage.log, 600)
