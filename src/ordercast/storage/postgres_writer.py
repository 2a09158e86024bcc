"""One node's writer of a PostgreSQL database: takes all changes that wait and commits them together (group commit).

The other nodes' writers go on meanwhile. No two of them deadlock: all take their locks in the same order, first of
orders, then of numbers, new orders and keys, each by ascending id, and the head of the log last (`postgres_batch.py`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import asyncpg
import structlog

from ordercast.errors import StorageError, StorageInDoubt
from ordercast.orders.models import Logged, now
from ordercast.storage.driver import MAX_BATCH, Committed, Outcome, Row, Statement, Work
from ordercast.storage.postgres import (
    FAILURES,
    Address,
    Connection,
    Pool,
    connect,
    is_lost,
    is_unusable,
    numbered,
    refusal,
)
from ordercast.storage.postgres_batch import Batch
from ordercast.storage.rows import to_ms

TRIES = 5
"""How often a batch is tried that another node's commit came in the way of. Each time, somebody else went ahead."""

SETTLE = 10.0
"""s in which a server that went away within a commit may come back and say how that ended; callers wait for it."""

MARK = "writer:"
"""What the keys of writers' rows in `meta` begin with."""

_MAKE_MARK = "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING"
_ASK_MARK = "SELECT value FROM meta WHERE key = $1 FOR UPDATE"  # waits for the commit, where it is still under way
_DROP_MARK = "DELETE FROM meta WHERE key = $1"

_SETTLE_AGAIN = 0.1  # s between two questions how it ended

ALONE_LOCK = 0x6F72_6465_7202
"""Of `PostgresWriter.run` with ``alone``; any other number would do."""

# Another node was there first: what it did is seen the next time. Deadlocks cannot happen among us, but somebody's
# own SQL may hold locks too.
_AGAIN = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)

_CLOSED = "The database is closed: the server is shutting down."

_log = structlog.get_logger("ordercast.storage")

T = TypeVar("T")


@dataclass(slots=True)
class _Command:
    work: Work[Any]
    future: asyncio.Future[Any]


