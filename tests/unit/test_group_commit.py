"""The writer of a file: what waits is committed together, and what fails takes nothing with it."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import Conflict, StorageError
from ordercast.orders.models import Change, EventKind, IdempotencyKey, Order, Written
from ordercast.storage import sqlite
from ordercast.storage.database import open_storage
from ordercast.storage.driver import MAX_BATCH
from ordercast.storage.sqlite_writer import SqliteWriter
from tests.contract.support import create, held, noting, positions, whole, written_through


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/orders.db")


class Connection:
    """A connection that counts its commits and fails them when told."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.commits = 0
        self.failure: sqlite3.Error | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.db, name)

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "COMMIT":
            if self.failure is not None:
                raise self.failure
            self.commits += 1
        return self.db.execute(sql, *parameters)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The writers' connections, in the order of opening."""
    made: list[Connection] = []

    def writer(db: Any) -> SqliteWriter:
        made.append(Connection(db))
        return SqliteWriter(made[-1])  # type: ignore[arg-type]

    monkeypatch.setattr(sqlite, "SqliteWriter", writer)
    return made


async def test_what_waits_is_committed_together(settings: Settings, connections: list[Connection]) -> None:
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        before = connections[0].commits
        async with held(storage.orders):
            changes = [asyncio.create_task(storage.orders.change("x", noting(str(n)))) for n in range(MAX_BATCH + 44)]
        written = await asyncio.gather(*changes)
        assert connections[0].commits - before == 3  # what held it, a full batch, the rest
        assert [w.event.position for w in written if w.event] == [*range(2, MAX_BATCH + 46)]
        await whole(storage.orders, storage.log, MAX_BATCH + 45)


async def test_one_bad_change_spoils_no_other(settings: Settings, connections: list[Connection]) -> None:
    def refuse(order: Order) -> Change:
        raise Conflict("no")

    def unstorable(order: Order) -> Change:
        return Change(kind=EventKind.CHANGED, values={"note": object()}, updated_by="7")

    def no_such_column(order: Order) -> Change:
        return Change(kind=EventKind.CHANGED, values={"colour": "red"}, updated_by="7")

    def broken(order: Order) -> bytes:
        raise ZeroDivisionError

    key = IdempotencyKey("s", "k", "f")
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        change = storage.orders.change
        before = connections[0].commits
        async with held(storage.orders):
            asked = [
                asyncio.create_task(work)
                for work in (
                    change("x", noting("1")),
                    change("x", refuse),
                    change("x", noting("2")),
                    change("x", unstorable),
                    create(storage.orders, "x"),
                    change("x", no_such_column),
                    change("x", noting("lost"), key, broken),
                    create(storage.orders),
                    change("x", noting("3"), key, lambda order: b"stored"),
                )
            ]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert connections[0].commits - before == 2
        assert [type(outcome).__name__ for outcome in outcomes] == [
            *("Written", "Conflict", "Written", "StorageError", "OrderExists", "TypeError", "ZeroDivisionError"),
            *("Written", "Written"),
        ]
        order = await storage.orders.get("x")
        assert order is not None
        assert (order.note, order.version) == ("3", 4)
        await whole(storage.orders, storage.log, 5)


async def test_only_a_change_that_fails_half_done_costs_savepoints(settings: Settings) -> None:
    def refuse(order: Order) -> Change:
        raise Conflict("no")

    def broken(order: Order) -> bytes:
        raise ZeroDivisionError

    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        asked: list[str] = []
        written_through(storage).set_trace_callback(asked.append)
        change = storage.orders.change
        for number, (last, savepoints) in enumerate(
            ((change("x", refuse), 0), (change("x", noting("lost"), IdempotencyKey("s", "k", "f"), broken), 3))
        ):
            async with held(storage.orders):
                batch = [
                    asyncio.create_task(work)
                    for work in (change("x", noting(f"{number}")), create(storage.orders), last)
                ]
            good, created, bad = await asyncio.gather(*batch, return_exceptions=True)
            assert isinstance(good, Written)
            assert isinstance(created, Written)
            assert isinstance(bad, Conflict | ZeroDivisionError)
            assert sum(sql.startswith("SAVEPOINT") for sql in asked) == savepoints
            await whole(storage.orders, storage.log, 3 + 2 * number)
            assert (good.order.version, created.order.order_id) == (2 + number, str(number + 1))


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (sqlite3.OperationalError("disk I/O error"), "ordercast check"),
        (sqlite3.OperationalError("database or disk is full"), "free some space"),
        (sqlite3.OperationalError("database is locked"), "another program holds the database"),
        (sqlite3.DatabaseError("database disk image is malformed"), "ordercast check"),
    ],
)
async def test_a_commit_that_fails_refuses_its_whole_batch(
    settings: Settings, connections: list[Connection], error: sqlite3.Error, advice: str
) -> None:
    woken: list[int] = []
    key = IdempotencyKey("s", "k", "f")
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        before = await storage.orders.get("x")
        storage.log.subscribe(lambda: woken.append(1))
        async with held(storage.orders):
            pass
        connections[0].failure = error
        asked = [asyncio.create_task(storage.orders.change("x", noting(str(n)))) for n in range(5)]
        asked += [asyncio.create_task(create(storage.orders)) for _ in range(5)]
        asked += [asyncio.create_task(storage.orders.change("x", noting("k"), key, lambda order: b"lost"))]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {StorageError}
        assert all(str(error) in str(outcome) and advice in str(outcome) for outcome in outcomes)
        assert (await storage.orders.get("x"), await positions(storage.log), woken) == (before, [1], [])
        connections[0].failure = None
        written = await storage.orders.change("x", noting("later"), key, lambda order: b"kept")
        assert written.replayed is None
        assert (await create(storage.orders)).order.order_id == "1"
        await whole(storage.orders, storage.log, 3)
    async with open_storage(settings) as storage:
        await whole(storage.orders, storage.log, 3)


async def test_a_full_disk(settings: Settings, connections: list[Connection]) -> None:
    """As SQLite itself reports it: in the middle of a change, or of the transaction."""
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        db = connections[0].db
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {pages + 2}")
        big = [asyncio.create_task(create(storage.orders, note="n" * 5_000)) for _ in range(20)]
        outcomes = await asyncio.gather(*big, return_exceptions=True)
        stored = [outcome for outcome in outcomes if isinstance(outcome, Written)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, StorageError)]
        assert len(stored) + len(refused) == 20
        assert refused
        assert all("free some space" in str(error) for error in refused)
        await whole(storage.orders, storage.log, 1 + len(stored))
        db.execute("PRAGMA max_page_count = 1000000")
        await create(storage.orders, note="n" * 5_000)
        await whole(storage.orders, storage.log, 2 + len(stored))


async def test_a_damaged_database_leaves_nobody_waiting(settings: Settings, connections: list[Connection]) -> None:
    async with open_storage(settings) as storage:
        connections[0].db.execute("DELETE FROM log_head")
        for _ in range(2):
            with pytest.raises(StorageError, match="ordercast check"):
                await asyncio.wait_for(create(storage.orders), 30)


async def test_a_caller_who_leaves_changes_nothing_for_others(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        await create(storage.orders, "x")
        async with held(storage.orders):
            gone, stays = (asyncio.create_task(storage.orders.change("x", noting(n))) for n in ("gone", "stays"))
            await asyncio.sleep(0)
            gone.cancel()
        written = await stays
        assert gone.cancelled()
        assert (written.order.note, written.order.version) == ("stays", 3)
        await whole(storage.orders, storage.log, 3)
