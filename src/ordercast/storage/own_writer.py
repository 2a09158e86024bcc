"""Writes to a shop's own database: an order's row, its event and what was answered, in one transaction.

A transaction each, since it is the shop's business how its tables are written; what it has of its own beside them
(triggers, other programs) waits no longer for Ordercast than for any other code of the shop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Executable, Select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ordercast.errors import Invalid, OrdercastError, StorageError, StorageInDoubt
from ordercast.orders.models import Logged, Order
from ordercast.storage.driver import Committed, Row, Statement, Work
from ordercast.storage.own_rows import OwnRows
from ordercast.storage.own_schema import in_theirs
from ordercast.storage.own_transaction import TAKE_TURN, OwnTransaction, Refused

T = TypeVar("T")

_log = structlog.get_logger("ordercast.storage")

TRIES = 20
"""How often a change is tried where others get in its way. Each time one of them has gone on."""

_AT_ONCE = 500
"""Orders that are adopted in one transaction, for which others wait."""

# SQLSTATE: somebody has just made this row; PostgreSQL ended this transaction in favour of another.
_FASTER = ("23505", "40001", "40P01")


class OwnWriter:
    """A `Writer` of transactions of its own."""

    def __init__(self, engine: AsyncEngine, rows: OwnRows, next_id: Executable | None) -> None:
        self.committed: Committed = _nobody
        self._engine = engine
        self._rows = rows
        self._next_id = next_id
        self._turns = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    async def submit(self, work: Work[T]) -> T:
        """See `Writer`."""
        for tried in range(1, TRIES + 1):
            try:
                async with self._transaction() as connection:
                    written, logged = await apply(connection, work.do, self._rows, self._next_id)
            except Refused as refused:
                raise refused.error from None
            except SQLAlchemyError as error:
                if tried < TRIES and _in_the_way(error):
                    continue
                raise refusal(error) from error
            except OSError as error:
                raise StorageError(f"The shop's database does not answer ({error}).") from error
            if logged:
                self.committed(logged)
            return written
        raise AssertionError("unreachable")

    async def run(self, *statements: Statement, alone: bool = False) -> list[Sequence[Row]]:
        """See `Writer`."""
        try:
            async with self._transaction() as connection:
                if alone:
                    await connection.execute(TAKE_TURN)
                return [await _execute(connection, one) for one in statements]
        except SQLAlchemyError as error:
            raise refusal(error) from error

    async def adopt(self) -> None:
        """Gives orders that the shop has made without us what is kept beside them, so that a text finds them."""
        after, found = None, True
        while found:
            # At first without the turn, for which others wait: as a rule there is nothing to do.
            if not await OwnReaders(self._engine).rows(self._rows.without_rest(1, after)):
                return
            try:
                async with self._transaction() as connection:
                    rows = (await connection.execute(self._rows.without_rest(_AT_ONCE, after))).all()
                    for one in self._readable(rows):
                        await connection.execute(self._rows.beside(one))
                after, found = (rows[-1][0] if rows else after), bool(rows)
            except SQLAlchemyError as error:
                if not _in_the_way(error):
                    raise refusal(error) from error  # else another process does it too

    def _readable(self, rows: Sequence[Any]) -> Iterator[Order]:
        for row in rows:
            try:
                yield self._rows.order(row)
            except (StorageError, ValueError, TypeError, LookupError) as error:
                _log.warning("a row of the shop's own table is not taken for an order", order=row[0], error=str(error))

    async def forget(self) -> None:
        """Removes what is kept beside orders that the shop has removed, once their events have gone."""
        found: Sequence[Any] = ()
        while len(found) in (0, _AT_ONCE):
            found = await OwnReaders(self._engine).rows(self._rows.orphans(_AT_ONCE))
            if not found:
                return
            async with self._transaction() as connection:
                for statement in self._rows.forget_all([row[0] for row in found]):
                    await connection.execute(statement)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            if self._turns is not None:
                await stack.enter_async_context(self._turns)
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except OSError as error:
                raise StorageError(f"The shop's database cannot be reached ({error}).") from error
            await take_turn(connection)
            yield connection
            try:
                await connection.commit()
            except OSError as error:  # a time limit of the shop's, say
                raise StorageInDoubt("The database did not say how the commit ended.") from error
            except DBAPIError as error:
                if error.connection_invalidated:
                    raise StorageInDoubt("The connection to the database was lost within the commit.") from error
                raise


class JoinedWriter:
    """A `Writer` within a transaction of the shop's own, which the shop commits."""

    def __init__(self, connection: AsyncConnection, rows: OwnRows, next_id: Executable | None) -> None:
        self.committed: Committed = _nobody  # whoever commits tells
        self._connection = connection
        self._rows = rows
        self._next_id = next_id

    async def submit(self, work: Work[T]) -> T:
        """See `Writer`; on disk with the shop's commit. What is refused leaves the shop's transaction as it was."""
        return await self.do(work.do)

    async def do(self, do: Callable[[OwnTransaction], T]) -> T:
        """As `submit`, of what knows whose transaction it is in."""
        try:
            await take_turn(self._connection)  # first, since SQLite would take a savepoint for the transaction itself
            try:
                return await self._tried(do)
            except IntegrityError as error:
                if not _in_the_way(error):
                    raise
                return await self._tried(do)  # which sees who was faster
        except Refused as refused:
            raise refused.error from None
        except SQLAlchemyError as error:
            raise refusal(error) from error

    async def _tried(self, do: Callable[[OwnTransaction], T]) -> T:
        async with self._connection.begin_nested():
            written, _ = await apply(self._connection, do, self._rows, self._next_id)
        return written

    async def run(self, *statements: Statement, alone: bool = False) -> list[Sequence[Row]]:
        """See `Writer`."""
        try:
            return [await _execute(self._connection, one) for one in statements]
        except SQLAlchemyError as error:
            raise refusal(error) from error


