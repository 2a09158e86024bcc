"""Connections to a SQLite file, and reads beside its writer."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from ordercast.errors import StorageError
from ordercast.storage.driver import Row
from ordercast.storage.sqlite_writer import SqliteWriter

T = TypeVar("T")

_BUSY_TIMEOUT = 5_000  # ms to wait for another process's write
_READERS = 2
_BULK_CACHE = 65_536  # kB: the indexes of some hundred thousand orders, each of whose pages is written to now and then


def connect(path: Path, *, as_it_is: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode, set up as DESIGN says. Raises `StorageError`.

    WAL: readers do not wait for the writer. ``synchronous=FULL``: what was acknowledged survives a power cut.
    ``as_it_is`` leaves the file's journal mode alone, which is kept in the file.
    """
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        db.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
        db.execute("PRAGMA schema_version" if as_it_is else "PRAGMA journal_mode = WAL")  # either one reads the file
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")  # what was removed is not to be found in the file's free space
    except sqlite3.Error as error:
        raise cannot_open(path, error) from None
    return db


def cannot_open(path: Path, error: sqlite3.Error) -> StorageError:
    """What to do about a file that does not open."""
    if not path.parent.is_dir():
        advice = f"the folder {path.parent} does not exist; make it, or set ORDERCAST_DATABASE_URL to another place"
    elif "not a database" in str(error):
        advice = "the file is not an SQLite database; set ORDERCAST_DATABASE_URL to another file"
    else:
        advice = f"{error}; check that this user may write to the file and its folder"
    return StorageError(f"The database {path} cannot be opened: {advice}.")


class SqliteReaders:
    """Some threads with a connection each, for reads that must not hold up the event loop."""

    def __init__(self, path: Path) -> None:
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._executor = ThreadPoolExecutor(_READERS, "ordercast reader", initializer=self._connect, initargs=(path,))

    def _connect(self, path: Path) -> None:
        self._local.db = connect(path)
        self._open.append(self._local.db)

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Runs ``read`` on one of the connections. Raises `StorageError`."""

        def on_thread() -> T:
            try:
                return read(self._local.db)
            except sqlite3.Error as error:
                raise StorageError(f"The database could not be read ({error}).") from error

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, on_thread)
        except RuntimeError as error:  # the executor was shut down, or its initializer failed
            raise StorageError(f"The database is closed ({error}).") from None

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[Row]:
        """See `Readers`."""
        return await self.run(lambda db: db.execute(sql, parameters).fetchall())

    async def empty_log(self) -> None:
        """Moves what was committed into the file itself and empties the write-ahead log, which has what was there
        before for as long as nothing else needs the room. Raises `StorageError`."""
        ((busy, *_),) = await self.fetch("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise StorageError("The database's write-ahead log could not be emptied, as others read in it: try again.")

    async def close(self) -> None:
        """Waits for reads under way, then closes."""
        await asyncio.to_thread(self._executor.shutdown)
        for db in self._open:
            db.close()


@asynccontextmanager
async def open_sqlite(path: Path, *, bulk: bool = False) -> AsyncIterator[tuple[SqliteWriter, SqliteReaders]]:
    """The file's one writer, and readers beside it; ``bulk``: with room for much that is written at once. Raises
    `StorageError`."""
    db = connect(path)
    if bulk:
        db.execute(f"PRAGMA cache_size = -{_BULK_CACHE}")
    async with AsyncExitStack() as stack:
        readers = SqliteReaders(path)
        stack.push_async_callback(readers.close)
        writer = SqliteWriter(db)
        stack.push_async_callback(writer.close)
        yield writer, readers
