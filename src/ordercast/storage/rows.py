"""Between rows and models, pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ordercast.orders.models import EventKind, Fulfilment, Order, OrderEvent
from ordercast.orders.search import searchable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)

ORDER_COLUMNS = (
    "order_id",
    "customer_id",
    "shop_id",
    "reference",
    "fulfilment",
    "status",
    "status_since",
    "version",
    "items",
    "total",
    "currency",
    "note",
    "contact",
    "expected_at",
    "claimed_by",
    "first_contact_at",
    "created_at",
    "updated_at",
)
STORED_COLUMNS = (*ORDER_COLUMNS, "search")
"""What an order is kept as: with what a text finds it by, too."""

SEARCHED = frozenset({"reference", "contact"})
"""What that comes from, besides the id."""

EVENT_COLUMNS = (
    "position",
    "order_id",
    "version",
    "kind",
    "status",
    "previous_status",
    "fields",
    "customer_id",
    "shop_id",
    "updated_by",
    "reason",
    "forced",
    "at",
)

SELECT_ORDER = f"SELECT {', '.join(ORDER_COLUMNS)} FROM orders WHERE order_id = ?"  # noqa: S608 - our own column names

_TIMES = frozenset({"status_since", "expected_at", "first_contact_at", "created_at", "updated_at", "at"})
_JSON = frozenset({"items", "contact", "fields"})


def to_ms(time: datetime) -> int:
    """Milliseconds since the epoch, exactly."""
    return (time - _EPOCH) // _MS


def from_ms(ms: int) -> datetime:
    """The time in UTC."""
    return _EPOCH + ms * _MS


def to_column(name: str, value: Any) -> Any:
    """A model's attribute as its column keeps it."""
    if value is None:
        return None
    if name in _TIMES:
        return to_ms(value)
    if name in _JSON:
        return msgspec.json.encode(value).decode()
    return str(value) if name in ("fulfilment", "kind") else value


def from_column(name: str, value: Any) -> Any:
    """A model's attribute from what its column keeps."""
    if value is None:
        return None
    if name in _TIMES:
        return from_ms(value)
    return msgspec.json.decode(value) if name in _JSON else value


def order_row(order: Order) -> tuple[Any, ...]:
    """An order in the order of `STORED_COLUMNS`. Written out, as imports make very many."""
    return (
        order.order_id,
        order.customer_id,
        order.shop_id,
        order.reference,
        order.fulfilment.value,
        order.status,
        to_ms(order.status_since),
        order.version,
        to_column("items", order.items),
        order.total,
        order.currency,
        order.note,
        to_column("contact", order.contact),
        to_column("expected_at", order.expected_at),
        order.claimed_by,
        to_column("first_contact_at", order.first_contact_at),
        to_ms(order.created_at),
        to_ms(order.updated_at),
        searchable(order),
    )


def event_row(event: OrderEvent) -> tuple[Any, ...]:
    """An event in the order of `EVENT_COLUMNS`. Written out, as every change makes one."""
    return (
        event.position,
        event.order_id,
        event.version,
        event.kind.value,
        event.status,
        event.previous_status,
        to_column("fields", event.fields),
        event.customer_id,
        event.shop_id,
        event.updated_by,
        event.reason,
        event.forced,
        to_ms(event.at),
    )


def order_from(row: Sequence[Any]) -> Order:
    """An order from a row of `ORDER_COLUMNS`."""
    return Order(
        order_id=row[0],
        customer_id=row[1],
        shop_id=row[2],
        reference=row[3],
        fulfilment=Fulfilment(row[4]),
        status=row[5],
        status_since=from_ms(row[6]),
        version=row[7],
        items=msgspec.json.decode(row[8]),
        total=row[9],
        currency=row[10],
        note=row[11],
        contact=None if row[12] is None else msgspec.json.decode(row[12]),
        expected_at=None if row[13] is None else from_ms(row[13]),
        claimed_by=row[14],
        first_contact_at=None if row[15] is None else from_ms(row[15]),
        created_at=from_ms(row[16]),
        updated_at=from_ms(row[17]),
    )


def event_from(row: Sequence[Any]) -> OrderEvent:
    """An event from a row of `EVENT_COLUMNS`."""
    return OrderEvent(
        position=row[0],
        order_id=row[1],
        version=row[2],
        kind=EventKind(row[3]),
        status=row[4],
        previous_status=row[5],
        fields=tuple(msgspec.json.decode(row[6])),
        customer_id=row[7],
        shop_id=row[8],
        updated_by=row[9],
        reason=row[10],
        forced=bool(row[11]),
        at=from_ms(row[12]),
    )
