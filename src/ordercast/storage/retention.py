"""How long the log is kept: its oldest events go, from the beginning on; orders keep their state and version."""

from __future__ import annotations

from itertools import takewhile

from ordercast.orders.models import now
from ordercast.storage.log import SqliteLog
from ordercast.storage.purge import BATCH
from ordercast.storage.rows import to_ms
from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

_OLDEST = (
    "SELECT position, at FROM order_events WHERE position > (SELECT floor FROM log_head) ORDER BY position LIMIT ?"
)


class Retention:
    """Removes events older than ``seconds``; 0 keeps all.

    Only from the beginning on, so that what is left has no hole: an event that a clock set wrongly says is young keeps
    all behind it until it is old. The floor moves in the same transaction, so whoever reads sees both or neither.
    """

    def __init__(self, writer: Writer, readers: Readers, log: SqliteLog, seconds: float) -> None:
        self._writer = writer
        self._readers = readers
        self._log = log
        self._keep_ms = round(seconds * 1000)

    async def remove_old(self) -> None:
        """Removes all that is too old by now, in small batches among other changes."""
        if not self._keep_ms:
            return
        before = to_ms(now()) - self._keep_ms

        def work(transaction: Transaction) -> tuple[int, int] | None:
            db = transaction.db
            old = [*takewhile(lambda row: row[1] < before, db.execute(_OLDEST, (BATCH,)).fetchall())]
            if not old:
                return None
            floor: int = old[-1][0]
            db.execute("DELETE FROM order_events WHERE position <= ?", (floor,))
            db.execute("UPDATE log_head SET floor = ?", (floor,))
            return floor, len(old)

        oldest = await self._readers.run(lambda db: db.execute(_OLDEST, (1,)).fetchone())
        count = BATCH
        while oldest and oldest[1] < before and count == BATCH:
            removed = await self._writer.submit(work)
            if removed is None:
                break
            floor, count = removed
            self._log.removed(floor)
