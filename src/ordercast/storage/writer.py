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
from ordercast.orders.models import Logged, Order, OrderEvent
from ordercast.storage.rows import EVENT_COLUMNS, event_row

T = TypeVar("T")

MAX_BATCH = 256
"""Changes in one commit: bounds how long the first of them waits for the last."""

_log = structlog.get_logger("ordercast.storage")

_INSERT_EVENT = f"INSERT INTO order_events ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' * len(EVENT_COLUMNS))})"  # noqa: S608 - our own column names


@dataclass(slots=True)
class Transaction:
    """What a change works with: the connection, and the log's next position."""

    db: sqlite3.Connection
    position: int
    events: list[Logged] = field(default_factory=list)

    def append(self, event: OrderEvent, order: Order) -> OrderEvent:
        """Adds an event at the next position, ``position + 1``, of an order that is now this one."""
        self.db.execute(_INSERT_EVENT, event_row(event))
        self.position = event.position
        self.events.append((event, order))
        return event


Work = Callable[[Transaction], T]


@dataclass(slots=True)
class _Command:
    work: Work[Any]
    future: asyncio.Future[Any]


@dataclass(slots=True)
class _Outcome:
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        if self.future.done():
            return  # the caller has gone; its change is as committed as any
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class _HalfDone(Exception):
    """A change failed with something of it written."""


class Writer:
    """Runs changes on a thread of its own. ``committed`` is called on the event loop with each commit's events,
    before any caller learns of its own."""

    def __init__(self, db: sqlite3.Connection, committed: Callable[[Sequence[Logged]], None]) -> None:
        self._db = db
        self._committed = committed
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ordercast writer", daemon=True)
        self._thread.start()

    async def submit(self, work: Work[T]) -> T:
        """Runs ``work`` in a transaction and returns its result once that is on disk.

        Raises what ``work`` raises, with nothing changed, or `StorageError` where the commit failed.
        """
        if self._closed:
            raise StorageError("The database is closed: the server is shutting down.")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Command(work, future))
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

    def _transact(self, batch: list[_Command]) -> tuple[list[_Outcome], list[Logged]]:
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
            return [_Outcome(c.future, error=_storage_error(error)) for c in batch], []
        return outcomes, events

    def _apply_all(self, batch: list[_Command], *, careful: bool) -> tuple[list[_Outcome], list[Logged]]:
        """Begins a transaction with all these changes in it. Raises `_HalfDone` where it was not careful enough."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        (head,) = db.execute("SELECT n FROM log_head").fetchone()
        transaction = Transaction(db, head)
        apply = self._apply_in_savepoint if careful else self._apply
        outcomes = [apply(transaction, command) for command in batch]
        if transaction.position != head:
            db.execute("UPDATE log_head SET n = ?", (transaction.position,))
        return outcomes, transaction.events

    def _apply(self, transaction: Transaction, command: _Command) -> _Outcome:
        db = self._db
        before = db.total_changes
        try:
            return _Outcome(command.future, command.work(transaction))
        except Exception as error:
            if not db.in_transaction:
                raise  # SQLite has rolled the whole transaction back by itself (disk full): all of it is refused
            if db.total_changes != before:
                raise _HalfDone from error
            return _Outcome(command.future, error=_refusal(error))

    def _apply_in_savepoint(self, transaction: Transaction, command: _Command) -> _Outcome:
        db = self._db
        position, events = transaction.position, len(transaction.events)
        db.execute("SAVEPOINT change")
        try:
            result = command.work(transaction)
        except Exception as error:
            if not db.in_transaction:
                raise
            db.execute("ROLLBACK TO change")
            db.execute("RELEASE change")
            transaction.position = position
            del transaction.events[events:]
            return _Outcome(command.future, error=_refusal(error))
        db.execute("RELEASE change")
        return _Outcome(command.future, result)

    def _deliver(self, outcomes: list[_Outcome], events: list[Logged]) -> None:
        if events:
            self._committed(events)
        for outcome in outcomes:
            outcome.deliver()


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
