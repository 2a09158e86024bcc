"""How many connections each user has over all nodes of a PostgreSQL database, in SQL (DESIGN, "Coming back, and several
nodes"): whoever connects claims a row, in an order that the user's fence gives.

All times are the database's: the nodes' own clocks may differ by hours.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.nodes import ALIVE_MS, NOW

_FORGOTTEN_MS = 60_000  # ms after which a row of a run that no node has any more is removed
_KEEP_FENCE_MS = 86_400_000  # ms; without logins a fence has nothing to put in order

# In a statement of its own: the claim reads what is committed when *it* begins, which is after the lock.
_FENCE = (
    f"INSERT INTO fences (user_id, newest, at) VALUES (?, 1, {NOW}) "  # noqa: S608 - our own words
    "ON CONFLICT (user_id) DO UPDATE SET newest = fences.newest + 1, at = excluded.at"
)
# A claim whose commit was not heard of is repeated.
_AGAIN = "DELETE FROM logins WHERE user_id = ? AND run = ? AND socket = ?"

# Who must go: the same client as it was before, then those of nodes that are gone, then the oldest. They are marked and
# not removed, since a node that only stalled comes back with them, and must learn of it.
_CLAIM = f"""
WITH present AS MATERIALIZED (
  SELECT l.number, l.run, l.socket, coalesce(n.beat, 0) AS beat,
    l.client <> '' AND l.client = ? AS same,
    l.run = ? OR coalesce(n.beat > {NOW} - {ALIVE_MS}, false) AS alive,
    {NOW} - l.at < ? AS young
  FROM logins l LEFT JOIN nodes n ON n.run = l.run
  WHERE l.user_id = ? AND NOT l.evicted
), surplus AS MATERIALIZED (
  SELECT * FROM present ORDER BY same DESC, alive, number
  LIMIT greatest((SELECT count(*) FROM present) + 1 - ?, 0)
), guarded AS MATERIALIZED (
  SELECT * FROM surplus WHERE young AND alive AND NOT same
), evicted AS (
  UPDATE logins l SET evicted = true FROM surplus s
  WHERE l.user_id = ? AND l.number = s.number AND NOT EXISTS (SELECT 1 FROM guarded)
  RETURNING l.run, l.socket
), entered AS (
  INSERT INTO logins (user_id, number, run, socket, client, at, evicted)
  SELECT user_id, newest, ?, ?, ?, {NOW}, false FROM fences
  WHERE user_id = ? AND NOT EXISTS (SELECT 1 FROM guarded)
)
SELECT true AS gone, run, socket, 0 AS beat, {NOW} AS at FROM evicted
UNION ALL SELECT false, run, socket, beat, {NOW} FROM guarded
"""  # noqa: S608 - our own words and numbers
_EVICTED = "SELECT user_id, socket FROM logins WHERE run = ? AND evicted ORDER BY user_id, number"
_RELEASE_RUN = "DELETE FROM logins WHERE run = ?"
_PURGE = (
    f"DELETE FROM logins WHERE at < {NOW} - {_FORGOTTEN_MS} "  # noqa: S608
    "AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.run = logins.run)"
)
_PURGE_FENCES = (
    f"DELETE FROM fences WHERE at < {NOW} - {_KEEP_FENCE_MS} "  # noqa: S608
    "AND NOT EXISTS (SELECT 1 FROM logins WHERE logins.user_id = fences.user_id)"
)


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks to be let in. ``client`` is what it will be known by when it comes back, ``before`` what it was known
    by, both digests of at most 64 characters; ``before`` is empty for one that is new."""

    user_id: str
    run: str
    socket: str
    client: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """A connection that is too young to be evicted. ``beat``: its node's newest, in ms."""

    run: str
    socket: str
    beat: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What came of it: in where there are no ``guards``. ``evicted``: those that must go, as (run, socket); a repeated
    claim does not name all of them, and `SqlLogins.evicted` does. ``at``: when, in ms, where there are guards."""

    evicted: Sequence[tuple[str, str]]
    guards: Sequence[Guard]
    at: int


class SqlLogins:
    """The table of logins. All of it raises `StorageError`."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def claim(self, login: Login, limit: int, min_age: float) -> Claim:
        """Enters a login where its user has fewer than ``limit``, or the surplus may be evicted: those younger than
        ``min_age`` (s) may not, unless their node is gone. After an error it may be in all the same: `release` it."""
        who = (login.user_id, login.run, login.socket)
        values = (
            *(login.before, login.run, round(min_age * 1000), login.user_id),
            *(limit, login.user_id),
            *(login.run, login.socket, login.client, login.user_id),
        )
        statements = Statement(_FENCE, (login.user_id,)), Statement(_AGAIN, who), Statement(_CLAIM, values)
        *_, rows = await self._writer.run(*statements)
        evicted = [(run, socket) for gone, run, socket, _, _ in rows if gone]
        guards = [Guard(run, socket, beat) for gone, run, socket, beat, _ in rows if not gone]
        return Claim(evicted, guards, max((at for *_, at in rows), default=0))

    async def evicted(self, run: str) -> Sequence[tuple[str, str]]:
        """The connections of a run that must go, as (user, socket)."""
        return [(user_id, socket) for user_id, socket in await self._readers.fetch(_EVICTED, run)]

    async def release(self, run: str, gone: Collection[tuple[str, str]]) -> None:
        """Connections of a run are over; as (user, socket)."""
        rows = [(user_id, run, socket) for user_id, socket in sorted(gone)]
        if rows:
            await self._writer.run(Statement(_AGAIN, many=rows))

    async def release_run(self, run: str) -> None:
        """All connections of a run are over."""
        await self._writer.run(Statement(_RELEASE_RUN, (run,)))

    async def purge(self) -> None:
        """Removes what nodes left behind that were killed, and fences that nobody stands at."""
        await self._writer.run(Statement(_PURGE), Statement(_PURGE_FENCES))
