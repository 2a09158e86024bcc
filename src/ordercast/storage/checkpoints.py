"""How far something long has come, kept beside what it has done. A row of ``meta`` each."""

from __future__ import annotations

import hashlib

from ordercast.storage.driver import Readers, Statement, Writer

_GET = "SELECT value FROM meta WHERE key = ?"
_SET = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_DROP = "DELETE FROM meta WHERE key = ?"


class SqlCheckpoints:
    """Texts by name. All of it raises `StorageError`."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def get(self, name: str) -> str | None:
        """The text, if there is one."""
        rows = await self._readers.fetch(_GET, _key(name))
        return rows[0][0] if rows else None

    async def set(self, name: str, text: str) -> None:
        """Keeps it, in the place of any other."""
        await self._writer.run(Statement(_SET, (_key(name), text)))

    async def drop(self, name: str) -> None:
        """It is not needed any more."""
        await self._writer.run(Statement(_DROP, (_key(name),)))


def _key(name: str) -> str:
    """Names are of any length, keys are not."""
    return f"at:{hashlib.sha256(name.encode()).hexdigest()[:48]}"
