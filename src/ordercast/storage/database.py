"""Opens the database: brings it to the current schema, gives it its ids, and wires the parts."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.storage.housekeeping import LOOK_EVERY, TIDY_EVERY, regularly
from ordercast.storage.idempotency import Answers
from ordercast.storage.log import SqliteLog
from ordercast.storage.orders import SqliteOrders
from ordercast.storage.retention import Retention
from ordercast.storage.revocations import SqliteRevocations
from ordercast.storage.sqlite import Readers, connect
from ordercast.storage.watches import SqliteWatches
from ordercast.storage.writer import Writer

_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Storage:
    """An open database. ``secret_key`` signs share links and recovery ids, unless the settings bring one."""

    orders: SqliteOrders
    log: SqliteLog
    watches: SqliteWatches
    revocations: SqliteRevocations
    secret_key: str


def database_path(settings: Settings) -> Path:
    """The file that ``DATABASE_URL`` names. Raises `SettingsError`."""
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingsError("ORDERCAST_DATABASE_URL: is no URL; write sqlite:///path/to/file.db") from None
    if url.get_backend_name() != "sqlite":
        raise SettingsError(
            "ORDERCAST_DATABASE_URL: this version of Ordercast runs on SQLite; write sqlite:///path/to/file.db"
        )
    if not url.database or url.database == ":memory:":
        raise SettingsError("ORDERCAST_DATABASE_URL: orders need a file to survive in; write sqlite:///path/to/file.db")
    return Path(url.database)


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Brings the database to the current schema; returns the revisions before and after. Raises `StorageError`."""
    path = database_path(settings)
    connect(path).close()  # opens it first, for errors in our own words
    engine = create_engine(URL.create("sqlite", database=str(path)))  # in an URL's text, % and ? would mean more
    try:
        with engine.begin() as connection:
            # The driver begins none before a CREATE TABLE, and half a schema could never be completed.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            before = MigrationContext.configure(connection).get_current_revision()
            _refuse_newer(path, before)
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            after = MigrationContext.configure(connection).get_current_revision()
    except SQLAlchemyError as error:
        raise StorageError(f"The database {path} could not be brought to the current schema: {error}") from error
    finally:
        engine.dispose()
    return before, after or ""


def check(settings: Settings) -> str:
    """Reaches the database without changing it and says in a sentence how it is. Raises `StorageError`."""
    path = database_path(settings)
    if not path.exists():
        if not path.parent.is_dir():
            connect(path)
        return f"{path} does not exist yet; 'ordercast serve' will make it"
    db = connect(path, as_it_is=True)
    try:
        table = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        row = db.execute("SELECT version_num FROM alembic_version").fetchone() if table else None
        revision = row[0] if row else None
        _refuse_newer(path, revision)
        newest = ScriptDirectory.from_config(_alembic()).get_current_head()
        if revision != newest:
            return f"{path} is at schema {revision or 'none'}, 'ordercast migrate' brings it to {newest}"
        (orders, position) = db.execute("SELECT (SELECT count(*) FROM orders), n FROM log_head").fetchone()
        return f"{path} holds {orders} orders, log position {position}, schema {revision}"
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be read: {error}.") from None
    finally:
        db.close()


def _refuse_newer(path: Path, revision: str | None) -> None:
    known = [script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions()]
    if revision is not None and revision not in known:
        raise StorageError(
            f"The database {path} is at schema {revision}, which this version of Ordercast does not know: "
            "run the newer one that made it."
        )


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@asynccontextmanager
async def open_storage(
    settings: Settings, *, look_every: float = LOOK_EVERY, tidy_every: float = TIDY_EVERY
) -> AsyncIterator[Storage]:
    """The database, migrated and open; closed at the end. Raises `SettingsError`, `StorageError`."""
    path = database_path(settings)
    await asyncio.to_thread(migrate, settings)
    db = connect(path)
    log_id, secret_key = _identity(db)
    (floor,) = db.execute("SELECT floor FROM log_head").fetchone()
    async with AsyncExitStack() as stack:
        readers = Readers(path)
        stack.push_async_callback(readers.close)
        log = SqliteLog(readers, log_id, floor)
        writer = Writer(db, log.committed)
        stack.push_async_callback(writer.close)
        answers = Answers(settings.idempotency_ttl)
        storage = Storage(
            SqliteOrders(writer, readers, answers),
            log,
            SqliteWatches(writer, readers, settings.recovery_ttl),
            SqliteRevocations(writer, readers, settings.jwt_max_lifetime, answers),
            settings.secret_key or secret_key,
        )
        retention = Retention(writer, readers, log, settings.log_retention)
        await storage.revocations.look()  # before any token is
        chores = retention.remove_old, storage.watches.purge, storage.revocations.purge
        await stack.enter_async_context(regularly(look_every, storage.revocations.look, log.head))
        await stack.enter_async_context(regularly(tidy_every, *chores))
        yield storage


def _identity(db: sqlite3.Connection) -> tuple[str, str]:
    """The log's id and the secret key, made at the first start."""
    for key, value in (("log_id", secrets.token_urlsafe(9)), ("secret_key", secrets.token_urlsafe(48))):
        db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (key, value))
    found = dict(db.execute("SELECT key, value FROM meta"))
    return found["log_id"], found["secret_key"]