class PostgresWriter:
    """Commits changes over a connection of its own, which it opens anew where it breaks; statements over the pool's."""

    def __init__(self, address: Address, pool: Pool) -> None:
        self.committed: Committed = lambda written: None
        self._address = address
        self._pool = pool
        self._connection: Connection | None = None
        self._queue: asyncio.Queue[_Command | None] = asyncio.Queue()
        # Our row in `meta`, which each batch gives a new value. A transaction's id would not do: a crash forgets the
        # newest, and gives them out again.
        self._mark = MARK + secrets.token_urlsafe(12)
        self._marked = 0
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="ordercast writer")

    @property
    def pid(self) -> int | None:
        """The server's process that our commits, and so their notifications, come from."""
        return None if self._connection is None or self._connection.is_closed() else self._connection.get_server_pid()

    async def submit(self, work: Work[T]) -> T:
        """See `Writer`."""
        if self._closed:
            raise StorageError(_CLOSED)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Command(work, future))
        return await future

    async def run(self, *statements: Statement, alone: bool = False) -> list[Sequence[Row]]:
        """See `Writer`."""
        if self._closed:
            raise StorageError(_CLOSED)
        for tried in count(1):
            try:
                async with self._pool.acquire() as connection, connection.transaction():
                    if alone:
                        await connection.execute("SELECT pg_advisory_xact_lock($1)", ALONE_LOCK)
                    return [await _execute(connection, one) for one in statements]
            except FAILURES as error:
                again = isinstance(error, _AGAIN) and tried < TRIES
                # The pool gave a connection that had broken unnoticed.
                if not again and not (tried == 1 and is_lost(error) and not isinstance(error, TimeoutError)):
                    raise refusal(error) from error
        raise AssertionError  # the loop ends by itself only

    async def close(self) -> None:
        """Finishes what waits, then stops."""
        if not self._closed:
            self._closed = True
            self._queue.put_nowait(None)
            await self._task
            if self._connection is not None:
                with suppress(*FAILURES):
                    await self._connection.execute(_DROP_MARK, self._mark)
            await self._drop()

    async def _run(self) -> None:
        running = True
        while running:
            batch: list[_Command] = []
            command = await self._queue.get()
            while command is not None:
                batch.append(command)
                if len(batch) == MAX_BATCH or self._queue.empty():
                    break
                command = self._queue.get_nowait()
            running = command is not None
            if batch:
                await self._transact(batch)

    async def _transact(self, batch: list[_Command]) -> None:
        """Commits a batch and tells its callers. Where it fails for what is in it, the halves are tried each on its
        own, down to the one change that is to blame, so that it spoils no other."""
        for tried in count(1):
            try:
                outcomes, events = await self._attempt(batch)
            except Exception as error:  # whatever it is, the writer lives on, and nobody waits for ever
                if isinstance(error, _AGAIN) and tried < TRIES:
                    continue
                if len(batch) > 1 and not is_unusable(error):
                    half = len(batch) // 2
                    await self._transact(batch[:half])
                    await self._transact(batch[half:])
                    return
                _log.error("a commit failed; its changes were refused", error=str(error), changes=len(batch))
                outcomes, events = [Outcome(command.future, error=refusal(error)) for command in batch], []
            break
        if events:
            self.committed(events)
        for outcome in outcomes:
            outcome.deliver()

    async def _attempt(self, commands: list[_Command]) -> tuple[list[Outcome], list[Logged]]:
        connection = await self._begin()
        batch = Batch()
        try:
            await batch.read(connection, [command.work for command in commands])
            outcomes = [_apply(batch, command) for command in commands]
            self._marked += 1
            mark = f"{to_ms(now())} {self._marked}"
            written = await batch.write(connection, (self._mark, mark))
            if not written:
                await connection.execute("ROLLBACK")
        except BaseException:
            await self._abandon(connection)
            raise
        if written:
            await self._commit(connection, mark)
            for outcome in outcomes:
                outcome.result = batch.placed(outcome.result)
        return outcomes, batch.events

    async def _begin(self) -> Connection:
        """A connection with a transaction begun."""
        if self._connection is not None:
            try:
                await self._connection.execute("BEGIN")
            except FAILURES:  # it broke while nobody used it, and nothing has been asked yet
                await self._drop()
        if self._connection is None:
            self._connection = await connect(self._address)
            # There before any commit is in doubt, so that `_was_committed` waits for it where it is still under way.
            await self._connection.execute(_MAKE_MARK, self._mark, f"{to_ms(now())} 0")
            await self._connection.execute("BEGIN")
        return self._connection

    async def _commit(self, connection: Connection, mark: str) -> None:
        """Commits. Where the server went away meanwhile, only it can say whether that was before or after."""
        try:
            ended = await connection.execute("COMMIT")
        except FAILURES as error:
            await self._drop()
            if is_lost(error) and await self._was_committed(mark):
                return
            raise
        if ended != "COMMIT":
            raise StorageError(f"The change could not be stored: the database answered {ended}.")

    async def _was_committed(self, mark: str) -> bool:
        """How a commit ended whose answer never came. Raises `StorageInDoubt`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE):
                while True:
                    with suppress(StorageError, *FAILURES):
                        self._connection = self._connection or await connect(self._address)
                        return bool(await self._connection.fetchval(_ASK_MARK, self._mark) == mark)
                    if self._connection is not None and self._connection.is_closed():
                        await self._drop()
                    await asyncio.sleep(_SETTLE_AGAIN)
        raise StorageInDoubt(
            "The database went away while a change was committed, and has not come back to say how that ended."
        )

    async def _abandon(self, connection: Connection) -> None:
        try:
            await connection.execute("ROLLBACK", timeout=1)
        except BaseException:
            await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


async def _execute(connection: Connection, statement: Statement) -> Sequence[Row]:
    if statement.many:
        await connection.executemany(numbered(statement.sql), statement.many)
        return ()
    rows: Sequence[Row] = await connection.fetch(numbered(statement.sql), *statement.parameters)
    return rows


def _apply(batch: Batch, command: _Command) -> Outcome:
    try:
        return Outcome(command.future, batch.apply(command.work))
    except Exception as error:
        return Outcome(command.future, error=error)
