"""`ordercast backup` and `restore`, on databases of both kinds and between them; and what is refused."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.models import IdempotencyKey, NewOrder, Order, OrderEvent, OrderQuery
from ordercast.orders.principal import Principal, Role
from ordercast.storage import backup, restore
from ordercast.storage.backup_file import make_empty, verify
from ordercast.storage.database import open_storage
from ordercast.storage.driver import Statement
from ordercast.storage.nodes import NodeRow
from ordercast.storage.revisions import newest
from tests.contract.support import FULL, all_of, noting, setting
from tests.postgres import PostgresServer

KEY = IdempotencyKey("service:shop: POST /api/orders", "k", "f" * 64)
OLD = Principal("9", Role.CUSTOMER, issued_at=1)
Whole = tuple[list[Order], list[OrderEvent], dict[str, int | None]]


@pytest.fixture(params=["sqlite", "postgres"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Another database, with nothing in it: of a server, not even tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/other.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(asyncio.run(server.create()))


async def fill(url: str) -> None:
    async with open_storage(Settings(database_url=url)) as storage:
        await storage.orders.create(FULL, "received", "shop", KEY, lambda order: b"\x00\xff answer")
        await storage.orders.create(NewOrder(customer_id="43", total=3.0), "received", "shop")
        await storage.orders.change("1", setting(status="ready", expected_at=datetime(2026, 1, 1, tzinfo=UTC)))
        await storage.orders.change(FULL.order_id or "", noting("№ 2\n"))
        await storage.targets.replace({"received": 60, "ready": None})
        await storage.revocations.revoke_user("9")
        await storage.watches.save("p", "42", "1")
        await storage.orders._writer.run(
            Statement("INSERT INTO logins VALUES ('42', 1, 'r', 's', 'c', 1, ?)", (True,)),
        )


async def everything(url: str) -> tuple[Whole, str, str, Any]:
    """Orders, log, targets; the log's id, the secret key, and what was answered."""
    async with open_storage(Settings(database_url=url)) as storage:
        orders = (await storage.orders.find(OrderQuery(limit=500))).orders
        again = await storage.orders.create(FULL, "received", "shop", KEY, lambda order: b"another")
        assert storage.revocations.is_revoked(OLD)
        assert await storage.watches.of("p", "42") == frozenset()
        whole = orders, await all_of(storage.log), dict(await storage.targets.read())
        return whole, storage.log.log_id, storage.secret_key, again.replayed


async def numbers(url: str) -> str:
    """The number that the next order gets."""
    async with open_storage(Settings(database_url=url)) as storage:
        return (await storage.orders.create(NewOrder(customer_id="1"), "received", "shop")).order.order_id


def test_whatever_it_was_made_of_it_is_restored_in_either(database_url: str, other_url: str, tmp_path: Path) -> None:
    asyncio.run(fill(database_url))
    file = tmp_path / "orders.backup"
    shown: list[tuple[int, int]] = []
    made = backup.back_up(Settings(database_url=database_url), file, progress=lambda *done: shown.append(done))
    assert (made.orders, made.schema) == (2, newest())
    assert shown[-1] == (made.rows, made.rows)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []

    there = restore.restore(Settings(database_url=other_url), file)
    assert (there.orders, there.position, there.made_at) == (2, 4, made.made_at)

    async def compare() -> None:
        async with open_storage(Settings(database_url=database_url)) as storage:
            await storage.watches.drop("p", "1")
        before, log_id, secret, answer = await everything(database_url)
        after, other_log_id, other_secret, other_answer = await everything(other_url)
        assert after == before
        assert other_log_id != log_id
        assert other_secret == secret
        assert other_answer == answer == b"\x00\xff answer"
        assert await numbers(other_url) == await numbers(database_url) == "2"

    asyncio.run(compare())


