"""Orders in SQLite: `OrderRepository` of the domain's ports."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from ordercast.errors import IdempotencyKeyReused, NotFound, OrderExists
from ordercast.orders.models import (
    Change,
    EventKind,
    IdempotencyKey,
    NewOrder,
    Order,
    OrderEvent,
    OrderPage,
    OrderQuery,
    Snapshot,
    Written,
    event_of,
    now,
)
from ordercast.orders.ports import Decide, Render
from ordercast.storage import queries
from ordercast.storage.rows import EVENT_COLUMNS, ORDER_COLUMNS, event_from, order_from, order_row, to_column, to_ms
from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

_ORDER = ", ".join(ORDER_COLUMNS)
_EVENT = ", ".join(EVENT_COLUMNS)
_SELECT_ORDER = f"SELECT {_ORDER} FROM orders WHERE order_id = ?"  # noqa: S608 - our own column names, here and below
_SELECT_SNAPSHOT = f"SELECT {_ORDER}, (SELECT n FROM log_head) FROM orders WHERE order_id = ?"  # noqa: S608
_INSERT_ORDER = f"INSERT INTO orders ({_ORDER}) VALUES ({', '.join('?' * len(ORDER_COLUMNS))})"  # noqa: S608
_SELECT_HISTORY = f"SELECT {_EVENT} FROM order_events WHERE order_id = ? ORDER BY version"  # noqa: S608
_NEXT_NUMBER = (
    "UPDATE log_head SET last_order_number = (WITH RECURSIVE taken (n) AS (SELECT last_order_number + 1 UNION ALL "
    "SELECT n + 1 FROM taken WHERE EXISTS (SELECT 1 FROM orders WHERE order_id = CAST(n AS TEXT))) "
    "SELECT max(n) FROM taken) RETURNING last_order_number"
)
_DIALECT = SQLiteDialect_pysqlite()

_PURGE_EVERY = 1_000
"""Keyed writes between two purges of expired idempotency keys."""


class SqliteOrders:
    """The repository. Every write goes through the `Writer`, every read past it."""

    def __init__(self, writer: Writer, readers: Readers, idempotency_ttl: float) -> None:
        self._writer = writer
        self._readers = readers
        self._ttl_ms = round(idempotency_ttl * 1000)
        self._keyed = 0

    # -- reading -------------------------------------------------------------------------------------------

    async def get(self, order_id: str) -> Order | None:
        return await self._readers.run(lambda db: _select(db, order_id))

    async def snapshot(self, order_id: str) -> Snapshot | None:
        row = await self._readers.run(lambda db: db.execute(_SELECT_SNAPSHOT, (order_id,)).fetchone())
        return None if row is None else Snapshot(order_from(row), row[-1])

    async def find(self, query: OrderQuery) -> OrderPage:
        sql, parameters = queries.render(queries.page(query), _DIALECT)

        def read(db: sqlite3.Connection) -> tuple[list[Order], int]:
            db.execute("BEGIN")
            try:
                found = [order_from(row) for row in db.execute(sql, parameters)]
                return found, db.execute("SELECT n FROM log_head").fetchone()[0]
            finally:
                db.execute("COMMIT")

        found, position = await self._readers.run(read)
        rest = len(found) > query.limit
        found = found[: query.limit]
        return OrderPage(found, queries.page_cursor(found[-1]) if rest else None, position)

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        return await self._readers.run(lambda db: [event_from(row) for row in db.execute(_SELECT_HISTORY, (order_id,))])

    # -- writing -------------------------------------------------------------------------------------------

    async def create(
        self,
        new: NewOrder,
        status: str,
        updated_by: str,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def work(transaction: Transaction) -> Written:
            db = transaction.db
            id = new.order_id if new.order_id is not None else _number(db)
            if _select(db, id) is not None:
                raise OrderExists(f"There is an order '{id}' already. Choose another orderId, or leave it out.")
            at = now()
            order = Order(
                order_id=id,
                customer_id=new.customer_id,
                shop_id=new.shop_id,
                reference=new.reference,
                fulfilment=new.fulfilment,
                status=status,
                version=1,
                items=new.items,
                total=new.total,
                currency=new.currency,
                note=new.note,
                contact=new.contact,
                expected_at=new.expected_at,
                created_at=at,
                updated_at=at,
            )
            db.execute(_INSERT_ORDER, order_row(order))
            change = Change(kind=EventKind.CREATED, values={}, updated_by=updated_by)
            return Written(order, transaction.append(event_of(order, change, None, transaction.position + 1), order))

        return await self._write(work, idempotency, render)

    async def change(
        self,
        order_id: str,
        decide: Decide,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def work(transaction: Transaction) -> Written:
            before = _select(transaction.db, order_id)
            if before is None:
                raise NotFound
            change = decide(before)
            if change is None:
                return Written(before)
            values = dict(change.values) | {"version": before.version + 1, "updated_at": now()}
            sets = ", ".join(f"{name} = ?" for name in values)
            columns = [to_column(name, value) for name, value in values.items()]
            transaction.db.execute(
                f"UPDATE orders SET {sets} WHERE order_id = ? AND version = ?",  # noqa: S608 - names of `Order`'s own
                (*columns, order_id, before.version),
            )
            order = replace(before, **values)
            return Written(
                order, transaction.append(event_of(order, change, before.status, transaction.position + 1), order)
            )

        return await self._write(work, idempotency, render)

    async def _write(
        self, work: Callable[[Transaction], Written], key: IdempotencyKey | None, render: Render | None
    ) -> Written:
        if key is None or render is None:
            return await self._writer.submit(work)
        self._keyed += 1
        purge = self._keyed % _PURGE_EVERY == 0

        def keyed(transaction: Transaction) -> Written:
            db, at = transaction.db, to_ms(now())
            if purge:
                db.execute("DELETE FROM idempotency_keys WHERE created_at < ?", (at - self._ttl_ms,))
            known = db.execute(
                "SELECT fingerprint, order_id, body FROM idempotency_keys "
                "WHERE scope = ? AND key = ? AND created_at >= ?",
                (key.scope, key.key, at - self._ttl_ms),
            ).fetchone()
            if known is not None:
                return _replay(db, key, *known)
            written = work(transaction)
            db.execute(
                "INSERT OR REPLACE INTO idempotency_keys (scope, key, fingerprint, order_id, body, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (key.scope, key.key, key.fingerprint, written.order.order_id, render(written.order), at),
            )
            return written

        return await self._writer.submit(keyed)


def _replay(db: sqlite3.Connection, key: IdempotencyKey, fingerprint: str, order_id: str, body: bytes) -> Written:
    if fingerprint != key.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another body. Use a new key for a new request."
        )
    order = _select(db, order_id)
    if order is None:
        raise NotFound
    return Written(order, replayed=body)


def _select(db: sqlite3.Connection, order_id: str) -> Order | None:
    row = db.execute(_SELECT_ORDER, (order_id,)).fetchone()
    return None if row is None else order_from(row)


def _number(db: sqlite3.Connection) -> str:
    """The next number that no order has, the shop's own ids considered."""
    ((number,),) = db.execute(_NEXT_NUMBER).fetchall()
    return str(number)
