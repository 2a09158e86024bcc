"""Opens the database: sees to its schema, gives it its ids, and wires the parts."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.orders.models import Logged
from ordercast.orders.workflow import load_workflow
from ordercast.storage import file_lock, postgres, revisions
from ordercast.storage.checkpoints import SqlCheckpoints
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.figures import SqlFigures
from ordercast.storage.hooks import SqlReceived
from ordercast.storage.housekeeping import LOOK_EVERY, TIDY_EVERY, regularly
from ordercast.storage.idempotency import Answers, SqlRequests
from ordercast.storage.log import SqlLog
from ordercast.storage.logins import SqlLogins
from ordercast.storage.nodes import SqlNodes
from ordercast.storage.order_retention import OrderRetention
from ordercast.storage.orders import SqlOrders
from ordercast.storage.personal import SqlPersonalData
from ordercast.storage.postgres_open import check_postgres, listening, migrate_postgres, open_postgres
from ordercast.storage.retention import Retention
from ordercast.storage.revocations import SqlRevocations
from ordercast.storage.sqlite import SqliteReaders, connect, open_sqlite
from ordercast.storage.sqlite_schema import migrate_sqlite, revision_of
from ordercast.storage.targets import SqlTargets
from ordercast.storage.watches import SqlWatches
from ordercast.storage.webhooks import SqlWebhooks

_IDENTITY = "SELECT key, value FROM meta WHERE key IN ('log_id', 'secret_key')"


@dataclass(frozen=True, slots=True)
class Storage:
    """An open database. ``secret_key`` signs share links and recovery ids, unless the settings bring one."""

    orders: SqlOrders
    log: SqlLog
    watches: SqlWatches
    revocations: SqlRevocations
    figures: SqlFigures
    targets: SqlTargets
    checkpoints: SqlCheckpoints
    personal: SqlPersonalData
    requests: SqlRequests
    webhooks: SqlWebhooks
    hooks: SqlReceived
    closed: OrderRetention
    writer: Writer
    readers: Readers
    secret_key: str
    retention: Retention
    nodes: SqlNodes | None
    logins: SqlLogins | None
    """Both ``None`` where the database is a file, which has one node."""
    told: list[Callable[[], None]] = field(default_factory=list)
    """Called on the event loop after each commit of this process, unlike `EventLog.subscribe`, which tells of every
    process's: for who passes the news on to the others."""