def test_it_is_of_one_moment_while_a_server_writes(database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url)
    begun, enough = threading.Event(), threading.Event()
    counts: list[int] = []

    async def write() -> None:
        async with open_storage(settings) as storage:
            await storage.orders.create(NewOrder(customer_id="42", order_id="x"), "received", "shop")
            while not enough.is_set():
                await storage.orders.create(NewOrder(customer_id="42"), "received", "shop")
                await storage.orders.change("x", noting(str(len(counts))))
                counts.append(1)
                if len(counts) > 20:
                    begun.set()

    writing = threading.Thread(target=lambda: asyncio.run(write()))
    writing.start()
    try:
        assert begun.wait(60)
        before = len(counts)
        file = tmp_path / "backup"
        backup.back_up(settings, file)
        while len(counts) < before + 20:  # they were not held up for ever
            assert writing.is_alive()
    finally:
        enough.set()
        writing.join(60)
    with closing(sqlite3.connect(file)) as db:
        (head,) = db.execute("SELECT n FROM log_head").fetchone()
        events, last = db.execute("SELECT count(*), max(position) FROM order_events").fetchone()
        assert head == events == last
        orders, versions = db.execute("SELECT count(*), sum(version) FROM orders").fetchone()
        assert versions == events
        assert before < orders


def test_in_the_place_of_what_is_there(database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url)
    asyncio.run(fill(database_url))
    file = tmp_path / "backup"
    backup.back_up(settings, file)

    async def go_on() -> tuple[Whole, str]:
        async with open_storage(settings) as storage:
            whole = (
                (await storage.orders.find(OrderQuery())).orders,
                await all_of(storage.log),
                dict(await storage.targets.read()),
            )
            log_id = storage.log.log_id
            await storage.orders.create(NewOrder(customer_id="44", order_id="later"), "received", "shop")
            await storage.orders.change("1", noting("later"))
            await storage.targets.replace({"accepted": 1})
            await storage.revocations.revoke_user("10")
            return whole, log_id

    before, log_id = asyncio.run(go_on())
    with pytest.raises(StorageError, match="holds orders already"):
        restore.restore(settings, file)

    async def look() -> None:
        async with open_storage(settings) as storage:
            assert await storage.orders.get("later") is not None
            assert storage.log.log_id == log_id

    asyncio.run(look())
    restore.restore(settings, file, force=True)

    async def compare() -> None:
        async with open_storage(settings) as storage:
            assert await storage.orders.get("later") is None
            # A restore makes no token good again that was revoked since.
            assert storage.revocations.is_revoked(Principal("10", Role.CUSTOMER, issued_at=1))
        after, new_log_id, _, _ = await everything(database_url)
        assert after == before
        assert new_log_id != log_id

    asyncio.run(compare())


@pytest.mark.parametrize("revision", ["0001", "0003", "0004"])
def test_an_older_backup_is_brought_up_to_date(other_url: str, tmp_path: Path, revision: str) -> None:
    """As a database of that schema is backed up and restored by a newer version."""
    old = tmp_path / "old.db"
    make_empty(old, revision)
    with closing(sqlite3.connect(old)) as db:
        db.execute("INSERT INTO log_head (id, n, last_order_number) VALUES (1, 1, 0)")
        db.execute(
            "INSERT INTO orders (order_id, customer_id, fulfilment, status, version, items, reference, created_at, "
            "updated_at) VALUES ('7', '42', 'pickup', 'ready', 1, '[]', 'No 7', 5000, 6000)"
        )
        db.execute(
            "INSERT INTO order_events (position, order_id, version, kind, status, fields, customer_id, forced, at) "
            "VALUES (1, '7', 1, 'created', 'ready', '[]', '42', 0, 5000)"
        )
        db.commit()
    file = tmp_path / "backup"
    made = backup.back_up(Settings(database_url=f"sqlite:///{old}"), file)
    assert made.schema == revision
    restore.restore(Settings(database_url=other_url), file)

    async def look() -> None:
        async with open_storage(Settings(database_url=other_url, log_retention=0)) as storage:
            (found,) = (await storage.orders.find(OrderQuery(text="no 7"))).orders
            assert (found.order_id, found.status_since) == ("7", datetime.fromtimestamp(5, UTC))
            assert [event.position for event in await all_of(storage.log)] == [1]

    asyncio.run(look())
    assert verify(file).tables == made.tables, "the backup itself stays as it is"


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def cut_a_page(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 4096)


def emptied(file: Path) -> None:
    os.truncate(file, 0)


def scribbled(file: Path) -> None:
    """One letter of somebody's note, which SQLite itself does not notice."""
    file.write_bytes(file.read_bytes().replace("№ 2".encode(), "№ 3".encode()))


def a_table(file: Path) -> None:
    file.write_text("order,customer\n1,42\n")


