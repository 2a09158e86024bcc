"""How long an order may take in a status, in SQL: `Targets` of the domain's ports."""

from __future__ import annotations

from collections.abc import Mapping

from ordercast.storage.driver import Readers, Statement, Writer

_READ = "SELECT status, seconds FROM targets"
_CLEAR = "DELETE FROM targets"
_SET = "INSERT INTO targets (status, seconds) VALUES (?, ?)"


class SqlTargets:
    """A row per status."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def read(self) -> Mapping[str, int | None]:
        return {row[0]: row[1] for row in await self._readers.fetch(_READ)}

    async def replace(self, targets: Mapping[str, int | None]) -> None:
        rows = (Statement(_SET, row) for row in targets.items())
        # Alone, or two at once would each add what the other does not see.
        await self._writer.run(Statement(_CLEAR), *rows, alone=True)
