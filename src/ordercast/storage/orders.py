"""Orders in SQL: `OrderRepository` of the domain's ports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from ordercast.errors import NotFound, OrderExists, Problem
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
    changed,
    now,
    order_of,
)
from ordercast.orders.ports import Decide, Put, Render
from ordercast.storage import queries
from ordercast.storage.driver import Readers, Transaction, Work, Writer
from ordercast.storage.idempotency import Answers
from ordercast.storage.rows import EVENT_COLUMNS, ORDER_COLUMNS, SELECT_ORDER, event_from, order_from

_SELECT_SNAPSHOT = SELECT_ORDER.replace(" FROM", ", (SELECT n FROM log_head) FROM", 1)
_SELECT_HISTORY = f"SELECT {', '.join(EVENT_COLUMNS)} FROM order_events WHERE order_id = ? ORDER BY version"  # noqa: S608 - our own column names
_SELECT_ORDERS = SELECT_ORDER.replace("= ?", "IN ({})")


class SqlOrders:
    """The repository. Every write goes through the `Writer`, every read past it."""

    def __init__(self, writer: Writer, readers: Readers, answers: Answers) -> None:
        self._writer = writer
        self._readers = readers
        self._answers = answers

    # -- reading -------------------------------------------------------------------------------------------

    async def get(self, order_id: str) -> Order | None:
        rows = await self._readers.fetch(SELECT_ORDER, order_id)
        return order_from(rows[0]) if rows else None

    async def get_all(self, order_ids: Collection[str]) -> Sequence[Order]:
        ids = [*order_ids]
        if not ids:
            return []
        # As many question marks as the next power of two, so that there are few such statements to prepare.
        ids += [ids[-1]] * ((1 << (len(ids) - 1).bit_length()) - len(ids))
        sql = _SELECT_ORDERS.format(", ".join("?" * len(ids)))
        return [order_from(row) for row in await self._readers.fetch(sql, *ids)]

    async def snapshot(self, order_id: str) -> Snapshot | None:
        rows = await self._readers.fetch(_SELECT_SNAPSHOT, order_id)
        return Snapshot(order_from(rows[0]), rows[0][len(ORDER_COLUMNS)]) if rows else None

    async def find(self, query: OrderQuery) -> OrderPage:
        sql, parameters = queries.render(queries.page(query))
        rows = await self._readers.fetch(sql, *parameters)
        position = rows[0][0]  # beside every order, and alone where there is none
        found = [order_from(row[1:]) for row in rows if row[1] is not None]
        rest = len(found) > query.limit
        found = found[: query.limit]
        return OrderPage(found, queries.page_cursor(found[-1]) if rest else None, position)

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        return [event_from(row) for row in await self._readers.fetch(_SELECT_HISTORY, order_id)]

    # -- writing -------------------------------------------------------------------------------------------

    async def create(
        self,
        new: NewOrder,
        status: str,
        updated_by: str,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def do(transaction: Transaction) -> Written:
            id = new.order_id if new.order_id is not None else transaction.next_number()
            if transaction.order(id) is not None:
                raise OrderExists(f"There is an order '{id}' already. Choose another orderId, or leave it out.")
            order = order_of(new, id, status, now())
            change = Change(kind=EventKind.CREATED, values={}, updated_by=updated_by)
            return Written(order, transaction.insert(order, change))

        return await self._write(do, () if new.order_id is None else (new.order_id,), idempotency, render)

    async def change(
        self,
        order_id: str,
        decide: Decide,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def do(transaction: Transaction) -> Written:
            before = transaction.order(order_id)
            if before is None:
                raise NotFound
            return _changed(transaction, before, decide)

        return await self._write(do, (order_id,), idempotency, render)

    async def put(self, new: NewOrder, status: str, created: Change, decide: Decide) -> Written:
        one = Put(new, status, created, decide)
        return await self._writer.submit(Work(lambda transaction: _put(transaction, one), (id_of(one),)))

    async def put_all(self, puts: Sequence[Put]) -> Sequence[Written | Problem]:
        ids = [id_of(one) for one in puts]

        def do(transaction: Transaction) -> list[Written | Problem]:
            fresh: dict[str, Put] = {}
            for id, one in zip(ids, puts, strict=True):
                if id not in fresh and transaction.order(id) is None:
                    fresh[id] = one
            new = [(order_of(one.new, id, one.status, now()), one.created) for id, one in fresh.items()]
            events = transaction.insert_all(new)
            made: dict[str, Written | Problem] = {
                event.order_id: Written(order, event) for event, (order, _) in zip(events, new, strict=True)
            }
            return [
                made.pop(id) if id in made else put_or_refused(transaction, one)
                for id, one in zip(ids, puts, strict=True)
            ]

        return await self._writer.submit(Work(do, ids)) if puts else []

    async def _write(
        self,
        do: Callable[[Transaction], Written],
        order_ids: Collection[str],
        key: IdempotencyKey | None,
        render: Render | None,
    ) -> Written:
        if key is None or render is None:
            return await self._writer.submit(Work(do, order_ids))
        await self._answers.tidy(self._writer)

        def again(transaction: Transaction) -> Written | None:
            known = self._answers.known(transaction, key)
            if known is None:
                return None
            order = transaction.order(known.order_id)
            if order is None:
                raise NotFound
            return Written(order, replayed=known.body or render(order))

        def keyed(transaction: Transaction) -> Written:
            if (replayed := again(transaction)) is not None:
                return replayed
            try:
                written = do(transaction)
            except Problem:
                # Perhaps for what the same request has done meanwhile: where transactions overlap, as those of a
                # shop's own PostgreSQL, it may have been committed since the look above.
                if (replayed := again(transaction)) is not None:
                    return replayed
                raise
            self._answers.keep(transaction, key, written.order.order_id, render(written.order))
            return written

        return await self._writer.submit(Work(keyed, order_ids, key))


def id_of(put: Put) -> str:
    """The id that it must have."""
    if put.new.order_id is None:
        raise ValueError("put is for orders that have an id")
    return put.new.order_id


def _put(transaction: Transaction, put: Put) -> Written:
    id = id_of(put)
    before = transaction.order(id)
    if before is not None:
        return _changed(transaction, before, put.decide)
    order = order_of(put.new, id, put.status, now())
    return Written(order, transaction.insert(order, put.created))


def put_or_refused(transaction: Transaction, put: Put) -> Written | Problem:
    """One of many: what came of it, or why it was refused."""
    try:
        return _put(transaction, put)
    except Problem as problem:  # which `decide` raises, with nothing written
        return problem


def _changed(transaction: Transaction, before: Order, decide: Decide) -> Written:
    change = decide(before)
    if change is None:
        return Written(before)
    order = changed(before, change, now())
    return Written(order, transaction.update(before, order, change))
