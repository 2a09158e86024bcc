"""What a day's figures are made from, in SQL: `Figures` of the domain's ports."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from ordercast.orders.figures import Fact, Standing
from ordercast.storage.driver import Readers, Row
from ordercast.storage.rows import from_ms, to_ms

# The first event of a day, by the index of times (`+position`: not by looking through all positions).
_FIRST = "SELECT min(+position) FROM order_events WHERE at >= ?"

# The event by which an order came into the status that it leaves here.
_ENTERED = (
    "(SELECT came.at FROM order_events AS came WHERE came.order_id = e.order_id AND came.version < e.version "
    "AND (came.previous_status IS NOT NULL OR came.version = 1) ORDER BY came.version DESC LIMIT 1)"
)
_OF_ORDER = "(SELECT {} FROM orders WHERE orders.order_id = e.order_id)"
IS_FIRST_CONTACT = "e.kind = 'contacted' AND e.fields LIKE '%first_contact_at%'"


def facts_sql(created: str, waited: str) -> str:
    """The facts, with these for the columns that are not the log's."""
    # Each by itself and not joined, so that a page costs as much as it has rows, whatever the planner thinks.
    # `+at`: by positions, since the index of times would be gone through from the day's beginning on.
    return (
        "SELECT e.position, e.order_id, e.shop_id, e.status, e.previous_status, e.at, e.version, "  # noqa: S608 - our own SQL
        f"CASE WHEN e.previous_status IS NOT NULL THEN {_ENTERED} END, "
        f"CASE WHEN e.version = 1 THEN {created} END, CASE WHEN {IS_FIRST_CONTACT} THEN {waited} END "
        "FROM order_events AS e WHERE e.position > ? AND +e.at >= ? "
        "AND (e.previous_status IS NOT NULL OR e.version = 1 OR e.kind = 'contacted') ORDER BY e.position LIMIT ?"
    )


_FACTS = facts_sql(_OF_ORDER.format("created_at"), _OF_ORDER.format("first_contact_at - created_at"))
_HEAD = "SELECT n FROM log_head"
_STANDING = (
    "SELECT shop_id, status, count(*), count(*) - count(first_contact_at) FROM orders WHERE status IN ({}) "
    "GROUP BY shop_id, status"
)


class SqlFigures:
    """Reads nothing twice that its caller has had: `facts` begins where the one before ended."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    _facts = _FACTS

    async def facts(self, since: datetime, position: int, limit: int) -> tuple[Sequence[Fact], int]:
        if not position:
            ((first,),) = await self._readers.fetch(_FIRST, to_ms(since))
            position = (first or 1) - 1
        # Before the facts, and not beside them: PostgreSQL may compile such a join for seconds.
        ((head,),) = await self._readers.fetch(_HEAD)
        facts = await self._made(await self._readers.fetch(self._facts, position, to_ms(since), limit))
        last = facts[-1].position if facts else 0
        return facts, last if len(facts) == limit else max(head, last, position)

    async def _made(self, rows: Sequence[Row]) -> list[Fact]:
        return [fact_of(row) for row in rows]

    async def standing(self, statuses: Collection[str]) -> Sequence[Standing]:
        if not statuses:
            return []
        sql = _STANDING.format(", ".join("?" * len(statuses)))
        return [Standing(*row) for row in await self._readers.fetch(sql, *statuses)]


def fact_of(row: Row) -> Fact:
    """A fact from a row of `facts_sql`; times are ms."""
    position, order_id, shop_id, status, left, at, version, entered, created, waited = row
    return Fact(
        position=position,
        order_id=order_id,
        shop_id=shop_id,
        status=status if left is not None or version == 1 else None,
        left=left,
        stayed=None if entered is None else _seconds(entered, at),
        created_at=None if created is None else from_ms(created),
        waited=None if waited is None else _seconds(0, waited),
    )


def _seconds(begin: int, end: int) -> float:
    """Between two times in ms; none is negative, whatever the clocks said."""
    return max(end - begin, 0) / 1000
