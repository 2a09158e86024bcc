"""A shop's own orders behind the domain's ports; what they share with ours is in `orders.py` and `figures.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy.exc import DBAPIError, IntegrityError

from ordercast.errors import Problem
from ordercast.orders.figures import Fact, Standing
from ordercast.orders.models import Order, OrderPage, OrderQuery, Snapshot, Written
from ordercast.orders.ports import Put
from ordercast.storage.driver import Row, Statement, Transaction, Work, Writer
from ordercast.storage.figures import SqlFigures, facts_sql
from ordercast.storage.idempotency import Answers
from ordercast.storage.orders import SqlOrders, id_of, put_or_refused
from ordercast.storage.own_rows import OwnRows
from ordercast.storage.own_transaction import OwnTransaction
from ordercast.storage.own_writer import OwnReaders, refusal
from ordercast.storage.personal import EVENTS, OWN_REQUESTS, own_requests
from ordercast.storage.rows import ORDER_COLUMNS, to_ms

_AT_ONCE = 1_000  # ids in a query: far below what any database takes as parameters
_ANSWERS = "UPDATE idempotency_keys SET body = ? WHERE order_id = ?"
_THEIRS = "SELECT DISTINCT order_id FROM order_events WHERE customer_id = ?"


class OwnOrders(SqlOrders):
    """`OrderRepository` over the shop's table."""

    def __init__(self, writer: Writer, readers: OwnReaders, answers: Answers, rows: OwnRows) -> None:
        super().__init__(writer, readers, answers)
        self._rows = rows
        self._theirs = readers

    async def get(self, order_id: str) -> Order | None:
        found = await self._theirs.rows(self._rows.select(self._rows.is_it(order_id)))
        return self._rows.order(found[0]) if found else None

    async def get_all(self, order_ids: Collection[str]) -> Sequence[Order]:
        ids = [*order_ids]
        found: list[Any] = []
        for start in range(0, len(ids), _AT_ONCE):
            found += await self._theirs.rows(self._rows.several(ids[start : start + _AT_ONCE]))
        return [self._rows.order(row) for row in found]

    async def snapshot(self, order_id: str) -> Snapshot | None:
        found = await self._theirs.rows(self._rows.snapshot(order_id))
        return Snapshot(self._rows.order(found[0]), found[0][len(ORDER_COLUMNS)]) if found else None

    async def put_all(self, puts: Sequence[Put]) -> Sequence[Written | Problem]:
        ids = [id_of(one) for one in puts]

        def do(transaction: Transaction) -> list[Written | Problem]:
            for id in sorted({*ids}):
                transaction.order(id)  # locked, all in one sequence, before the first has a position
            return [_alone(cast(OwnTransaction, transaction), one) for one in puts]

        return await self._writer.submit(Work(do, ids)) if puts else []

    async def find(self, query: OrderQuery) -> OrderPage:
        rows = await self._theirs.rows(self._rows.page(query))
        position = rows[0].n  # beside every order, and alone where there is none
        found = [row for row in rows if row.raw_id is not None]
        page = found[: query.limit]
        cursor = self._rows.cursor(page[-1]) if len(found) > query.limit else None
        orders = [self._rows.order(row) for row in page]
        if query.customer_id is not None:  # their column may take 'Bob' and 'bob' for one
            orders = [order for order in orders if order.customer_id == query.customer_id]
        if query.shops is not None:
            orders = [order for order in orders if order.shop_id in query.shops]
        if cursor is not None and not orders:  # whoever reads until there is nothing would end too soon
            return replace(await self.find(replace(query, after=cursor)), position=position)
        return OrderPage(orders, cursor, position)


def _alone(transaction: OwnTransaction, put: Put) -> Written | Problem:
    """One of many, of which the others stay where the shop's table does not take it."""
    logged = len(transaction.events)
    for last in (False, True):
        try:
            with transaction.db.begin_nested():
                return put_or_refused(transaction, put)
        except DBAPIError as error:
            del transaction.events[logged:]
            refused = refusal(error)
            if not isinstance(refused, Problem):
                raise
            if last or not isinstance(error, IntegrityError):
                return refused
            # Once more: who was faster with this id is seen now.
    raise AssertionError("unreachable")


class OwnFigures(SqlFigures):
    """`Figures`: the log's part as in our own database, the orders' part from the shop's table."""

    _facts = facts_sql("0", "0")  # which of them: their orders say the rest

    def __init__(self, readers: OwnReaders, orders: OwnOrders, rows: OwnRows) -> None:
        super().__init__(readers)
        self._orders = orders
        self._rows = rows
        self._theirs = readers

    async def _made(self, rows: Sequence[Row]) -> list[Fact]:
        asked = {row[1] for row in rows if row[8] is not None or row[9] is not None}
        orders = {order.order_id: order for order in await self._orders.get_all(asked)}
        return await super()._made([_completed(row, orders.get(row[1])) for row in rows])

    async def standing(self, statuses: Collection[str]) -> Sequence[Standing]:
        if not statuses:
            return []
        value = self._rows.value
        return [
            Standing(value("shop_id", shop), value("status", status), orders, waiting)
            for shop, status, orders, waiting in await self._theirs.rows(self._rows.standing(statuses))
        ]


def _completed(row: Row, order: Order | None) -> Row:
    *fact, created, waited = row
    if order is None:  # the shop has removed it
        return (*fact, None, None)
    contact = order.first_contact_at
    return (
        *fact,
        None if created is None else to_ms(order.created_at),
        None if waited is None or contact is None else to_ms(contact) - to_ms(order.created_at),
    )


class OwnPersonalData:
    """`PersonalData` of what is in the shop's database."""

    def __init__(self, writer: Writer, readers: OwnReaders, rows: OwnRows) -> None:
        self._writer = writer
        self._readers = readers
        self._rows = rows

    async def replace_customer(self, customer_id: str, pseudonym: str) -> None:
        logged = await self._readers.fetch(_THEIRS, customer_id)
        renamed = await self._readers.rows(self._rows.ids_of(pseudonym))
        ids = {row[0] for row in logged} | {self._rows.id.from_row(row[0]) for row in renamed}
        await self._writer.run(
            Statement(_ANSWERS, many=[(b"", id) for id in sorted(ids)] or [(b"", "")]),
            Statement(OWN_REQUESTS, (own_requests(customer_id),)),
            Statement(EVENTS, (pseudonym, customer_id, pseudonym, customer_id)),
            alone=True,
        )
