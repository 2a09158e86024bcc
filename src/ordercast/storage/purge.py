"""Removes rows that nothing reads any more."""

from __future__ import annotations

from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

BATCH = 500
"""Rows in one transaction: some milliseconds that a change which comes meanwhile waits."""


async def purge(writer: Writer, readers: Readers, table: str, column: str, before: int) -> None:
    """Removes the rows of a table whose time (ms) is before this one, in small batches among other changes.

    Table and column are names of ours. Where there is nothing to remove, nothing is written.
    """
    where = f"FROM {table} WHERE {column} < ?"
    delete = f"DELETE FROM {table} WHERE rowid IN (SELECT rowid {where} LIMIT {BATCH})"  # noqa: S608

    def work(transaction: Transaction) -> int:
        return transaction.db.execute(delete, (before,)).rowcount

    removed = BATCH
    found = await readers.run(lambda db: db.execute(f"SELECT 1 {where} LIMIT 1", (before,)).fetchone())
    while found and removed == BATCH:
        removed = await writer.submit(work)
