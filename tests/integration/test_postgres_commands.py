"""The commands on PostgreSQL: what is wrong in words, and migrations that any number of nodes may start at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.storage.database import check, migrate, open_storage
from ordercast.storage.revisions import newest
from ordercast.storage.tables import metadata
from tests.contract.support import create
from tests.postgres import PASSWORD, PostgresServer


@pytest.fixture
async def empty(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database without a schema."""
    name = await postgres.create()
    yield name
    await postgres.drop(name)


async def in_thread(use: Callable[[Settings], object], url: str) -> object:
    return await asyncio.to_thread(use, Settings(database_url=url))


async def opened(url: str) -> None:
    async with open_storage(Settings(database_url=url)):
        pass


async def said(url: str) -> str:
    """What all three uses say that is wrong with a database, in the same words."""
    sentences = set()
    for use in (in_thread(check, url), in_thread(migrate, url), opened(url)):
        with pytest.raises((StorageError, SettingsError)) as caught:
            await use
        sentences.add(str(caught.value))
    (sentence,) = sentences
    assert PASSWORD not in sentence
    return sentence


async def test_what_is_wrong_in_words(postgres: PostgresServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"127.0.0.1:{free.getsockname()[1]}"
    where = f"127.0.0.1:{postgres.port}"
    for url, words in {
        f"postgresql://shop:{PASSWORD}@{nobody}/orders": (
            f"The database {nobody}/orders cannot be reached: ",
            "start PostgreSQL there, or correct ORDERCAST_DATABASE_URL.",
        ),
        "postgres://nowhere.invalid/orders": ("The database nowhere.invalid/orders cannot be reached: ", "correct"),
        postgres.url("postgres", password="wrong"): (
            f'{where}/postgres cannot be reached: password authentication failed for user "ordercast"; correct',
            "which names the user and the password.",
        ),
        postgres.url("missing"): (f"{where}/missing cannot be reached: there is no database", "'createdb missing'"),
        f"postgresql://{where}": ("names no database; write postgresql://",),
        postgres.url("postgres") + "?sslmode=require": ("cannot be reached: ", "SSL"),
        postgres.url("postgres") + "?sslmode=nonsense": ("cannot be reached: ", "sslmode", "correct ORDERCAST"),
    }.items():
        sentence = await said(url)
        assert all(part in sentence for part in words), sentence


async def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordercast.storage.postgres.CONNECT_TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert "no answer within 0.05 s; see whether a firewall" in await said(f"postgresql://u@127.0.0.1:{port}/x")


async def test_text_in_another_encoding_is_refused(postgres: PostgresServer) -> None:
    await postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        assert "keeps text as LATIN1: make one for Ordercast with 'createdb --encoding UTF8" in await said(
            postgres.url("latin")
        )
    finally:
        await postgres.drop("latin")


async def test_an_old_schema_is_left_to_migrate(postgres: PostgresServer, empty: str) -> None:
    url = postgres.url(empty)
    for use in (in_thread(check, url), opened(url)):
        with pytest.raises(StorageError, match=r"is at schema none, .* needs \d+: run 'ordercast migrate'\."):
            await use
    assert await in_thread(migrate, url) == (None, newest())
    async with open_storage(Settings(database_url=url)) as storage:
        await create(storage.orders)
    name = f"127.0.0.1:{postgres.port}/{empty}"
    assert await in_thread(check, url) == f"{name} holds 1 orders, log position 1, schema {newest()}"
    await postgres.execute("UPDATE alembic_version SET version_num = '9999'", empty)
    assert "at schema 9999, which this version of Ordercast does not know: run the newer one" in await said(url)


async def test_many_nodes_migrate_at_once(postgres: PostgresServer, empty: str) -> None:
    done = await asyncio.gather(*(in_thread(migrate, postgres.url(empty)) for _ in range(6)))
    assert sorted(done, key=str) == [(newest(), newest())] * 5 + [(None, newest())]
    assert await postgres.execute("SELECT n FROM log_head", empty) == [(0,)]


async def test_a_migration_that_breaks_off_leaves_nothing_half_done(
    postgres: PostgresServer, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(op, "add_column", break_off)
        with pytest.raises(ZeroDivisionError):
            await in_thread(migrate, postgres.url(empty))
    assert await postgres.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'", empty) == []
    assert await in_thread(migrate, postgres.url(empty)) == (None, newest())


async def test_migrations_make_what_the_tables_say(postgres: PostgresServer, migrated: str) -> None:
    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    engine = create_async_engine(postgres.url(migrated, scheme="postgresql+asyncpg"))
    async with engine.connect() as connection:
        assert await connection.run_sync(compare) == []
    await engine.dispose()
    collations = "SELECT DISTINCT collation_name FROM information_schema.columns WHERE column_name = 'order_id'"
    assert await postgres.execute(collations, migrated) == [("C",)]


async def test_what_was_acknowledged_survives_a_careless_server(postgres: PostgresServer, postgres_url: str) -> None:
    """Whose default is not to wait for the disk."""
    name = postgres_url.rpartition("/")[2]
    await postgres.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with open_storage(Settings(database_url=postgres_url)) as storage:
        await create(storage.orders)
        writer, readers = storage.orders._writer, storage.orders._readers
        connection = writer._connection  # type: ignore[attr-defined]
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        assert [tuple(row) for row in await readers.fetch("SHOW synchronous_commit")] == [("on",)]
