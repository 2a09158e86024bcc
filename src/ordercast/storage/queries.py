"""A page of orders as SQL, written once for every database with SQLAlchemy Core. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from sqlalchemy import Select, and_, or_, select, true
from sqlalchemy.engine.default import DefaultDialect

from ordercast.errors import Invalid
from ordercast.orders.models import Order, OrderQuery
from ordercast.orders.search import fold
from ordercast.storage.rows import ORDER_COLUMNS, to_ms
from ordercast.storage.tables import log_head, orders

_DIALECT = DefaultDialect(paramstyle="qmark")
_CURSOR = re.compile(r"(-?[0-9]{1,15}) ([A-Za-z0-9_.:-]{1,64})")


def page_cursor(last: Order) -> str:
    """The opaque ``next`` of a page: where its last order stands."""
    return base64.urlsafe_b64encode(f"{to_ms(last.created_at)} {last.order_id}".encode()).decode().rstrip("=")


def parse_page_cursor(cursor: str) -> tuple[int, str]:
    """Creation time (ms) and id. Raises `Invalid`."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Invalid("cursor: must be the next of an earlier answer, unchanged")
    return int(match[1]), match[2]


def page(query: OrderQuery) -> Select[Any]:
    """One order more than the page holds, so that its end is known; raises `Invalid`.

    Each row begins with the log's head, so that both are of one moment; it stands alone where there is no order.
    """
    statement = select(*(orders.c[name] for name in ORDER_COLUMNS))
    if query.customer_id is not None:
        statement = statement.where(orders.c.customer_id == query.customer_id)
    if query.shops is not None:
        statement = statement.where(orders.c.shop_id.in_(sorted(query.shops)))
    if query.statuses is not None:
        statement = statement.where(orders.c.status.in_(sorted(query.statuses)))
    if query.text is not None:
        statement = statement.where(orders.c.search.like(containing(query.text), escape="!"))
    if query.after is not None:
        at, id = parse_page_cursor(query.after)
        older = and_(orders.c.created_at == at, orders.c.order_id < id)
        statement = statement.where(or_(orders.c.created_at < at, older))
    newest_first = _newest_first(statement, query.limit + 1)
    if query.text is not None:
        # First their ids, from the one index that has the text in it, and then of those the whole orders.
        ids = newest_first.with_only_columns(orders.c.order_id)
        whole = select(*(orders.c[name] for name in ORDER_COLUMNS)).where(orders.c.order_id.in_(ids))
        newest_first = _newest_first(whole, query.limit + 1)
    found = newest_first.subquery("found")
    return (
        select(log_head.c.n, *found.c)
        .select_from(log_head.outerjoin(found, true()))
        .order_by(found.c.created_at.desc(), found.c.order_id.desc())
    )


def _newest_first(statement: Select[Any], limit: int) -> Select[Any]:
    return statement.order_by(orders.c.created_at.desc(), orders.c.order_id.desc()).limit(limit)


def containing(text: str) -> str:
    """A pattern of LIKE for what has this text in it, folded as ``search`` is."""
    literally = re.sub("[!%_]", r"!\g<0>", fold(text))
    return f"%{literally}%"


def render(statement: Select[Any]) -> tuple[str, list[Any]]:
    """SQL with question marks, for the driver itself."""
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]
