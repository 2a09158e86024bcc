"""A PostgreSQL database as a whole: opens it, migrates it, says how it is, listens to what other nodes commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import structlog

from ordercast.errors import StorageError
from ordercast.orders.models import now
from ordercast.storage import revisions
from ordercast.storage.driver import Writer
from ordercast.storage.postgres import FAILURES, Address, Connection, PostgresReaders, connect, create_pool
from ordercast.storage.postgres_batch import CHANNEL
from ordercast.storage.postgres_writer import MARK, PostgresWriter
from ordercast.storage.rows import to_ms

OLDEST = 13
"""The oldest server that we would mend anything for; its own makers mend none older."""

_KEEP_MARKS = 30 * 86_400_000  # ms that a writer's row is kept after its last commit, where it was killed
_FORGET_MARKS = (
    f"DELETE FROM meta WHERE key LIKE '{MARK}%' AND CASE WHEN key LIKE '{MARK}%' "  # noqa: S608 - our own name
    "THEN split_part(value, ' ', 1)::bigint < $1 END"
)
_LISTEN_AGAIN = 0.5  # s after a connection that listens broke

_log = structlog.get_logger("ordercast.storage")


async def migrate_postgres(address: Address) -> tuple[str | None, str]:
    """See `database.migrate`. All nodes may do it at once: one does, and the others find it done."""
    connection = await connect(address)  # first, for errors in our own words
    try:
        await _suitable(address, connection)
        revision = await _revision(connection)
    except FAILURES as error:
        raise StorageError(f"The database {address.name} cannot be read: {error}.") from None
    finally:
        await connection.close()
    if revision == revisions.newest():
        return revision, revision
    from ordercast.storage.postgres_schema import upgrade_postgres  # Alembic, which few starts need

    return await upgrade_postgres(address)


async def check_postgres(address: Address) -> str:
    """See `check`. A schema that `serve` would refuse is a `StorageError`."""
    connection = await connect(address)
    try:
        await _current(address, connection)
        counted = "SELECT (SELECT count(*) FROM orders), n FROM log_head"
        ((orders, position),) = await connection.fetch(counted)
    except FAILURES as error:
        raise StorageError(f"The database {address.name} cannot be read: {error}.") from None
    finally:
        await connection.close()
    return f"{address.name} holds {orders} orders, log position {position}, schema {revisions.newest()}"


@asynccontextmanager
async def open_postgres(address: Address) -> AsyncIterator[tuple[PostgresWriter, PostgresReaders]]:
    """A node's writer, and readers beside it. Raises `StorageError`, also where the schema is not the current one."""
    connection = await connect(address)
    try:
        await _current(address, connection)
    except FAILURES as error:
        raise StorageError(f"The database {address.name} cannot be read: {error}.") from None
    finally:
        await connection.close()
    async with AsyncExitStack() as stack:
        pool = await create_pool(address)
        stack.callback(pool.terminate)  # what is still under way has been waited for
        try:
            await pool.execute(_FORGET_MARKS, to_ms(now()) - _KEEP_MARKS)
        except FAILURES as error:
            raise StorageError(f"The database {address.name} cannot be written: {error}.") from None
        writer = PostgresWriter(address, pool)
        stack.push_async_callback(writer.close)
        yield writer, PostgresReaders(pool)


async def _suitable(address: Address, connection: Connection) -> None:
    version = connection.get_server_version().major
    if version < OLDEST:
        raise StorageError(f"The database {address.name} is PostgreSQL {version}: Ordercast needs {OLDEST} or newer.")
    if (encoding := await connection.fetchval("SHOW server_encoding")) != "UTF8":
        name = address.name.rpartition("/")[2]
        raise StorageError(
            f"The database {address.name} keeps text as {encoding}: make one for Ordercast with "
            f"'createdb --encoding UTF8 --template template0 {name}'."
        )


async def _current(address: Address, connection: Connection) -> None:
    """Raises `StorageError` where the database is not as this version of Ordercast needs it."""
    await _suitable(address, connection)
    revision = await _revision(connection)
    revisions.refuse_newer(address.name, revision)
    if revision != revisions.newest():
        raise StorageError(
            f"The database {address.name} is at schema {revision or 'none'}, and this version of Ordercast needs "
            f"{revisions.newest()}: run 'ordercast migrate'."
        )


async def _revision(connection: Connection) -> str | None:
    there = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    return await connection.fetchval("SELECT version_num FROM alembic_version") if there else None


@asynccontextmanager
async def listening(
    address: Address, look_every: float, writer: Writer, catch_up: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """Calls ``catch_up`` when another process has committed: at once as a rule, and at least every so many seconds."""
    task = asyncio.create_task(_keep_listening(address, look_every, writer, catch_up), name="ordercast listener")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _keep_listening(
    address: Address, look_every: float, writer: Writer, catch_up: Callable[[], Awaitable[None]]
) -> None:
    told = False
    while True:
        try:
            connection = await connect(address)
            try:
                await _listen(connection, look_every, writer, catch_up)
            finally:
                connection.terminate()
            told = False
        except Exception as error:  # whatever it is, the next time may go well
            if not told:
                _log.warning("other nodes' commits are not heard of; trying again", error=str(error))
                told = True
            with suppress(StorageError):
                await catch_up()  # what cannot be heard can perhaps be read
        await asyncio.sleep(_LISTEN_AGAIN)


async def _listen(
    connection: Connection, look_every: float, writer: Writer, catch_up: Callable[[], Awaitable[None]]
) -> None:
    """Until the connection is gone."""
    news = asyncio.Event()

    def notified(connection: object, pid: int, channel: str, payload: object) -> None:
        if not isinstance(writer, PostgresWriter) or pid != writer.pid:  # of our own commits we know
            news.set()

    await connection.add_listener(CHANNEL, notified)
    connection.add_termination_listener(lambda _: news.set())
    news.set()  # for what was committed before we listened
    while not connection.is_closed():
        with suppress(TimeoutError):
            async with asyncio.timeout(look_every):
                await news.wait()
        if not news.is_set():
            await connection.execute("SELECT 1")  # or a connection that died in silence would never be missed
        news.clear()
        await catch_up()
