"""Which orders connections watch, in SQL: `Watches` of the domain's ports."""

from __future__ import annotations

from collections.abc import Collection

from ordercast.orders.models import now
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.purge import purge
from ordercast.storage.rows import to_ms

_SAVE = (
    "INSERT INTO watches (pid, order_id, user_id, at) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (pid, order_id) DO UPDATE SET user_id = excluded.user_id, at = excluded.at"
)
_DROP = "DELETE FROM watches WHERE pid = ? AND order_id = ?"
_OF = "SELECT order_id FROM watches WHERE pid = ? AND user_id = ? AND at >= ?"


class SqlWatches:
    """Kept for ``ttl`` seconds after they were last saved."""

    def __init__(self, writer: Writer, readers: Readers, ttl: float) -> None:
        self._writer = writer
        self._readers = readers
        self._ttl_ms = round(ttl * 1000)

    async def save(self, pid: str, user_id: str, order_id: str) -> None:
        await self.save_all(pid, user_id, (order_id,))

    async def save_all(self, pid: str, user_id: str, order_ids: Collection[str]) -> None:
        at = to_ms(now())
        # In one order, or two nodes that save the same would wait for each other.
        rows = [(pid, order_id, user_id, at) for order_id in sorted(order_ids)]
        if rows:
            await self._writer.run(Statement(_SAVE, many=rows))

    async def drop(self, pid: str, order_id: str) -> None:
        await self._writer.run(Statement(_DROP, (pid, order_id)))

    async def of(self, pid: str, user_id: str) -> frozenset[str]:
        rows = await self._readers.fetch(_OF, pid, user_id, to_ms(now()) - self._ttl_ms)
        return frozenset(row[0] for row in rows)

    async def purge(self) -> None:
        """Removes those that are not given any more."""
        await purge(self._writer, self._readers, "watches", "at", to_ms(now()) - self._ttl_ms)
