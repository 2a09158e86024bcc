"""Removes rows that nothing reads any more."""

from __future__ import annotations

from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.tables import metadata

BATCH = 500
"""Rows in one transaction: some milliseconds that a change which comes meanwhile waits."""


async def purge(writer: Writer, readers: Readers, table: str, column: str, before: int) -> None:
    """Removes the rows of a table whose time (ms) is before this one, in small batches among other changes.

    Table and column are names of ours. Where there is nothing to remove, nothing is written.
    """
    key = ", ".join(metadata.tables[table].primary_key.columns.keys())
    where = f"FROM {table} WHERE {column} < ?"
    delete = f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} {where} LIMIT {BATCH}) RETURNING 1"  # noqa: S608
    removed = BATCH
    found = await readers.fetch(f"SELECT 1 {where} LIMIT 1", before)
    while found and removed == BATCH:
        (rows,) = await writer.run(Statement(delete, (before,)))
        removed = len(rows)
