"""After a customer was anonymised, no table has their id or words any more, but for the one that must."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Statement
from ordercast.storage.sqlite import connect
from ordercast.storage.tables import metadata

WHO = "cust_4711"
WORDS = ("Ms Jones", "Elm Street", "no onions for Ann", "№ 7 Jones")
LIKE_THEIRS = "custX4711"  # what `_` of SQL's LIKE would also mean


async def found(storage: Storage, words: tuple[str, ...]) -> set[tuple[str, str]]:
    """Which of the words are in which tables."""
    readers = storage.orders._readers
    there = set()
    for table in metadata.sorted_tables:
        names = ", ".join(column.name for column in table.columns)
        text = repr([tuple(row) for row in await readers.fetch(f"SELECT {names} FROM {table.name}")])
        there |= {(table.name, word) for word in words if word in text}
    return there


async def keep(storage: Storage, table: str, **row: Any) -> None:
    names = ", ".join(row)
    sql = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(row))})"
    await storage.orders._writer.run(Statement(sql, tuple(row.values())))


def answer(order: Order) -> bytes:
    return f"{order.customer_id} Ms Jones".encode()


async def test_no_table_has_them(database_url: str) -> None:
    async with open_storage(Settings(database_url=database_url)) as storage:
        new = NewOrder(
            customer_id=WHO,
            reference=WORDS[3],
            items=[{"name": "Pizza", "wish": WORDS[2]}],
            note=WORDS[1],
            contact={"name": WORDS[0]},
        )
        key = IdempotencyKey("service:shop: POST /api/orders", "k", "f" * 64)
        await storage.orders.create(new, "received", "shop", key, answer)
        why = Change(kind=EventKind.STATUS_CHANGED, values={"status": "ready"}, updated_by=WHO, reason=WORDS[0])
        await storage.orders.change("1", lambda order: why)
        await storage.watches.save("p", WHO, "1")
        key_row = {"fingerprint": "f", "order_id": "", "body": b"", "created_at": 1}
        for who in (WHO, LIKE_THEIRS):
            await keep(storage, "idempotency_keys", scope=f"customer:{who}: POST /x", key="k", **key_row)
            await keep(storage, "fences", user_id=who, newest=1, at=1)
            await keep(storage, "logins", user_id=who, number=1, run="r", socket="s", client="c", at=1, evicted=False)
        there = {table for table, _ in await found(storage, (WHO, *WORDS))}
        assert there == {"orders", "order_events", "idempotency_keys", "watches", "fences", "logins"}

        by = Principal("shop", Role.SERVICE)
        await Privacy(storage.orders, storage.personal, storage.revocations).anonymise(WHO, by)
        # So that tokens which were given to them open nothing, until the last of them has ended.
        assert await found(storage, (WHO, *WORDS)) == {("revocations", WHO)}
        assert {table for table, _ in await found(storage, (LIKE_THEIRS,))} == {"idempotency_keys", "fences", "logins"}


def kept(folder: Path) -> set[str]:
    """Which of the words are anywhere in the files of a database."""
    files = [path.read_bytes() for path in folder.iterdir()]
    return {word for word in WORDS[:3] if any(word.encode() in data for data in files)}


async def test_the_files_have_them_no_more_either(tmp_path: Path) -> None:
    """Neither the file's free space nor the write-ahead log, while the server goes on."""
    async with open_storage(Settings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'orders.db'}")) as storage:
        for note in (WORDS[1], WORDS[2] * 500):  # the second one goes to pages of its own
            new = NewOrder(customer_id="42", note=note, contact={"name": WORDS[0]})
            await storage.orders.create(new, "received", "shop")
        assert kept(tmp_path) == {*WORDS[:3]}
        by = Principal("shop", Role.SERVICE)
        await Privacy(storage.orders, storage.personal, storage.revocations).anonymise("42", by)
        assert kept(tmp_path) == set()
        assert await storage.orders._readers.fetch("PRAGMA secure_delete") == [(1,)]


async def test_a_write_ahead_log_that_others_read_is_asked_for_again(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    async with open_storage(Settings(database_url=f"sqlite+aiosqlite:///{path}")) as storage:
        await storage.orders.create(NewOrder(customer_id="42", note=WORDS[1]), "received", "shop")
        privacy = Privacy(storage.orders, storage.personal, storage.revocations)
        by = Principal("shop", Role.SERVICE)
        with closing(connect(path)) as other:
            other.execute("BEGIN")
            other.execute("SELECT * FROM orders").fetchall()
            with pytest.raises(StorageError, match="try again"):
                await privacy.anonymise("42", by)
        await privacy.anonymise("42", by)
        assert kept(tmp_path) == set()
