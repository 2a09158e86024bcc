"""Orders in SQLite: `OrderRepository` of the domain's ports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from ordercast.errors import NotFound, OrderExists
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
from ordercast.storage.idempotency import Answer, Answers
from ordercast.storage.rows import EVENT_COLUMNS, ORDER_COLUMNS, event_from, order_from, order_row, to_column
from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

_ORDER = ", ".join(ORDER_COLUMNS)
_EVENT = ", ".join(EVENT_COLUMNS)
_SELECT_ORDER = f"SELECT {_ORDER} FROM orders WHERE order_id = ?"  # noqa: S608 - our own column names, here and below
_SELECT_ORDERS = f"SELECT {_ORDER} FROM orders WHERE order_id IN (SELECT value FROM json_each(?))"  # noqa: S608
_SELECT_SNAPSHOT = f"SELECT {_ORDER}, (SELECT n FROM log_head) FROM orders WHERE order_id = ?"  # noqa: S608
_INSERT_ORDER = f"INSERT INTO orders ({_ORDER}) VALUES ({', '.join('?' * len(ORDER_COLUMNS))})"  # noqa: S608
_SELECT_HISTORY = f"SELECT {_EVENT} FROM order_events WHERE order_id = ? ORDER BY version"  # noqa: S608
_NEXT_NUMBER = (
    "UPDATE log_head SET last_order_number = (WITH RECURSIVE taken (n) AS (SELECT last_order_number + 1 UNION ALL "
    "SELECT n + 1 FROM taken WHERE EXISTS (SELECT 1 FROM orders WHERE order_id = CAST(n AS TEXT))) "
    "SELECT max(n) FROM taken) RETURNING last_order_number"
)
_DIALECT = SQLiteDialect_pysqlite()


class SqliteOrders:
    """The repository. Every write goes through the `Writer`, every read past it."""

    def __init__(self, writer: Writer, readers: Readers, answers: Answers) -> None:
        self._writer = writer
        self._readers = readers
        self._answers = answers

    # -- reading -------------------------------------------------------------------------------------------

    async def get(self, order_id: str) -> Order | None:
        return await self._readers.run(lambda db: _select(db, order_id))

    async def get_all(self, order_ids: Collection[str]) -> Sequence[Order]:
        asked = json.dumps([*order_ids])
        return await self._readers.run(lambda db: [order_from(row) for row in db.execute(_SELECT_ORDERS, (asked,))])

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

        def keyed(transaction: Transaction) -> Written:
            db = transaction.db
            known = self._answers.known(db, key)
            if known is not None:
                order = _select(db, known.order_id)
                if order is None:
                    raise NotFound
                return Written(order, replayed=known.body)
            written = work(transaction)
            self._answers.keep(db, key, Answer(render(written.order), written.order.order_id))
            return written

        return await self._writer.submit(keyed)


def _select(db: sqlite3.Connection, order_id: str) -> Order | None:
    row = db.execute(_SELECT_ORDER, (order_id,)).fetchone()
    return None if row is None else order_from(row)


def _number(db: sqlite3.Connection) -> str:
    """The next number that no order has, the shop's own ids considered."""
    ((number,),) = db.execute(_NEXT_NUMBER).fetchall()
    return str(number)
