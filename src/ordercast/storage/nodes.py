"""Which nodes a PostgreSQL database has, in SQL: each says every second that it is there, and reads the others.

All times are the database's: a node's own clock may be an hour off, and would make it dead or immortal to the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ordercast.storage.driver import Readers, Statement, Writer

ALIVE_MS = 3_000
"""ms after its newest beat that a node counts as there: two beats may be late or lost."""

_KEEP_MS = 86_400_000  # ms that the row of a node that was killed is kept: who looks for it still finds when it was

NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
"""ms since the epoch, in SQL."""
_APPEAR = (
    f"INSERT INTO nodes (name, run, address, beat, connections, online) VALUES (?, ?, ?, {NOW}, ?, ?) "  # noqa: S608
    "ON CONFLICT (name) DO UPDATE SET run = excluded.run, address = excluded.address, beat = excluded.beat, "
    "connections = excluded.connections, online = excluded.online"
)
# Without `online`, which may be long and seldom changes: PostgreSQL keeps what it has of it.
_BEAT = f"UPDATE nodes SET beat = {NOW}, connections = ? WHERE name = ? AND run = ? RETURNING 1"  # noqa: S608
_OTHERS = (
    "SELECT name, run, address, connections, online FROM nodes "  # noqa: S608 - numbers of ours
    f"WHERE name <> ? AND beat > {NOW} - {ALIVE_MS} ORDER BY name"
)
_LEAVE = "DELETE FROM nodes WHERE name = ? AND run = ?"
_PURGE = f"DELETE FROM nodes WHERE beat < {NOW} - {_KEEP_MS}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node as it last said it is. ``online`` is JSON, which `ordercast.live.nodes` writes and reads."""

    name: str
    run: str
    address: str
    connections: int
    online: str


class SqlNodes:
    """The table of nodes. All of it raises `StorageError`."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def appear(self, row: NodeRow) -> None:
        """Says all of this node, in the place of whatever had its name."""
        values = (row.name, row.run, row.address, row.connections, row.online)
        await self._writer.run(Statement(_APPEAR, values))

    async def beat(self, name: str, run: str, connections: int) -> bool:
        """Says that this node is there, and how many are connected to it.

        ``False``: its row is not there or is another run's, and `appear` is due.
        """
        (rows,) = await self._writer.run(Statement(_BEAT, (connections, name, run)))
        return bool(rows)

    async def others(self, name: str) -> Sequence[NodeRow]:
        """The nodes that are there, without the one of this name, by name."""
        return [NodeRow(*row) for row in await self._readers.fetch(_OTHERS, name)]

    async def leave(self, name: str, run: str) -> None:
        """Removes this node, unless another run has its name by now."""
        await self._writer.run(Statement(_LEAVE, (name, run)))

    async def purge(self) -> None:
        """Removes nodes that have been dead for a day."""
        await self._writer.run(Statement(_PURGE))
