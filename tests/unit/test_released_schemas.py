"""Each schema that there has been (`tests/data/schemas/`) becomes the newest, on both databases, with all it has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast.config import Settings
from ordercast.orders.models import EventKind, NewOrder, Order, OrderEvent, OrderQuery
from ordercast.storage.database import check, migrate, open_storage
from ordercast.storage.revisions import newest
from tests.contract.support import all_of
from tests.postgres import PostgresServer
from tests.schemas import FOLDER, REVISIONS, dump_of, load_postgres, load_sqlite

KEPT = (
    "orders",
    "order_events",
    "meta",
    "idempotency_keys",
    "log_head",
    "watches",
    "revocations",
    "targets",
    "webhooks",
    "hook_messages",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path, revision: str) -> Iterator[str]:
    """A database of this kind and schema, as it was left."""
    if kind == "sqlite":
        load_sqlite(revision, tmp_path / "orders.db")
        yield f"sqlite:///{tmp_path}/orders.db"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        name = asyncio.run(server.create())
        asyncio.run(load_postgres(revision, server, name))
        yield server.url(name)
        asyncio.run(server.drop(name))


def look(url: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """All rows as dictionaries by table, and the indexes by table."""

    def read(connection: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
        inspector = inspect(connection)
        rows, shapes = {}, {}
        for table in inspector.get_table_names():
            found = connection.execute(text(f"SELECT * FROM {table}")).mappings()
            rows[table] = sorted(map(dict, found), key=str)
            shapes[table] = sorted(f"{i['name']} {i['column_names']}" for i in inspector.get_indexes(table)) + [
                f"{column['name']} {column['type']} {column['nullable']}" for column in inspector.get_columns(table)
            ]
        return rows, shapes

    if url.startswith("sqlite"):
        engine: Engine = create_engine(url)
        with engine.connect() as connection:
            found = read(connection)
        engine.dispose()
        return found

    async def there() -> tuple[dict[str, Any], dict[str, list[str]]]:
        engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            found = await connection.run_sync(read)
        await engine.dispose()
        return found

    return asyncio.run(there())


def test_there_is_one_of_each() -> None:
    expected = {dump_of(revision, kind).name for revision in REVISIONS for kind in ("sqlite", "postgresql")}
    assert {path.name for path in FOLDER.iterdir()} == expected, "after a migration: python -m tests.schemas"


@pytest.mark.parametrize("revision", REVISIONS)
def test_it_keeps_all_it_has(url: str, kind: str, revision: str) -> None:
    settings = Settings(database_url=url)
    before, _ = look(url)
    assert migrate(settings) == (revision, newest())
    after, _ = look(url)
    for table in set(KEPT) & before.keys():
        assert before[table], "an empty table shows nothing"
        columns = before[table][0].keys()
        assert [{name: row[name] for name in columns} for row in after[table]] == before[table]
    assert f"holds 2 orders, log position 4, schema {newest()}" in check(settings)


@pytest.mark.parametrize("revision", REVISIONS)
def test_it_becomes_what_a_new_one_is(
    url: str, kind: str, revision: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    new = f"sqlite:///{tmp_path}/new.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    migrate(Settings(database_url=new))
    migrate(Settings(database_url=url))
    assert look(url)[1] == look(new)[1]


@pytest.mark.parametrize("revision", REVISIONS)
def test_it_goes_on(url: str, revision: str) -> None:
    """Orders are read and found as they were meant, the log is whole from its floor on, and what is written follows."""
    settings = Settings(database_url=url, log_retention=0)
    migrate(settings)

    async def use() -> None:
        async with open_storage(settings) as storage:
            assert (storage.log.log_id, storage.secret_key) == ("log-of-0001", "a secret of a test, 48 long")
            floor = 0 if revision == "0001" else 1
            assert storage.log.floor == floor
            events = await all_of(storage.log)
            assert [event.position for event in events] == [*range(floor + 1, 5)]
            last: OrderEvent = events[-1]
            assert (last.kind, last.previous_status, last.reason) == (
                EventKind.STATUS_CHANGED,
                "received",
                "the till's word",
            )
            order = await storage.orders.get("a.b:c-1_2")
            assert isinstance(order, Order)
            assert order.items == [{"name": "Döner 🥙", "count": 2}]
            assert order.note == "ring\ntwice; it's loud"
            assert (order.total, order.version, order.claimed_by) == (12.34, 3, "ana")
            assert order.status_since == last.at
            for searched in ("jose", "№ 7", "4930 1", "+49 30"):
                page = await storage.orders.find(OrderQuery(text=searched))
                assert [found.order_id for found in page.orders] == (["a.b:c-1_2"] if searched != "4930 1" else [])
            written = await storage.orders.create(NewOrder(customer_id="42"), "received", "shop")
            assert written.event is not None
            assert (written.order.order_id, written.event.position) == ("2", 5)

    asyncio.run(use())
