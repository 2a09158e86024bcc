"""Puts a backup into a database of either kind, all of it or nothing, and begins a new log there: a cursor of before
belongs to another log, so that whoever comes back with one is told to fetch anew (`resync`)."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, Boolean, create_engine
from sqlalchemy.exc import SQLAlchemyError

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.storage import backup_file, file_lock, postgres, revisions, schema
from ordercast.storage.backup_file import Backup, Progress
from ordercast.storage.database import database_path, migrate
from ordercast.storage.nodes import ALIVE_MS, NOW
from ordercast.storage.postgres import FAILURES, Address
from ordercast.storage.postgres_open import migrate_postgres
from ordercast.storage.sqlite import connect
from ordercast.storage.tables import metadata

Table = tuple[str, list[str], Iterator[list[tuple[Any, ...]]]]

_NOT_EMPTY = "SELECT n > 0 OR EXISTS (SELECT 1 FROM orders) FROM log_head"
_REVOKED = "SELECT kind, value, at, expires_at FROM revocations"
_WAIT = "10s"  # for locks: who else is in the database is asked to leave by then
_ALIVE = f"SELECT name FROM nodes WHERE beat > {NOW} - {ALIVE_MS} ORDER BY name"  # noqa: S608 - numbers of ours

_TABLES = tuple(table.name for table in metadata.sorted_tables)  # those that others refer to come first


@dataclass(frozen=True, slots=True)
class Restored:
    """What is there now."""

    orders: int
    position: int
    made_at: str


def restore(
    settings: Settings, source: Path, *, force: bool = False, progress: Progress = lambda done, total: None
) -> Restored:
    """Checks the backup, then puts it into the database. ``force``: in the place of what is there. Raises
    `SettingsError` and `StorageError`, with nothing changed."""
    database = None if postgres.is_postgres(settings) else database_path(settings)
    if database is not None and database.exists() and source.exists() and source.samefile(database):
        raise StorageError(f"{source} is the database itself: name a backup.")
    backup = backup_file.verify(source)
    with ExitStack() as stack:
        file = stack.enter_context(closing(stack.enter_context(_current(backup))))
        content = _Content(file, backup.rows, progress)
        if database is not None:
            _into_file(settings, database, content, force)
        else:
            asyncio.run(_into_server(settings, postgres.address_of(settings), content, force))
        (position,) = file.execute("SELECT n FROM log_head").fetchone()
    return Restored(backup.orders, position, backup.made_at)


@contextmanager
def _current(backup: Backup) -> Iterator[sqlite3.Connection]:
    """The backup at the current schema: a copy of it, where it is older."""
    if backup.schema == revisions.newest():
        yield backup_file.open_read_only(backup.path)
        return
    with tempfile.TemporaryDirectory(prefix="ordercast-restore-") as folder:
        copy = Path(folder) / "backup.db"
        try:
            shutil.copyfile(backup.path, copy)
            engine = create_engine(URL.create("sqlite", database=str(copy)))
            with engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                schema.upgrade(connection, str(backup.path))
            engine.dispose()
        except (OSError, SQLAlchemyError) as error:
            raise StorageError(f"{backup.path} could not be brought to the current schema: {error}") from error
        yield backup_file.open_read_only(copy)


class _Content:
    """What is to be put into the database."""

    def __init__(self, file: sqlite3.Connection, total: int, progress: Progress) -> None:
        self._file = file
        self._total = total
        self._progress = progress
        self._done = 0

    def tables(self) -> Iterator[Table]:
        """Each table, but for revocations, with its columns and its rows, some at a time."""
        there = backup_file.columns(self._file)
        for name in _TABLES:
            if name != "revocations" and name in there:
                yield name, there[name], self._rows(name, there[name])

    def _rows(self, name: str, columns: list[str]) -> Iterator[list[tuple[Any, ...]]]:
        for rows in backup_file.rows_of(self._file, name, columns):
            if name == "meta":
                rows = [("log_id", secrets.token_urlsafe(9)) if row[0] == "log_id" else row for row in rows]
            yield rows
            self._done += len(rows)
            self._progress(self._done, self._total)

    def revocations(self, there: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        """Those of the backup and those that are there: a restore makes no token good again."""
        merged: dict[tuple[str, str], tuple[int, int]] = {}
        for kind, value, at, until in [*self._file.execute(_REVOKED), *there]:
            before = merged.get((kind, value), (at, until))
            merged[kind, value] = max(at, before[0]), max(until, before[1])
        return [(*key, *times) for key, times in merged.items()]


def _into_file(settings: Settings, path: Path, content: _Content, force: bool) -> None:
    if path.exists():
        with closing(connect(path, as_it_is=True)) as db:
            there = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if there and "alembic_version" not in there:
                raise StorageError(f"The database {path} holds something else: set ORDERCAST_DATABASE_URL to another.")
    with file_lock.held(path):
        migrate(settings)
        with closing(connect(path)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                if db.execute(_NOT_EMPTY).fetchone()[0] and not force:
                    raise _not_empty(str(path))
                revoked = content.revocations(db.execute(_REVOKED).fetchall())
                for table in reversed(_TABLES):
                    db.execute(f"DELETE FROM {table}")  # noqa: S608 - names of ours
                for table, columns, batches in content.tables():
                    for rows in batches:
                        db.executemany(backup_file.insert(table, columns), rows)
                db.executemany("INSERT INTO revocations (kind, value, at, expires_at) VALUES (?, ?, ?, ?)", revoked)
                db.execute("COMMIT")
            except sqlite3.Error as error:
                raise StorageError(f"Nothing was restored: the database {path} says {error}.") from None


async def _into_server(settings: Settings, address: Address, content: _Content, force: bool) -> None:
    connection = await postgres.connect(address)  # first, for errors in our own words
    try:
        await _refuse_nodes(connection, address)
    finally:
        await connection.close()
    await migrate_postgres(address)
    # Without our limits of time: it takes as long as it takes.
    connection = await asyncpg.connect(address.dsn, server_settings={"application_name": "ordercast restore"})
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
            await connection.execute(f"LOCK TABLE {', '.join(_TABLES)} IN ACCESS EXCLUSIVE MODE")
            await _refuse_nodes(connection, address)
            if await connection.fetchval(_NOT_EMPTY) and not force:
                raise _not_empty(address.name)
            revoked = content.revocations(await connection.fetch(_REVOKED))
            await connection.execute(f"TRUNCATE {', '.join(_TABLES)}")
            for table, columns, batches in content.tables():
                flags = [isinstance(metadata.tables[table].c[name].type, Boolean) for name in columns]
                for rows in batches:
                    records = [tuple(bool(v) if f else v for f, v in zip(flags, row, strict=True)) for row in rows]
                    await connection.copy_records_to_table(table, records=records, columns=columns)
            names = ["kind", "value", "at", "expires_at"]
            await connection.copy_records_to_table("revocations", records=revoked, columns=names)
    except asyncpg.LockNotAvailableError:
        raise StorageError(
            f"Nothing was restored: another program works in the database {address.name}. End it, and try again."
        ) from None
    except FAILURES as error:
        raise StorageError(f"Nothing was restored: the database {address.name} says {error}.") from None
    finally:
        await connection.close()


async def _refuse_nodes(connection: Any, address: Address) -> None:
    if not await connection.fetchval("SELECT to_regclass('nodes') IS NOT NULL"):
        return
    if names := [row[0] for row in await connection.fetch(_ALIVE)]:
        raise StorageError(
            f"Servers have the database {address.name} open ({', '.join(names)}): stop them, and try again. One that "
            "was killed is forgotten after some seconds."
        )


def _not_empty(name: str) -> StorageError:
    return StorageError(
        f"The database {name} holds orders already: back it up, then say --force to have the backup in their place, or "
        "set ORDERCAST_DATABASE_URL to another."
    )
