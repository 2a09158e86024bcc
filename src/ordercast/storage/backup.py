"""Makes a backup of a database while servers write to it: all of it is of one moment, whatever comes meanwhile."""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import asyncpg
from sqlalchemy.exc import SQLAlchemyError

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.models import iso, now
from ordercast.storage import backup_file, postgres, revisions
from ordercast.storage.backup_file import BATCH, Backup, Progress, Tally
from ordercast.storage.database import database_path
from ordercast.storage.postgres import FAILURES, Address
from ordercast.storage.sqlite import connect

Rows = list[Sequence[Any]]


class Source(Protocol):
    """A database, as it was at one moment."""

    revision: str

    async def count(self, sql: str) -> int: ...

    def rows(self, sql: str) -> AsyncIterator[Rows]: ...


def back_up(
    settings: Settings, target: Path, *, force: bool = False, progress: Progress = lambda done, total: None
) -> Backup:
    """Copies the database into a file that is there whole or not at all, and reads it back. ``force``: in the place of
    a file that is there. Raises `SettingsError`, `StorageError`."""
    database = None if postgres.is_postgres(settings) else database_path(settings)
    if database is not None and target.exists() and database.exists() and target.samefile(database):
        raise StorageError(f"{target} is the database itself: name another file.")
    if target.is_dir() or not target.parent.is_dir():
        raise StorageError(f"{target} cannot be written: name a file in a folder that is there.")
    if target.exists() and not force:
        raise StorageError(f"{target} is there already: name another file, or say --force.")
    if database is not None and not database.exists():
        raise StorageError(f"The database {database} does not exist: set ORDERCAST_DATABASE_URL to the one to back up.")
    # In the same folder, so that it can be renamed.
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    source = _from_postgres(postgres.address_of(settings)) if database is None else _from_sqlite(database)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds secrets and people's addresses
        asyncio.run(_copy(source, part, progress))
        made = backup_file.verify(part)
        _settle(part, target)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise StorageError(f"{target} cannot be written ({error}): see to its folder and its disk.") from None
    finally:
        for path in (part, part.with_name(f"{part.name}-journal")):
            with suppress(OSError):
                path.unlink()
    return Backup(target, made.schema, made.made_at, made.tables)


async def _copy(source: AbstractAsyncContextManager[Source], part: Path, progress: Progress) -> None:
    async with source as database:
        backup_file.make_empty(part, database.revision)
        with closing(sqlite3.connect(part, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous = OFF")  # the whole file is, in the end
            made_at = iso(now())
            tables = backup_file.columns(db)
            counts = {t: await database.count(backup_file.select(t, names, "count(*)")) for t, names in tables.items()}
            db.execute("BEGIN")
            done, total, tallies = 0, sum(counts.values()), {}
            for table, names in tables.items():
                tally = tallies[table] = Tally()
                async for rows in database.rows(backup_file.select(table, names)):
                    plain = [tuple(int(v) if isinstance(v, bool) else v for v in row) for row in rows]
                    db.executemany(backup_file.insert(table, names), plain)
                    tally.add(plain)
                    progress(done := done + len(plain), total)
            backup_file.seal(db, database.revision, made_at, tallies)
            db.execute("COMMIT")


def _settle(part: Path, target: Path) -> None:
    """The file is on disk before it has its name, and the name after."""
    _sync(part)
    part.replace(target)
    with suppress(OSError):  # Windows opens no folders
        _sync(target.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _known(name: str, revision: str | None) -> str:
    revisions.refuse_newer(name, revision)
    if revision is None:
        raise StorageError(f"The database {name} holds nothing yet: there is nothing to back up.")
    return revision


@contextmanager
def _read(name: str, *failures: type[Exception]) -> Iterator[None]:
    """Has what fails in reading the database told from what fails in writing the file."""
    try:
        yield
    except failures as error:
        raise StorageError(f"The database {name} cannot be read: {str(error) or type(error).__name__}.") from None


class _Sqlite:
    def __init__(self, db: sqlite3.Connection, name: str) -> None:
        self._db = db
        self._name = name
        with _read(name, sqlite3.Error):
            db.execute("BEGIN")  # which sees, from its first read on, one moment
            there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            row = db.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
        self.revision = _known(name, row[0] if row else None)

    async def count(self, sql: str) -> int:
        with _read(self._name, sqlite3.Error):
            return int(self._db.execute(sql).fetchone()[0])

    async def rows(self, sql: str) -> AsyncIterator[Rows]:
        cursor = self._db.execute(sql)
        more = True
        while more:
            with _read(self._name, sqlite3.Error):
                rows = cursor.fetchmany(BATCH)
            more = bool(rows)
            yield rows


@asynccontextmanager
async def _from_sqlite(path: Path) -> AsyncIterator[Source]:
    with closing(connect(path, as_it_is=True)) as db:
        yield _Sqlite(db, str(path))


class _Postgres:
    def __init__(self, connection: postgres.Connection, name: str, revision: str) -> None:
        self._connection = connection
        self._name = name
        self.revision = revision

    async def count(self, sql: str) -> int:
        with _read(self._name, *FAILURES):
            return int(await self._connection.fetchval(sql))

    async def rows(self, sql: str) -> AsyncIterator[Rows]:
        with _read(self._name, *FAILURES):
            cursor = await self._connection.cursor(sql)
        more = True
        while more:
            with _read(self._name, *FAILURES):
                rows = await cursor.fetch(BATCH)
            more = bool(rows)
            yield rows


@asynccontextmanager
async def _from_postgres(address: Address) -> AsyncIterator[Source]:
    await (await postgres.connect(address)).close()  # first, for errors in our own words
    # Without our limits of time: it takes as long as it takes.
    connection = await asyncpg.connect(address.dsn, server_settings={"application_name": "ordercast backup"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            with _read(address.name, *FAILURES):
                there = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
                revision = await connection.fetchval("SELECT version_num FROM alembic_version") if there else None
            yield _Postgres(connection, address.name, _known(address.name, revision))
    finally:
        await connection.close()
