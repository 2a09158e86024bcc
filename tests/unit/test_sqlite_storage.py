"""What only a file can get wrong: other processes, its memory of the newest, its end. The rest is the contract's."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.models import IdempotencyKey, NewOrder, OrderQuery
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.tail import Tail
from tests.contract.support import Clock, create, held, noting, whole, written_through


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}")


async def test_numbers_pass_over_the_shops_own_in_one_query(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        for id in (*range(1, 301), 302):
            await create(storage.orders, str(id))
        asked: list[str] = []
        written_through(storage).set_trace_callback(asked.append)
        assert [(await create(storage.orders)).order.order_id for _ in range(3)] == ["301", "303", "304"]
        assert sum("last_order_number" in sql for sql in asked) == 3
        assert len(asked) < 50


# -- another process ----------------------------------------------------------------------------------------


async def test_one_who_only_reads(settings: Settings, path: Path) -> None:
    """Reading does not wait for a writer, and sees nothing that is not committed."""
    async with open_storage(settings) as storage:
        await create(storage.orders, "x", note="old")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE orders SET note = 'new'")
        order = await storage.orders.get("x")
        assert order is not None
        assert order.note == "old"
        assert (await storage.orders.find(OrderQuery())).orders == [order]
        other.execute("COMMIT")
        other.close()
        order = await storage.orders.get("x")
        assert order is not None
        assert order.note == "new"


# -- memory of the newest -----------------------------------------------------------------------------------


async def test_the_tail(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        for _ in range(9):
            await create(storage.orders)
        events = list(await storage.log.after(0, 10))
    tail = Tail(size=4)
    assert tail.after(0, 10) == ()
    tail.extend(events[:3])
    assert tail.after(0, 10) == events[:3]
    assert tail.after(1, 1) == events[1:2]
    assert tail.after(-1, 10) == tail.after(3, 10) == tail.after(9, 10) == ()
    tail.extend(events[3:6])  # the first two are forgotten
    assert tail.after(1, 10) == ()
    assert tail.after(2, 10) == events[2:6]
    tail.extend(events[7:])  # the seventh came from elsewhere
    assert tail.after(5, 10) == tail.after(6, 10) == ()
    assert tail.after(7, 10) == events[7:]


# -- idempotency keys ---------------------------------------------------------------------------------------


async def test_expired_keys_do_not_pile_up(settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("ordercast.storage.orders.now", clock)
    monkeypatch.setattr("ordercast.storage.idempotency.now", clock)
    monkeypatch.setattr("ordercast.storage.idempotency._PURGE_EVERY", 3)

    async def ask(storage: Storage, *keys: str) -> set[str]:
        """The keys that are kept after these were used."""
        for key in keys:
            new = NewOrder(customer_id="42")
            await storage.orders.create(new, "received", "shop", IdempotencyKey("s", key, "f"), lambda order: b"x")
        db = sqlite3.connect(path)
        kept = {row[0] for row in db.execute("SELECT key FROM idempotency_keys")}
        db.close()
        return kept

    async with open_storage(settings) as storage:
        assert await ask(storage, "a", "b") == {"a", "b"}
        clock.tick(settings.idempotency_ttl)
        assert await ask(storage, "c") == {"a", "b", "c"}  # looked at, and still good
        clock.tick()
        assert await ask(storage, "d", "e") == {"a", "b", "c", "d", "e"}
        assert await ask(storage, "f") == {"c", "d", "e", "f"}


# -- the end ------------------------------------------------------------------------------------------------


async def test_closing_finishes_what_waits(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        async with held(storage.orders):
            asked = [asyncio.create_task(create(storage.orders)) for _ in range(600)]
    assert all(task.done() for task in asked)
    assert [task.result().order.order_id for task in asked] == [str(n) for n in range(1, 601)]
    async with open_storage(settings) as storage:
        await whole(storage.orders, storage.log, 601)


async def test_after_the_end(settings: Settings, path: Path) -> None:
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
    for use in (
        create(storage.orders),
        storage.orders.change("x", noting("late")),
        storage.orders.get("x"),
        storage.orders.snapshot("x"),
        storage.orders.find(OrderQuery()),
        storage.orders.history("x"),
        storage.log.head(),
        storage.log.after(7, 1),
    ):
        with pytest.raises(StorageError, match="is closed"):
            await use
    assert [found.name for found in path.parent.iterdir()] == [path.name]  # nothing left beside it


# -- one customer's events ----------------------------------------------------------------------------------


async def test_one_customers_events_from_the_file(settings: Settings) -> None:
    """After a restart, with nothing of it in memory."""
    async with open_storage(settings) as storage:
        for customer in ("42", "43", "42", "43", "43"):
            await storage.orders.create(NewOrder(customer_id=customer), "received", "shop")
    async with open_storage(settings) as storage:
        for position, limit, expected, through in ((0, 9, [1, 3], 5), (1, 1, [3], 3), (0, 2, [1, 3], 3), (5, 9, [], 5)):
            found, looked = await storage.log.of_customer("42", position, limit)
            assert ([event.position for event in found], looked) == (expected, through)
        assert await storage.log.of_customer("42", 2**64, 9) == ([], 2**64)
