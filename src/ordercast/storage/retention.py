"""How long the log is kept: its oldest events go, from the beginning on; orders keep their state and version."""

from __future__ import annotations

from ordercast.orders.models import now
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.log import SqlLog
from ordercast.storage.purge import BATCH
from ordercast.storage.rows import to_ms

_OLDEST = (
    "SELECT position, at FROM order_events WHERE position > (SELECT floor FROM log_head) ORDER BY position LIMIT ?"
)
# Up to before the first that is young; up to the last of the batch where none is. Never back, whoever else removes.
_RAISE_FLOOR = (
    "UPDATE log_head SET floor = target.last FROM (SELECT coalesce(min(CASE WHEN at >= ? THEN position END) - 1, "  # noqa: S608 - our own SQL
    f"max(position)) AS last FROM ({_OLDEST}) AS oldest) AS target WHERE last > floor "
    "RETURNING floor"
)
_REMOVE = "DELETE FROM order_events WHERE position <= (SELECT floor FROM log_head) RETURNING 1"


class Retention:
    """Removes events older than ``seconds``; 0 keeps all.

    Only from the beginning on, so that what is left has no hole: an event that a clock set wrongly says is young keeps
    all behind it until it is old. The floor moves in the same transaction, so whoever reads sees both or neither.
    """

    def __init__(self, writer: Writer, readers: Readers, log: SqlLog, seconds: float) -> None:
        self._writer = writer
        self._readers = readers
        self._log = log
        self.adopt(seconds)

    def adopt(self, seconds: float) -> None:
        """Another age, from the next removal on."""
        self._keep_ms = round(seconds * 1000)

    async def remove_old(self) -> None:
        """Removes all that is too old by now, in small batches among other changes."""
        if not self._keep_ms:
            return
        oldest = await self._readers.fetch(_OLDEST, 1)
        if not oldest or oldest[0][1] >= to_ms(now()) - self._keep_ms:
            return
        count = BATCH
        while self._keep_ms and count == BATCH:
            # For each batch: whoever has set it too low by mistake keeps what is left by then.
            before = to_ms(now()) - self._keep_ms
            raised, removed = await self._writer.run(Statement(_RAISE_FLOOR, (before, BATCH)), Statement(_REMOVE))
            count = len(removed)
            if raised:
                self._log.removed(raised[0][0])