def database_path(settings: Settings) -> Path:
    """The file that ``DATABASE_URL`` names. Raises `SettingsError`."""
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingsError("ORDERCAST_DATABASE_URL: is no URL; write sqlite:///path/to/file.db") from None
    if not url.database or url.database == ":memory:":
        raise SettingsError("ORDERCAST_DATABASE_URL: orders need a file to survive in; write sqlite:///path/to/file.db")
    return Path(url.database)


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Brings the database to the current schema; returns the revisions before and after. Raises `StorageError`.

    Where several do it at once, one does, and the others wait for it.
    """
    if postgres.is_postgres(settings):
        return asyncio.run(migrate_postgres(postgres.address_of(settings)))
    return migrate_sqlite(database_path(settings))


def check(settings: Settings) -> str:
    """Reaches the database without changing it and says in a sentence how it is. Raises `StorageError`."""
    if postgres.is_postgres(settings):
        return asyncio.run(check_postgres(postgres.address_of(settings)))
    path = database_path(settings)
    if not path.exists():
        if not path.parent.is_dir():
            connect(path)
        return f"{path} does not exist yet; 'ordercast serve' will make it"
    db = connect(path, as_it_is=True)
    try:
        revision = revision_of(db)
        revisions.refuse_newer(str(path), revision)
        if revision != revisions.newest():
            return f"{path} is at schema {revision or 'none'}, 'ordercast migrate' brings it to {revisions.newest()}"
        (orders, position) = db.execute("SELECT (SELECT count(*) FROM orders), n FROM log_head").fetchone()
        return f"{path} holds {orders} orders, log position {position}, schema {revision}"
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be read: {error}.") from None
    finally:
        db.close()


@asynccontextmanager
async def open_storage(
    settings: Settings,
    *,
    serves: bool = False,
    bulk: bool = False,
    elsewhere: bool = False,
    look_every: float = LOOK_EVERY,
    tidy_every: float = TIDY_EVERY,
) -> AsyncIterator[Storage]:
    """The open database, closed at the end. Raises `SettingsError`, `StorageError`.

    ``serves``: to clients, which one process at most may do from a file. A file is migrated here; a server must have
    been, since its other nodes may run another version (`migrate`). ``bulk``: to write very much, and nothing else.
    ``elsewhere``: it is for the orders of a shop's own tables (`elsewhere.py`); one that is is refused to whoever says
    nothing of it.
    """
    async with AsyncExitStack() as stack:
        writer: Writer
        readers: Readers
        if postgres.is_postgres(settings):
            address = postgres.address_of(settings)
            writer, readers = await stack.enter_async_context(open_postgres(address))
        else:
            if serves:
                stack.enter_context(file_lock.held(database_path(settings)))
            await asyncio.to_thread(migrate, settings)
            writer, readers = await stack.enter_async_context(open_sqlite(database_path(settings), bulk=bulk))
        log_id, secret_key = await _identity(writer, readers)
        if not elsewhere and await readers.fetch("SELECT 1 FROM meta WHERE key = 'elsewhere'"):
            raise StorageError(
                "ORDERCAST_DATABASE_URL names the database of an application whose orders are in tables of its own: do "
                "this in that application, which has Ordercast(settings, storage=…)."
            )
        ((head, floor),) = await readers.fetch("SELECT n, floor FROM log_head")
        log = SqlLog(readers, log_id, head, floor)
        answers = Answers(settings.idempotency_ttl)
        shared = postgres.is_postgres(settings)
        empty_log = readers.empty_log if isinstance(readers, SqliteReaders) else None
        nodes = SqlNodes(writer, readers) if shared else None
        logins = SqlLogins(writer, readers) if shared else None
        storage = Storage(
            SqlOrders(writer, readers, answers),
            log,
            SqlWatches(writer, readers, settings.recovery_ttl),
            SqlRevocations(writer, readers, max(settings.jwt_max_lifetime, settings.share_lifetime), answers),
            SqlFigures(readers),
            SqlTargets(writer, readers),
            SqlCheckpoints(writer, readers),
            SqlPersonalData(writer, empty_log),
            SqlRequests(writer, answers),
            SqlWebhooks(writer, readers, shared=shared),
            SqlReceived(writer, readers, settings.idempotency_ttl),
            OrderRetention(
                writer, readers, _closed(settings), settings.order_retention, settings.log_retention, empty_log
            ),
            writer,
            readers,
            settings.secret_key or secret_key,
            Retention(writer, readers, log, settings.log_retention),
            nodes,
            logins,
        )

        def committed(written: Sequence[Logged]) -> None:
            log.committed(written)
            for tell in storage.told:
                tell()

        writer.committed = committed
        if postgres.is_postgres(settings):
            await stack.enter_async_context(listening(address, look_every, writer, log.catch_up))
        await storage.revocations.look()  # before any token is
        chores = [
            storage.retention.remove_old,
            storage.closed.remove_old,
            storage.watches.purge,
            storage.revocations.purge,
            storage.hooks.purge,
        ]
        chores += [one.purge for one in (nodes, logins) if one is not None]
        await stack.enter_async_context(regularly(look_every, storage.revocations.look, log.head))
        await stack.enter_async_context(regularly(tidy_every, *chores))
        yield storage


def _closed(settings: Settings) -> frozenset[str]:
    """The statuses of orders that may go. Raises `SettingsError`."""
    if not settings.order_retention:
        return frozenset()
    return load_workflow(settings.workflow, settings.status_map).closed


async def _identity(writer: Writer, readers: Readers) -> tuple[str, str]:
    """The log's id and the secret key, made at the first start by whichever process comes first."""
    found = dict(map(tuple, await readers.fetch(_IDENTITY)))
    if len(found) < 2:
        made = (("log_id", secrets.token_urlsafe(9)), ("secret_key", secrets.token_urlsafe(48)))
        keep = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
        await writer.run(*(Statement(keep, row) for row in made))
        found = dict(map(tuple, await readers.fetch(_IDENTITY)))
    return found["log_id"], found["secret_key"]
