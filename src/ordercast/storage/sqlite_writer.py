"""The one writer of a SQLite file: takes all changes that wait and commits them together (group commit).

A transaction per request costs an fsync each; here an fsync carries whatever came during the one before (DESIGN,
"Storage", has the measurements). A change that is refused has written nothing yet, as a rule, and spoils nobody; where
one fails with something written, the batch is done again with a savepoint around each, so that it undoes itself alone.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from ordercast.errors import StorageError
from ordercast.orders.models import Change, IdempotencyKey, Logged, Order, OrderEvent, event_of
from ordercast.orders.search import searchable
from ordercast.storage.driver import MAX_BATCH, Answer, Committed, Outcome, Row, Statement, Work
from ordercast.storage.rows import (
    EVENT_COLUMNS,
    SEARCHED,
    SELECT_ORDER,
    STORED_COLUMNS,
    event_row,
    order_from,
    order_row,
    to_column,
)

T = TypeVar("T")

_log = structlog.get_logger("ordercast.storage")

_INSERT_EVENT = f"INSERT INTO order_events ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' * len(EVENT_COLUMNS))})"  # noqa: S608 - our own column names, here and below
_INSERT_ORDER = f"INSERT INTO orders ({', '.join(STORED_COLUMNS)}) VALUES ({', '.join('?' * len(STORED_COLUMNS))})"  # noqa: S608
_NEXT_NUMBER = (
    "UPDATE log_head SET last_order_number = (WITH RECURSIVE taken (n) AS (SELECT last_order_number + 1 UNION ALL "
    "SELECT n + 1 FROM taken WHERE EXISTS (SELECT 1 FROM orders WHERE order_id = CAST(n AS TEXT))) "
    "SELECT max(n) FROM taken) RETURNING last_order_number"
)
_SELECT_ANSWER = "SELECT fingerprint, order_id, body, created_at FROM idempotency_keys WHERE scope = ? AND key = ?"
_KEEP_ANSWER = (
    "INSERT OR REPLACE INTO idempotency_keys (scope, key, fingerprint, order_id, body, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


@dataclass(slots=True)
class SqliteTransaction:
    """What a change works with: the connection, and the log's newest position. Each call is SQL at once."""

    db: sqlite3.Connection
    position: int
    events: list[Logged] = field(default_factory=list)

    def order(self, order_id: str) -> Order | None:
        row = self.db.execute(SELECT_ORDER, (order_id,)).fetchone()
        return None if row is None else order_from(row)

    def next_number(self) -> str:
        ((number,),) = self.db.execute(_NEXT_NUMBER).fetchall()
        return str(number)

    def insert(self, order: Order, change: Change) -> OrderEvent:
        (event,) = self.insert_all([(order, change)])
        return event

    def insert_all(self, new: Sequence[tuple[Order, Change]]) -> Sequence[OrderEvent]:
        self.db.executemany(_INSERT_ORDER, [order_row(order) for order, _ in new])
        return self._append([(order, change, None) for order, change in new])

    def update(self, before: Order, order: Order, change: Change) -> OrderEvent:
        names = {*change.values, "status_since", "version", "updated_at"}
        values = {name: to_column(name, getattr(order, name)) for name in sorted(names)}
        if not SEARCHED.isdisjoint(values):
            values["search"] = searchable(order)
        sets = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(
            f"UPDATE orders SET {sets} WHERE order_id = ? AND version = ?",  # noqa: S608 - names of `Order`'s own
            (*values.values(), order.order_id, before.version),
        )
        (event,) = self._append([(order, change, before.status)])
        return event

    def answer(self, key: IdempotencyKey) -> Answer | None:
        row = self.db.execute(_SELECT_ANSWER, (key.scope, key.key)).fetchone()
        return None if row is None else Answer(*row)

    def keep(self, key: IdempotencyKey, answer: Answer) -> None:
        row = (key.scope, key.key, answer.fingerprint, answer.order_id, answer.body, answer.at)
        self.db.execute(_KEEP_ANSWER, row)

    def _append(self, done: Sequence[tuple[Order, Change, str | None]]) -> Sequence[OrderEvent]:
        events = [event_of(*one, position) for position, one in enumerate(done, self.position + 1)]
        self.db.executemany(_INSERT_EVENT, [event_row(event) for event in events])
        self.position += len(events)
        self.events += [(event, order) for event, (order, _, _) in zip(events, done, strict=True)]
        return events


@dataclass(slots=True)
class _Command:
    do: Callable[[SqliteTransaction], Any]
    future: asyncio.Future[Any]


class _HalfDone(Exception):
    """A change failed with something of it written."""


