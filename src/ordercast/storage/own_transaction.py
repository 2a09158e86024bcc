"""What a change of a shop's own order works with (`Transaction`): its row, what is beside it, its event and what was
answered, on one connection of the shop's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable, delete, insert, select, update

from ordercast.errors import Invalid, OrderExists, StorageError
from ordercast.orders.models import Change, IdempotencyKey, Logged, Order, OrderEvent, event_of
from ordercast.storage.driver import Answer
from ordercast.storage.own_rows import OwnRows
from ordercast.storage.own_schema import answers, events, head
from ordercast.storage.rows import EVENT_COLUMNS, event_row

_NUMBERS = 100
"""Ids that may be taken already when one is asked for: by who was faster, or by the shop itself."""

_TAKE_POSITION = update(head).values(n=head.c.n + 1).returning(head.c.n)
TAKE_TURN = update(head).values(n=head.c.n)
"""Waits for whoever writes to the log, and has others wait from now on."""


class Refused(Exception):
    """What a change raised by itself, apart from what the database did."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@dataclass(slots=True)
class OwnTransaction:
    """What a change works with (`Transaction`): the shop's connection."""

    db: Connection
    rows: OwnRows
    next_id: Executable | None
    events: list[Logged] = field(default_factory=list)

    def order(self, order_id: str) -> Order | None:
        is_it = self.rows.is_it(order_id)
        if self.db.dialect.name != "sqlite":
            # Before it is read: what is beside a row that had to be waited for would be as it was before that.
            self.db.execute(select(self.rows.id.column).where(is_it).with_for_update())
        row = self.db.execute(self.rows.select(is_it)).first()
        return None if row is None else self.rows.order(row)

    def next_number(self) -> str:
        if self.next_id is None:
            raise Invalid("orderId: must be given, since this shop numbers its orders itself")
        self.db.execute(TAKE_TURN)  # or two might be given the same
        for _ in range(_NUMBERS):
            id = str(self.rows.id.from_row(self.db.execute(self.next_id).scalar_one()))
            if self.order(id) is None:
                return id
        raise Refused(StorageError(f"The shop's next_id gave {_NUMBERS} ids that are taken: let it go on behind them."))

    def insert(self, order: Order, change: Change) -> OrderEvent:
        statements = self.rows.inserts(order)
        # Or who has the head waits for a new row of the same id, and who made that for the head.
        self.db.execute(TAKE_TURN)
        for statement in statements:
            self.db.execute(statement)
        return self._append(order, change, None)

    def insert_all(self, new: Sequence[tuple[Order, Change]]) -> Sequence[OrderEvent]:
        return [self.insert(order, change) for order, change in new]

    def update(self, before: Order, order: Order, change: Change) -> OrderEvent:
        theirs, beside = self.rows.updates(before, order, change.values)
        if theirs is not None:
            self.db.execute(theirs)
        if beside is not None and not self.db.execute(beside).rowcount:
            self.db.execute(self.rows.beside(order))  # fails where another has changed it meanwhile
        return self._append(order, change, before.status)

    def place(self, order: Order, change: Change) -> OrderEvent:
        """The first event of an order whose row the shop has made by itself. Raises `OrderExists` where it has one."""
        its = events.c.order_id == order.order_id
        if order.version > 1 or self.db.execute(select(events.c.position).where(its)).first() is not None:
            raise OrderExists(f"The order '{order.order_id}' has been placed already.")
        self.db.execute(self.rows.forget(order.order_id))  # what it was adopted with
        self.db.execute(self.rows.beside(order))
        return self._append(order, change, None)

    def answer(self, key: IdempotencyKey) -> Answer | None:
        columns = (answers.c.fingerprint, answers.c.order_id, answers.c.body, answers.c.created_at)
        row = self.db.execute(_of(select(*columns), key)).first()
        return None if row is None else Answer(*row)

    def keep(self, key: IdempotencyKey, answer: Answer) -> None:
        if (old := self.answer(key)) is not None:
            self.db.execute(_of(delete(answers), key).where(answers.c.created_at == old.at))
        kept = {"fingerprint": answer.fingerprint, "order_id": answer.order_id, "body": answer.body}
        self.db.execute(insert(answers).values(scope=key.scope, key=key.key, created_at=answer.at, **kept))

    def _append(self, order: Order, change: Change, before: str | None) -> OrderEvent:
        # Late: from here to the commit, whoever else writes waits.
        position = self.db.execute(_TAKE_POSITION).scalar_one()
        event = event_of(order, change, before, position)
        self.db.execute(insert(events).values(dict(zip(EVENT_COLUMNS, event_row(event), strict=True))))
        self.events.append((event, order))
        return event


def _of(statement: Any, key: IdempotencyKey) -> Any:
    return statement.where(answers.c.scope == key.scope, answers.c.key == key.key)
