"""A backup: one SQLite file with the tables of a database of either kind, as they were at one moment.

The file is at the schema of the database it was made from. Beside the tables, ``backup`` says what it is and has each
table's count of rows and sum of their hashes, written last: what was cut short, or has changed since, does not add up.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine

from ordercast.errors import StorageError
from ordercast.storage import revisions, schema
from ordercast.storage.postgres_writer import MARK
from ordercast.version import __version__

APPLICATION = 0x4F72_6463
"""``Ordc``, where SQLite keeps whose a file is: https://www.sqlite.org/fileformat2.html#application_id"""

FORMAT = 1
"""Of `backup`; a newer one is refused."""

BATCH = 1_000
"""Rows read and written at a time."""

LEFT_OUT = frozenset({"alembic_version", "backup", "nodes", "fences", "logins", "watches"})
"""Who was connected at that moment is not there when it comes back."""

_MAGIC = b"SQLite format 3\0"

Progress = Callable[[int, int], None]
"""Told how many rows of how many are done."""


@dataclass(slots=True)
class Tally:
    """How many rows, and the sum of their hashes, whatever their order."""

    rows: int = 0
    sum: int = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self.rows += 1
            hashed = hashlib.blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
            self.sum = (self.sum + int.from_bytes(hashed)) % 2**128


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself. ``made_at`` is an ISO 8601 time in UTC."""

    path: Path
    schema: str
    made_at: str
    tables: dict[str, Tally] = field(repr=False)

    @property
    def orders(self) -> int:
        return self.tables["orders"].rows

    @property
    def rows(self) -> int:
        return sum(tally.rows for tally in self.tables.values())


def make_empty(path: Path, revision: str) -> None:
    """A file of that schema, with nothing in its tables."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            schema.upgrade(connection, str(path), revision)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(path)) as db:
        for table in columns(db):
            db.execute(f'DELETE FROM "{table}"')  # noqa: S608 - names of ours, here and below
        db.commit()


def columns(db: sqlite3.Connection) -> dict[str, list[str]]:
    """The tables that are kept in this file, with their columns."""
    tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name")
    kept = [name for (name,) in tables if name not in LEFT_OUT]
    return {name: [row[1] for row in db.execute(f'PRAGMA table_info("{name}")')] for name in kept}


def select(table: str, names: Sequence[str], what: str = "") -> str:
    """SQL, for either database, that reads the rows of a table that are kept; ``what`` instead of its columns."""
    wanted = what or ", ".join(f'"{name}"' for name in names)
    kept = f" WHERE key NOT LIKE '{MARK}%'" if table == "meta" else ""  # of a server that writes just now
    return f'SELECT {wanted} FROM "{table}"{kept}'  # noqa: S608


def insert(table: str, names: Sequence[str]) -> str:
    """SQL for SQLite that adds a row."""
    wanted = ", ".join(f'"{name}"' for name in names)
    return f'INSERT INTO "{table}" ({wanted}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608


def seal(db: sqlite3.Connection, revision: str, made_at: str, tables: dict[str, Tally]) -> None:
    """Says what the file is, and what must be in it."""
    sums = {name: [tally.rows, f"{tally.sum:032x}"] for name, tally in tables.items()}
    said = {"format": str(FORMAT), "schema": revision, "made_at": made_at, "made_by": __version__}
    db.execute("CREATE TABLE backup (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
    db.executemany("INSERT INTO backup VALUES (?, ?)", [*said.items(), ("tables", json.dumps(sums))])
    db.execute(f"PRAGMA application_id = {APPLICATION}")


def open_read_only(path: Path) -> sqlite3.Connection:
    """The file, which is left as it is, and where it is."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def rows_of(db: sqlite3.Connection, table: str, names: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """A table's rows, some at a time."""
    cursor = db.execute(select(table, names))
    while rows := cursor.fetchmany(BATCH):
        yield rows


def verify(path: Path, progress: Progress = lambda done, total: None) -> Backup:
    """Reads a backup whole and compares it with what it says of itself. Raises `StorageError`."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise StorageError(f"{path} cannot be read ({error.strerror}): name a backup.") from None
    if not head.startswith(_MAGIC) or int.from_bytes(head[68:72]) != APPLICATION:
        raise _foreign(path)
    try:
        with closing(open_read_only(path)) as db:
            backup = _described(path, dict(db.execute("SELECT key, value FROM backup").fetchall()))
            _compare(db, backup, progress)
    except (sqlite3.Error, LookupError, ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from None
    return backup


def _described(path: Path, said: dict[str, str]) -> Backup:
    if int(said["format"]) > FORMAT:
        raise StorageError(f"{path} has a newer form: restore it with Ordercast {said['made_by']}, which made it.")
    revisions.refuse_newer(str(path), said["schema"])
    sums = json.loads(said["tables"])
    tables = {name: Tally(rows, int(sum, 16)) for name, (rows, sum) in sums.items()}
    return Backup(path, said["schema"], said["made_at"], tables)


def _compare(db: sqlite3.Connection, backup: Backup, progress: Progress) -> None:
    there = columns(db)
    if there.keys() != backup.tables.keys():
        raise _damaged(backup.path, "tables are missing")
    done = 0
    for table, names in there.items():
        tally = Tally()
        for rows in rows_of(db, table, names):
            tally.add(rows)
            done += len(rows)
            progress(done, backup.rows)
        if tally != backup.tables[table]:
            raise _damaged(backup.path, f"what is in '{table}' is not what was put there")


def _foreign(path: Path) -> StorageError:
    return StorageError(f"{path} is no backup of Ordercast's: name a file that 'ordercast backup' made.")


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(f"{path} is damaged ({why}): take an older backup, or another copy of this one.")