async def apply(
    connection: AsyncConnection, do: Callable[[OwnTransaction], T], rows: OwnRows, next_id: Executable | None
) -> tuple[T, list[Logged]]:
    """Does the work, which is plain code, on the connection."""

    def done(db: Connection) -> tuple[T, list[Logged]]:
        transaction = OwnTransaction(db, rows, next_id)
        try:
            return do(transaction), transaction.events
        except (SQLAlchemyError, Refused):
            raise
        except Exception as error:
            raise Refused(error) from error

    return await connection.run_sync(done)


async def take_turn(connection: AsyncConnection) -> None:
    """Begins a transaction that writes. SQLite would let it read first, and refuse it later."""
    if connection.dialect.name == "sqlite":
        await connection.execute(TAKE_TURN)


async def _execute(connection: AsyncConnection, statement: Statement) -> Sequence[Row]:
    sql = text(in_theirs(statement.sql))
    if statement.many:
        await connection.execute(sql, [named(one) for one in statement.many])
        return ()
    result = await connection.execute(sql, named(statement.parameters))
    return [tuple(row) for row in result] if result.returns_rows else ()


def named(parameters: Sequence[Any]) -> dict[str, Any]:
    """Parameters as `in_theirs` names them."""
    return {f"p{n}": value for n, value in enumerate(parameters)}


class OwnReaders:
    """`Readers`, on connections of the shop's engine; or on one connection, within its transaction."""

    def __init__(self, where: AsyncEngine | AsyncConnection) -> None:
        self._where = where

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[Row]:
        """See `Readers`."""
        return await self.rows(text(in_theirs(sql)), named(parameters))

    async def rows(self, query: Select[Any] | Any, parameters: dict[str, Any] | None = None) -> Sequence[Any]:
        """All rows of a query. Raises `StorageError`."""
        try:
            if isinstance(self._where, AsyncConnection):
                return (await self._where.execute(query, parameters)).all()
            async with self._where.connect() as connection:
                return (await connection.execute(query, parameters)).all()
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(f"The shop's database could not be read ({error}).") from error


def _nobody(logged: Sequence[Logged]) -> None:
    """Nobody follows."""


def _in_the_way(error: SQLAlchemyError) -> bool:
    """Whether another transaction was faster, so that this one may go well now."""
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) in _FASTER or "UNIQUE constraint" in str(error.orig)


def refusal(error: SQLAlchemyError) -> OrdercastError:
    """What it means to who asked."""
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    if isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", "")).startswith("22"):
        _log.warning("the shop's own table cannot keep a value", error=text)
        return Invalid("The shop's own table does not take this: a value does not fit into its column.")
    if isinstance(error, IntegrityError):
        _log.warning("the shop's own table refuses a change", error=text)
        return Invalid("The shop's own table does not take this: one of its constraints forbids it.")
    if "locked" in text:
        advice = "another program holds the database file; end its transaction, and try again"
    else:
        advice = "see the log, and the database's own"
    return StorageError(f"The change could not be stored ({text}): {advice}.")