class SqliteWriter:
    """Runs changes on a thread of its own."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.committed: Committed = lambda written: None
        self._db = db
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ordercast writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Work[T]) -> T:
        """See `Writer`."""
        return await self._submit(work.do)

    async def run(self, *statements: Statement, alone: bool = False) -> list[Sequence[Row]]:
        """See `Writer`. All are alone here: SQLite has one writer at a time, of all processes."""

        def do(transaction: SqliteTransaction) -> list[Sequence[Row]]:
            return [_execute(transaction.db, one) for one in statements]

        return await self._submit(do)

    async def _submit(self, do: Callable[[SqliteTransaction], T]) -> T:
        if self._closed:
            raise StorageError("The database is closed: the server is shutting down.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Command(do, future))
        return await future

    async def close(self) -> None:
        """Finishes what waits, then stops."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._db.close()

    def _run(self) -> None:
        running = True
        while running:
            batch: list[_Command] = []
            command = self._queue.get()
            while True:
                if command is None:
                    running = False
                    break
                batch.append(command)
                if len(batch) == MAX_BATCH:
                    break
                try:
                    command = self._queue.get_nowait()
                except queue.Empty:
                    break
            if batch:
                outcomes, events = self._transact(batch)
                with suppress(RuntimeError):  # the loop has closed; nobody is left to tell
                    self._loop.call_soon_threadsafe(self._deliver, outcomes, events)

    def _transact(self, batch: list[_Command]) -> tuple[list[Outcome], list[Logged]]:
        db = self._db
        try:
            try:
                outcomes, events = self._apply_all(batch, careful=False)
            except _HalfDone:
                db.execute("ROLLBACK")
                outcomes, events = self._apply_all(batch, careful=True)
            db.execute("COMMIT")
        except Exception as error:  # whatever it is, the thread lives on, and nobody waits for ever
            _log.error("a commit failed; its changes were refused", error=str(error), changes=len(batch))
            if db.in_transaction:
                with suppress(sqlite3.Error):
                    db.execute("ROLLBACK")
            return [Outcome(c.future, error=_storage_error(error)) for c in batch], []
        return outcomes, events

    def _apply_all(self, batch: list[_Command], *, careful: bool) -> tuple[list[Outcome], list[Logged]]:
        """Begins a transaction with all these changes in it. Raises `_HalfDone` where it was not careful enough."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        (head,) = db.execute("SELECT n FROM log_head").fetchone()
        transaction = SqliteTransaction(db, head)
        apply = self._apply_in_savepoint if careful else self._apply
        outcomes = [apply(transaction, command) for command in batch]
        if transaction.position != head:
            db.execute("UPDATE log_head SET n = ?", (transaction.position,))
        return outcomes, transaction.events

    def _apply(self, transaction: SqliteTransaction, command: _Command) -> Outcome:
        db = self._db
        before = db.total_changes
        try:
            return Outcome(command.future, command.do(transaction))
        except Exception as error:
            if not db.in_transaction:
                raise  # SQLite has rolled the whole transaction back by itself (disk full): all of it is refused
            if db.total_changes != before:
                raise _HalfDone from error
            return Outcome(command.future, error=_refusal(error))

    def _apply_in_savepoint(self, transaction: SqliteTransaction, command: _Command) -> Outcome:
        db = self._db
        position, events = transaction.position, len(transaction.events)
        db.execute("SAVEPOINT change")
        try:
            result = command.do(transaction)
        except Exception as error:
            if not db.in_transaction:
                raise
            db.execute("ROLLBACK TO change")
            db.execute("RELEASE change")
            transaction.position = position
            del transaction.events[events:]
            return Outcome(command.future, error=_refusal(error))
        db.execute("RELEASE change")
        return Outcome(command.future, result)

    def _deliver(self, outcomes: list[Outcome], events: list[Logged]) -> None:
        if events:
            self.committed(events)
        for outcome in outcomes:
            outcome.deliver()


def _execute(db: sqlite3.Connection, statement: Statement) -> Sequence[Row]:
    if statement.many:
        db.executemany(statement.sql, statement.many)
        return ()
    return db.execute(statement.sql, statement.parameters).fetchall()


def _refusal(error: Exception) -> Exception:
    return _storage_error(error) if isinstance(error, sqlite3.Error) else error


def _storage_error(error: Exception) -> StorageError:
    text = str(error)
    if "locked" in text:
        advice = "another program holds the database file; close it, and try again"
    elif "full" in text:
        advice = "the disk is full; free some space, and try again"
    else:
        advice = "see the log, and check the database file with 'ordercast check'"
    return StorageError(f"The change could not be stored ({text}): {advice}.")
