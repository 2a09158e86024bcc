"""How long closed orders are kept: afterwards they go, with all that names them (docs/decisions/0016).

An order goes when the log has no event of it any more, so that no position is missing and nobody who reads the log is
told of an order that is not there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from ordercast.errors import StorageError
from ordercast.orders.models import now
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.purge import BATCH
from ordercast.storage.rows import to_ms

# `created_at` for the index, and for orders that the shop dates after their status.
_OLD = (
    "SELECT order_id FROM orders WHERE status IN ({closed}) AND created_at < ? AND status_since < ? AND updated_at < ? "
    "AND NOT EXISTS (SELECT 1 FROM order_events WHERE order_events.order_id = orders.order_id) LIMIT ?"
)
# The conditions again: one may have been changed since it was found, here or on another node.
_REMOVE = (
    "DELETE FROM orders WHERE order_id IN ({ids}) AND status IN ({closed}) AND created_at < ? AND status_since < ? "
    "AND updated_at < ? RETURNING 1"
)
_GONE = "order_id IN ({ids}) AND NOT EXISTS (SELECT 1 FROM orders WHERE orders.order_id = {table}.order_id)"
_WITH_THEM = tuple(
    f"DELETE FROM {table} WHERE {_GONE.replace('{table}', table)}"  # noqa: S608 - our own names
    for table in ("idempotency_keys", "watches", "webhook_messages")
)


class OrderRetention:
    """Removes orders that have been closed (in one of these statuses) for ``seconds``; 0 keeps all.

    ``log_seconds``: how long the log is kept, which is not longer. ``afterwards``: what it takes that the database's
    files have no more of them.
    """

    def __init__(
        self,
        writer: Writer,
        readers: Readers,
        closed: Collection[str],
        seconds: float,
        log_seconds: float,
        afterwards: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.removed = 0
        """Orders, by this process."""
        self._writer = writer
        self._readers = readers
        self._afterwards = afterwards
        self.adopt(closed, seconds, log_seconds)

    def adopt(self, closed: Collection[str], seconds: float, log_seconds: float) -> None:
        """Other statuses and ages, from the next removal on."""
        self._closed = sorted(closed)
        self._keep_ms = round(seconds * 1000)
        self._log_ms = round(log_seconds * 1000)

    async def remove_old(self) -> None:
        """Removes all that are too old by now, in small batches among other changes, on one node at a time."""
        removed = self.removed
        while await self._remove_batch() == BATCH:
            pass
        if self._afterwards is not None and self.removed != removed:
            with suppress(StorageError):  # others read the file: what was there goes with the next changes
                await self._afterwards()

    async def _remove_batch(self) -> int:
        """How many there were to remove; at most ``BATCH``."""
        # Looked at for each: whoever has set it too low by mistake keeps what is left by then.
        closed, at = self._closed, to_ms(now())
        if not self._keep_ms or not closed:
            return 0
        before = (at - self._keep_ms, at - self._keep_ms, at - self._log_ms)
        found = await self._readers.fetch(_OLD.format(closed=_marks(closed)), *closed, *before, BATCH)
        if not found:
            return 0
        ids = [row[0] for row in found]
        ids += [ids[-1]] * (BATCH - len(ids))  # so that there is one such statement to prepare
        remove = _REMOVE.format(ids=_marks(ids), closed=_marks(closed))
        gone, *_ = await self._writer.run(
            Statement(remove, (*ids, *closed, *before)),
            *(Statement(sql.format(ids=_marks(ids)), ids) for sql in _WITH_THEM),
            alone=True,
        )
        self.removed += len(gone)
        return len(found)


def _marks(values: Collection[str]) -> str:
    return ", ".join("?" * len(values))
