"""Which signed messages came in, in SQL: `Received` of `ordercast.webhooks.ports`."""

from __future__ import annotations

from ordercast.orders.models import now
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.purge import purge
from ordercast.storage.rows import to_ms
from ordercast.webhooks.hooks import TOLERANCE
from ordercast.webhooks.models import Seen

_BEGIN = (
    "INSERT INTO hook_messages (source, id, fingerprint, done, at) VALUES (?, ?, ?, false, ?) "
    "ON CONFLICT (source, id) DO NOTHING"
)
_LOOK = "SELECT fingerprint, done FROM hook_messages WHERE source = ? AND id = ?"
_DONE = "UPDATE hook_messages SET done = true WHERE source = ? AND id = ?"


class SqlReceived:
    """Kept for ``ttl`` seconds, and never shorter than a message could be played again: a sender's own retries, signed
    anew, come for days."""

    def __init__(self, writer: Writer, readers: Readers, ttl: float) -> None:
        self._writer = writer
        self._readers = readers
        self._ttl_ms = round(max(ttl, 2 * TOLERANCE) * 1000)

    async def begin(self, source: str, id: str, fingerprint: str) -> Seen:
        begin = Statement(_BEGIN, (source, id, fingerprint, to_ms(now())))
        _, rows = await self._writer.run(begin, Statement(_LOOK, (source, id)))
        known, done = rows[0]
        if known != fingerprint:
            return Seen.OTHER
        return Seen.DONE if done else Seen.NEW

    async def done(self, source: str, id: str) -> None:
        await self._writer.run(Statement(_DONE, (source, id)))

    async def purge(self) -> None:
        """Removes those that could not be played again."""
        await purge(self._writer, self._readers, "hook_messages", "at", to_ms(now()) - self._ttl_ms)
