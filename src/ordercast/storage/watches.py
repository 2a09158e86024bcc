"""Which orders connections watch, in SQLite: `Watches` of the domain's ports."""

from __future__ import annotations

from collections.abc import Collection

from ordercast.orders.models import now
from ordercast.storage.purge import purge
from ordercast.storage.rows import to_ms
from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

_SAVE = "INSERT OR REPLACE INTO watches (pid, order_id, user_id, at) VALUES (?, ?, ?, ?)"
_DROP = "DELETE FROM watches WHERE pid = ? AND order_id = ?"
_OF = "SELECT order_id FROM watches WHERE pid = ? AND user_id = ? AND at >= ?"


class SqliteWatches:
    """Kept for ``ttl`` seconds after they were last saved."""

    def __init__(self, writer: Writer, readers: Readers, ttl: float) -> None:
        self._writer = writer
        self._readers = readers
        self._ttl_ms = round(ttl * 1000)

    async def save(self, pid: str, user_id: str, order_id: str) -> None:
        await self.save_all(pid, user_id, (order_id,))

    async def save_all(self, pid: str, user_id: str, order_ids: Collection[str]) -> None:
        at = to_ms(now())
        rows = [(pid, order_id, user_id, at) for order_id in order_ids]

        def work(transaction: Transaction) -> None:
            transaction.db.executemany(_SAVE, rows)

        if rows:
            await self._writer.submit(work)

    async def drop(self, pid: str, order_id: str) -> None:
        def work(transaction: Transaction) -> None:
            transaction.db.execute(_DROP, (pid, order_id))

        await self._writer.submit(work)

    async def of(self, pid: str, user_id: str) -> frozenset[str]:
        asked = (pid, user_id, to_ms(now()) - self._ttl_ms)
        return await self._readers.run(lambda db: frozenset(row[0] for row in db.execute(_OF, asked)))

    async def purge(self) -> None:
        """Removes those that are not given any more."""
        await purge(self._writer, self._readers, "watches", "at", to_ms(now()) - self._ttl_ms)