def gone(file: Path) -> None:
    file.unlink()


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def sql(*statements: str) -> Callable[[Path], None]:
    def do(file: Path) -> None:
        with closing(sqlite3.connect(file)) as db:
            for statement in statements:
                db.execute(statement)
            db.commit()

    do.__name__ = statements[0]
    return do


WRONG: list[tuple[Callable[[Path], None], str]] = [
    (cut, "damaged|no backup"),
    (cut_a_page, "damaged"),
    (emptied, "no backup"),
    (scribbled, "damaged .*'orders'"),
    (a_table, "no backup"),
    (gone, "cannot be read"),
    (a_folder, "cannot be read"),
    (sql("PRAGMA application_id = 0"), "no backup"),
    (sql("DELETE FROM order_events WHERE position = 2"), "damaged .*'order_events'"),
    (sql("DROP TABLE targets"), "damaged"),
    (sql("DROP TABLE backup"), "damaged"),
    (sql("DELETE FROM backup WHERE key = 'tables'"), "damaged"),
    (sql("UPDATE backup SET value = 'x' WHERE key = 'tables'"), "damaged"),
    (sql("UPDATE backup SET value = '9999' WHERE key = 'schema'"), "schema 9999"),
    (sql("UPDATE backup SET value = '2' WHERE key = 'format'"), "newer form"),
]


@pytest.mark.parametrize(("spoil", "words"), WRONG)
def test_what_is_no_backup_is_refused_and_nothing_is_lost(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db")
    asyncio.run(fill(settings.database_url))
    file = tmp_path / "backup"
    backup.back_up(settings, file)
    before = asyncio.run(everything_but_watches(settings.database_url))
    spoil(file)
    with pytest.raises(StorageError, match=words):
        restore.restore(settings, file, force=True)
    assert asyncio.run(everything_but_watches(settings.database_url)) == before


async def everything_but_watches(url: str) -> Any:
    async with open_storage(Settings(database_url=url)) as storage:
        orders = (await storage.orders.find(OrderQuery(limit=500))).orders
        return orders, await all_of(storage.log), storage.log.log_id, await storage.watches.of("p", "42")


def test_it_is_all_or_nothing(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops in the middle, as if killed: what was there is there."""
    settings = Settings(database_url=database_url)
    asyncio.run(fill(database_url))
    file = tmp_path / "backup"
    backup.back_up(settings, file)
    before = asyncio.run(everything_but_watches(database_url))

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.restore(settings, file, force=True, progress=stop)
    assert asyncio.run(everything_but_watches(database_url)) == before
    with pytest.raises(KeyboardInterrupt):
        backup.back_up(settings, tmp_path / "second", progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".db", ".lock")) == ["backup"]


def test_a_server_that_runs(database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url)
    asyncio.run(fill(database_url))
    file = tmp_path / "backup"
    backup.back_up(settings, file)

    async def while_it_runs() -> None:
        async with open_storage(settings, serves=True) as storage:
            if storage.nodes is not None:
                await storage.nodes.appear(NodeRow("kitchen", "run", "http://127.0.0.1:1", 0, "[]"))
            with pytest.raises(StorageError, match=r"stop (it|them)"):
                await asyncio.to_thread(restore.restore, settings, file, force=True)
            assert await storage.orders.get("1") is not None

    asyncio.run(while_it_runs())


def test_files_that_are_there(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db")
    file = tmp_path / "backup"
    with pytest.raises(StorageError, match="does not exist"):
        backup.back_up(settings, file)
    asyncio.run(fill(settings.database_url))
    file.write_text("precious")
    with pytest.raises(StorageError, match="--force"):
        backup.back_up(settings, file)
    assert file.read_text() == "precious"
    backup.back_up(settings, file, force=True)
    for other in (tmp_path, tmp_path / "nowhere" / "backup"):
        with pytest.raises(StorageError, match="cannot be written"):
            backup.back_up(settings, other, force=True)
    for do in (backup.back_up, restore.restore):
        with pytest.raises(StorageError, match="the database itself"):
            do(settings, tmp_path / "orders.db", force=True)
    other_db = tmp_path / "somebody.db"
    with closing(sqlite3.connect(other_db)) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(StorageError, match="something else"):
        restore.restore(Settings(database_url=f"sqlite:///{other_db}"), file, force=True)
    with pytest.raises(StorageError, match="holds nothing"):
        backup.back_up(Settings(database_url=f"sqlite:///{other_db}"), tmp_path / "songs")
