"""A batch of changes in memory, between one read of all it needs and one write of all it changed.

Statements are sent per batch, not per change, since each is a way to the server and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, Integer, LargeBinary, String, Table
from sqlalchemy.types import TypeEngine

from ordercast.orders.models import Change, IdempotencyKey, Logged, Order, OrderEvent, Written, event_of
from ordercast.storage import tables
from ordercast.storage.driver import Answer, Work
from ordercast.storage.postgres import Connection
from ordercast.storage.rows import EVENT_COLUMNS, ORDER_COLUMNS, STORED_COLUMNS, event_row, order_from, order_row

CHANNEL = "ordercast"
"""What nodes listen to. A notification carries nothing: the log is the truth."""

NUMBERS_LOCK = 0x6F72_6465_7201
"""Of who gives numbers to orders; any other number would do."""

_TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "bigint"),
    (Integer, "integer"),
    (Float, "double precision"),
    (Boolean, "boolean"),
    (LargeBinary, "bytea"),
    (String, "text"),
)

Keyed = tuple[str, str]


def _unnest(table: Table, names: Sequence[str], first: int = 1) -> str:
    """A parameter per column, as a table: however many rows, the SQL is the same and prepared once."""
    kinds = (next(sql for kind, sql in _TYPES if isinstance(table.c[name].type, kind)) for name in names)
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(kinds, first))
    return f"unnest({arrays}) AS new ({', '.join(names)})"


_ORDER = ", ".join(ORDER_COLUMNS)
_KEY_COLUMNS = ("scope", "key", "fingerprint", "order_id", "body", "created_at")
_KEY = ", ".join(_KEY_COLUMNS)

# All by unique ids in ascending order, so that two batches never wait for each other.
_LOCK_ORDERS = f"SELECT {_ORDER} FROM orders WHERE order_id = ANY($1::text[]) ORDER BY order_id FOR UPDATE"  # noqa: S608 - our own names, here and below
_READ_ORDERS = f"SELECT {_ORDER} FROM orders WHERE order_id = ANY($1::text[])"  # noqa: S608
_LOCK_KEYS = (
    f"SELECT {_KEY} FROM idempotency_keys WHERE (scope, key) IN (SELECT * FROM unnest($1::text[], $2::text[])) "  # noqa: S608
    "ORDER BY scope, key FOR UPDATE"
)
# A count per number, not a join, so that it ends with the last number that is asked for, whatever the planner thinks.
_FREE_NUMBERS = (
    "SELECT n::text FROM (SELECT generate_series(last_order_number + 1, 9223372036854775807) AS n FROM log_head) AS c "
    "WHERE (SELECT count(*) FROM orders WHERE order_id = c.n::text) = 0 LIMIT $1"
)
_STORED = ", ".join(STORED_COLUMNS)
_INSERT_ORDERS = f"INSERT INTO orders ({_STORED}) SELECT {_STORED} FROM {_unnest(tables.orders, STORED_COLUMNS)}"  # noqa: S608
_UPDATE_ORDERS = (
    f"UPDATE orders SET {', '.join(f'{name} = new.{name}' for name in STORED_COLUMNS[1:])} "  # noqa: S608
    f"FROM {_unnest(tables.orders, STORED_COLUMNS)} WHERE orders.order_id = new.order_id"
)
_INSERT_KEYS = (
    f"INSERT INTO idempotency_keys ({_KEY}) SELECT {_KEY} FROM {_unnest(tables.idempotency_keys, _KEY_COLUMNS)}"  # noqa: S608
)
_UPDATE_KEYS = (
    f"UPDATE idempotency_keys AS old SET {', '.join(f'{name} = new.{name}' for name in _KEY_COLUMNS[2:])} "  # noqa: S608
    f"FROM {_unnest(tables.idempotency_keys, _KEY_COLUMNS)} WHERE (old.scope, old.key) = (new.scope, new.key)"
)
# The last statement before COMMIT. It takes the head's row, which is held until the commit is seen by all: whoever
# takes the next positions waits for that. So positions become visible in their order and without a hole, and a batch
# that fails gives them back.
_PLACE = (
    "WITH head AS (UPDATE log_head SET n = n + $1, last_order_number = greatest(last_order_number, $2) RETURNING n), "  # noqa: S608
    f"placed AS (INSERT INTO order_events ({', '.join(EVENT_COLUMNS)}) "
    f"SELECT n - $1 + new.position, {', '.join(f'new.{name}' for name in EVENT_COLUMNS[1:])} "
    f"FROM head, {_unnest(tables.order_events, EVENT_COLUMNS, 5)}), "
    "marked AS (INSERT INTO meta (key, value) VALUES ($3, $4) ON CONFLICT (key) DO UPDATE SET value = excluded.value) "
    f"SELECT n - $1, pg_notify('{CHANNEL}', '') FROM head"
)


class Batch:
    """A `Transaction` of what was read for it. Positions count from 1 until they are placed.

    A change that is refused has changed nothing but this memory, and is taken back there.
    """

    def __init__(self) -> None:
        self.events: list[Logged] = []
        self._stored: set[str] = set()
        self._orders: dict[str, Order] = {}
        self._changed: dict[str, Order] = {}
        self._numbers: list[str] = []
        self._given = 0
        self._answers: dict[Keyed, Answer] = {}
        self._kept: dict[Keyed, Answer] = {}
        self._known: set[Keyed] = set()

    async def read(self, connection: Connection, works: Sequence[Work[Any]]) -> None:
        """Locks and reads what these need, in the order: orders, numbers, keys. The head of the log comes last."""
        ids = {id for work in works for id in work.order_ids}
        if ids:
            self._add(await connection.fetch(_LOCK_ORDERS, [*ids]))
        if not all(work.order_ids for work in works):
            await connection.execute("SELECT pg_advisory_xact_lock($1)", NUMBERS_LOCK)
            # Some of those may be the shop's own ids in this very batch.
            self._numbers = [row[0] for row in await connection.fetch(_FREE_NUMBERS, len(works))]
        keys = {(work.key.scope, work.key.key) for work in works if work.key is not None}
        if keys:
            rows = await connection.fetch(_LOCK_KEYS, *_arrays(keys))
            self._answers = {(row[0], row[1]): Answer(*row[2:]) for row in rows}
            self._known = {*self._answers}
            named = {answer.order_id for answer in self._answers.values()} - self._orders.keys()
            if named:
                self._add(await connection.fetch(_READ_ORDERS, [*named]))

    def _add(self, rows: Iterable[Sequence[Any]]) -> None:
        for row in rows:
            self._orders[row[0]] = order_from(row)
            self._stored.add(row[0])

    def apply(self, work: Work[Any]) -> Any:
        """Does one of them. Raises what it raises, with nothing changed."""
        before = (dict(self._orders), dict(self._changed), self._given, dict(self._answers), dict(self._kept))
        count = len(self.events)
        try:
            return work.do(self)
        except Exception:
            self._orders, self._changed, self._given, self._answers, self._kept = before
            del self.events[count:]
            raise

    async def write(self, connection: Connection, mark: Keyed) -> bool:
        """Sends what has changed, if anything has. The events get their positions here.

        ``mark``: a key of ``meta`` and what it is set to, by which the writer knows this transaction again.
        """
        new = sorted(self._changed.keys() - self._stored)
        if new:
            await connection.execute(_INSERT_ORDERS, *_arrays(order_row(self._changed[id]) for id in new))
        old = sorted(self._changed.keys() & self._stored)
        if old:
            await connection.execute(_UPDATE_ORDERS, *_arrays(order_row(self._changed[id]) for id in old))
        for sql, keys in (
            (_UPDATE_KEYS, self._known & self._kept.keys()),
            (_INSERT_KEYS, self._kept.keys() - self._known),
        ):
            if keys:
                await connection.execute(sql, *_arrays(_key_row(key, self._kept[key]) for key in sorted(keys)))
        if not self.events and not self._kept:
            return False
        last = int(self._numbers[self._given - 1]) if self._given else 0
        arrays = _arrays((event_row(event) for event, _ in self.events), len(EVENT_COLUMNS))
        ((before, _),) = await connection.fetch(_PLACE, len(self.events), last, *mark, *arrays)
        self.events = [(replace(event, position=event.position + before), order) for event, order in self.events]
        return True

    def placed(self, result: Any) -> Any:
        """What a work gave, with the positions that its events have got."""
        if isinstance(result, list):
            return [self.placed(one) for one in result]
        if not isinstance(result, Written) or result.event is None:
            return result
        return replace(result, event=self.events[result.event.position - 1][0])

    # -- `Transaction` ---------------------------------------------------------------------------------------

    def order(self, order_id: str) -> Order | None:
        return self._orders.get(order_id)

    def next_number(self) -> str:
        while True:
            number = self._numbers[self._given]
            self._given += 1
            if number not in self._orders:
                return number

    def insert(self, order: Order, change: Change) -> OrderEvent:
        return self._put(order, change, None)

    def insert_all(self, new: Sequence[tuple[Order, Change]]) -> Sequence[OrderEvent]:
        return [self._put(order, change, None) for order, change in new]

    def update(self, before: Order, order: Order, change: Change) -> OrderEvent:
        return self._put(order, change, before.status)

    def answer(self, key: IdempotencyKey) -> Answer | None:
        return self._answers.get((key.scope, key.key))

    def keep(self, key: IdempotencyKey, answer: Answer) -> None:
        self._answers[key.scope, key.key] = self._kept[key.scope, key.key] = answer

    def _put(self, order: Order, change: Change, before: str | None) -> OrderEvent:
        event = event_of(order, change, before, len(self.events) + 1)
        self._orders[order.order_id] = self._changed[order.order_id] = order
        self.events.append((event, order))
        return event


def _arrays(rows: Iterable[Sequence[Any]], columns: int = 0) -> list[list[Any]]:
    """Rows as columns."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(columns)]


def _key_row(key: Keyed, answer: Answer) -> tuple[Any, ...]:
    return (*key, answer.fingerprint, answer.order_id, answer.body, answer.at)
