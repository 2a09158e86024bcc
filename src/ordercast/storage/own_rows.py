"""Between a shop's rows, with what is kept beside them, and orders. Pure: statements, and what their rows mean."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    FromClause,
    Row,
    Select,
    String,
    Table,
    and_,
    cast,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.sql.dml import Delete, Insert, Update

from ordercast.errors import Invalid, StorageError
from ordercast.orders.announcements import json_name
from ordercast.orders.models import Fulfilment, Order, OrderQuery
from ordercast.orders.search import searchable
from ordercast.storage.own_fields import Field
from ordercast.storage.own_schema import answers, events, head
from ordercast.storage.queries import containing
from ordercast.storage.rows import ORDER_COLUMNS, SEARCHED, from_column, to_column

WANTED = ("order_id", "customer_id", "status", "created_at")
"""What a shop's table must keep itself."""

_ALWAYS = frozenset({"status_since", "version", "updated_at"})


class OwnRows:
    """A shop's table, and the table ``rest`` beside it that has all else."""

    def __init__(self, table: Table, rest: Table, fields: Mapping[str, Field], times_are_text: bool) -> None:
        self.table = table
        self.rest = rest
        self.fields = dict(fields)
        self.id = self.fields["order_id"]
        at = self.fields["created_at"].column
        # SQLite has times as texts, with or without a fraction: as they are there, or a page begins where it began.
        as_text = times_are_text and isinstance(at.type, DateTime)
        self._at: ColumnElement[Any] = type_coerce(at, String) if as_text else at
        self._columns = [(f.column if (f := self.fields.get(name)) else rest.c[name]) for name in ORDER_COLUMNS]
        self._both: FromClause = table.outerjoin(rest, rest.c.order_id == self.id.column)
        place: Any = tuple[_type(self._at), _type(self.id.column)]  # type: ignore[misc]  # known by the table alone
        self._place = msgspec.json.Decoder(place)

    @property
    def may_forget(self) -> bool:
        """Whether the shop's table can keep a pseudonym for a customer."""
        try:
            self.fields["customer_id"].to_row("anonymous-x")
        except ValueError:
            return False
        return True

    # -- reading -------------------------------------------------------------------------------------------

    def order(self, row: Row[Any]) -> Order:
        """An order from a row of `select`."""
        values = {name: self.value(name, raw) for name, raw in zip(ORDER_COLUMNS, row, strict=False)}
        for name in WANTED:
            if values[name] is None:
                place = f"order {values['order_id']} of the shop's table '{self.table.name}'"
                raise StorageError(f"There is no {name} in {place}: an order has one.")
        made = values["created_at"]
        # One that the shop has from before, or has made by itself: without events, and as it is.
        for name, value in (("version", 1), ("items", []), ("status_since", made), ("updated_at", made)):
            if values[name] is None:
                values[name] = value
        # A word of the shop's that is none of ours stays as it is there, and stops no list.
        kind = values["fulfilment"]
        values["fulfilment"] = Fulfilment(kind) if kind in set(Fulfilment) else Fulfilment.DELIVERY
        return Order(**values)

    def is_it(self, order_id: str) -> ColumnElement[bool]:
        """Whether a row is this order's."""
        return self._among("order_id", [order_id])

    def select(self, *where: ColumnElement[bool]) -> Select[Any]:
        """Whole orders."""
        return select(*self._columns).select_from(self._both).where(*where)

    def ids_of(self, customer_id: str) -> Select[Any]:
        """The ids of a customer's orders, as the shop's table has them."""
        return select(self.id.column).where(self._among("customer_id", [customer_id]))

    def several(self, order_ids: Collection[str]) -> Select[Any]:
        """Those of these that are there."""
        return self.select(self._among("order_id", order_ids))

    def snapshot(self, order_id: str) -> Select[Any]:
        """An order with the log's head behind it, both of one moment."""
        return self.select(self.is_it(order_id)).add_columns(select(head.c.n).scalar_subquery())

    def page(self, query: OrderQuery) -> Select[Any]:
        """One order more than the page holds, each behind the log's head, which stands alone where there is none.

        Raises `Invalid` for a cursor that is not ours.
        """
        where = []
        if query.customer_id is not None:
            where.append(self._among("customer_id", [query.customer_id]))
        if query.shops is not None:
            where.append(self._among("shop_id", query.shops))
        if query.statuses is not None:
            where.append(self._among("status", query.statuses))
        if query.text is not None:
            where.append(self.rest.c.search.like(containing(query.text), escape="!"))
        if query.after is not None:
            at, id = self._parse(query.after)
            where.append(or_(self._at < at, and_(self._at == at, self.id.column < id)))
        newest = [self._at.desc(), self.id.column.desc()]
        raw = [self._at.label("raw_at"), self.id.column.label("raw_id")]
        columns = [column.label(name) for name, column in zip(ORDER_COLUMNS, self._columns, strict=True)]
        found = select(*columns, *raw).select_from(self._both).where(*where).order_by(*newest).limit(query.limit + 1)
        page = found.subquery("found")
        return (
            select(*page.c, head.c.n)
            .select_from(head.outerjoin(page, true()))
            .order_by(page.c.raw_at.desc(), page.c.raw_id.desc())
        )

    def cursor(self, row: Row[Any]) -> str:
        """The opaque ``next`` of a page that ends with this row: where it stands, as the shop's table has it."""
        return base64.urlsafe_b64encode(msgspec.json.encode((row.raw_at, row.raw_id))).decode().rstrip("=")

    def _parse(self, cursor: str) -> tuple[Any, Any]:
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            place: tuple[Any, Any] = self._place.decode(raw)
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            raise Invalid("cursor: must be the next of an earlier answer, unchanged") from None
        return place

    def _among(self, name: str, values: Iterable[str]) -> ColumnElement[bool]:
        field = self.fields.get(name)
        if field is None:
            return self.rest.c[name].in_(sorted(values))
        found = []
        for value in values:
            try:
                found.append(field.to_row(value))
            except ValueError:
                continue  # no row has it
        return field.column.in_(found) if found else false()

    def standing(self, statuses: Collection[str]) -> Select[Any]:
        """Shop, status, orders, and those that nobody has contacted yet."""
        shop, status, contacted = (self._column(name) for name in ("shop_id", "status", "first_contact_at"))
        counts = (func.count(), func.count() - func.count(contacted))
        groups = select(shop, status, *counts).select_from(self._both)
        return groups.where(self._among("status", statuses)).group_by(shop, status)

    def _column(self, name: str) -> ColumnElement[Any]:
        return self._columns[ORDER_COLUMNS.index(name)]

    def value(self, name: str, raw: Any) -> Any:
        """An attribute from its column."""
        field = self.fields.get(name)
        return field.from_row(raw) if field else from_column(name, raw)

    # -- writing -------------------------------------------------------------------------------------------

    def inserts(self, order: Order) -> tuple[Insert, Insert]:
        """The shop's row, and the one beside it. Raises `Invalid` for what the shop's table cannot keep."""
        return insert(self.table).values(self._kept(order, self.fields)), self.beside(order)

    def beside(self, order: Order) -> Insert:
        """The row beside the shop's."""
        names = [name for name in ORDER_COLUMNS if name not in self.fields]
        values = self._rest(order, names) | {"order_id": self.id.write(order.order_id), "search": searchable(order)}
        return insert(self.rest).values(values)

    def forget(self, order_id: str) -> Delete:
        """Removes the row beside the shop's."""
        return delete(self.rest).where(self.rest.c.order_id == self.id.write(order_id))

    def forget_all(self, ids: Collection[Any]) -> tuple[Delete, Delete]:
        """Removes what is beside these rows, where they are not back, and what was answered about them."""
        texts = [self.id.from_row(id) for id in ids]
        return (
            delete(self.rest).where(self.rest.c.order_id.in_(ids), ~self._there()),
            delete(answers).where(answers.c.order_id.in_(texts)),
        )

    def updates(self, before: Order, order: Order, changed: Collection[str]) -> tuple[Update | None, Update | None]:
        """What makes ``before`` to ``order``, in the shop's row and beside it: nothing, where that does not change.

        The second finds no row where there is none yet. Raises `Invalid` for what the shop's table cannot keep.
        """
        names = _ALWAYS.union(changed)
        kept = self._kept(order, [name for name in self.fields if name in names])
        rest = self._rest(order, [name for name in ORDER_COLUMNS if name in names and name not in self.fields])
        if not SEARCHED.isdisjoint(names):
            rest["search"] = searchable(order)
        beside = self.rest.c.order_id == self.id.write(order.order_id)
        if "version" in rest:
            beside = and_(beside, self.rest.c.version == before.version)
        return (
            self.table.update().where(self.is_it(order.order_id)).values(kept) if kept else None,
            self.rest.update().where(beside).values(rest) if rest else None,
        )

    def without_rest(self, limit: int, after: Any = None) -> Select[Any]:
        """Orders of the shop's that have no row beside them yet, by their ids (the first column), from ``after`` on."""
        missing = self.select(self.rest.c.order_id.is_(None)).order_by(self.id.column).limit(limit)
        return missing if after is None else missing.where(self.id.column > after)

    def orphans(self, limit: int) -> Select[Any]:
        """What is beside rows that the shop has removed."""
        logged = select(events.c.position).where(events.c.order_id == cast(self.rest.c.order_id, String)).exists()
        return select(self.rest.c.order_id).where(~self._there(), ~logged).limit(limit)

    def _there(self) -> ColumnElement[bool]:
        return select(self.id.column).where(self.id.column == self.rest.c.order_id).correlate(self.rest).exists()

    def _kept(self, order: Order, names: Iterable[str]) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        for name in names:
            field, value = self.fields[name], getattr(order, name)
            try:
                values[field.column] = field.to_row(str(value) if isinstance(value, Fulfilment) else value)
            except ValueError as error:
                raise Invalid(f"{json_name(name)}: {error}") from None
        return values

    @staticmethod
    def _rest(order: Order, names: Iterable[str]) -> dict[str, Any]:
        return {name: to_column(name, getattr(order, name)) for name in names}


def _type(column: ColumnElement[Any]) -> type:
    """What a cursor has of such a column."""
    kind = column.type.python_type
    return kind if issubclass(kind, (int, float, str, datetime, UUID)) else str
