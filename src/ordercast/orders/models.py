"""What an order is, what may be asked of it, and what the log says happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Fulfilment(StrEnum):
    """How the order reaches the customer."""

    DELIVERY = "delivery"
    PICKUP = "pickup"


def to_utc(t: datetime) -> datetime:
    """The same time in UTC, cut to the milliseconds that our JSON and the database keep.

    Raises ``OverflowError`` for one that is outside the years 1 to 9999 there.
    """
    if t.tzinfo is not UTC:
        t = t.astimezone(UTC)
    return t.replace(microsecond=t.microsecond // 1000 * 1000)


def now() -> datetime:
    """The time, as `to_utc` gives it."""
    return to_utc(datetime.now(UTC))


def iso(t: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, as JavaScript's ``toISOString()`` writes it."""
    # Not strftime(): its %Y leaves the zeros of early years out where the C library does.
    if t.tzinfo is not UTC:
        t = t.astimezone(UTC)
    return t.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a caller says of an order that does not exist yet. ``order_id`` ``None``: Ordercast numbers it.

    ``items``, ``total`` and ``contact`` are the shop's own JSON: kept, shown, never interpreted. ``total`` is in
    the currency's major unit. ``created_at`` ``None``: now.
    """

    customer_id: str
    order_id: str | None = None
    shop_id: str | None = None
    reference: str | None = None
    fulfilment: Fulfilment = Fulfilment.DELIVERY
    items: list[Any] = field(default_factory=list)
    total: float | None = None
    currency: str | None = None
    note: str | None = None
    contact: dict[str, Any] | None = None
    expected_at: datetime | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as stored. ``version`` counts its log events from 1 without a hole. ``status_since``: when it came into
    its status, unlike ``updated_at``, which every change sets."""

    order_id: str
    customer_id: str
    shop_id: str | None = None
    reference: str | None = None
    fulfilment: Fulfilment = Fulfilment.DELIVERY
    status: str
    status_since: datetime
    version: int
    items: list[Any] = field(default_factory=list)
    total: float | None = None
    currency: str | None = None
    note: str | None = None
    contact: dict[str, Any] | None = None
    expected_at: datetime | None = None
    claimed_by: str | None = None
    first_contact_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class EventKind(StrEnum):
    """What a log event records. One event may carry a status and fields; `CHANGED` carries fields alone.

    `IMPORTED` is `CREATED` of an order that came with many others: clients are not told of each (`live/imports.py`).
    """

    CREATED = "created"
    IMPORTED = "imported"
    STATUS_CHANGED = "status_changed"
    CHANGED = "changed"
    CONTACTED = "contacted"
    CLAIMED = "claimed"
    """By whom is who made the event. Kinds of their own, since the log has no values: the name of the field alone
    would not tell taking an order from giving it back."""
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One entry of the log, at the same time audit trail and outbox.

    ``position`` is its place in the whole log (from 1, without holes), ``version`` its place in its order's
    history. It holds ids, statuses and *names* of changed fields, never their values: personal data lives in
    the order alone, so that a customer can be anonymised without touching the log.

    ``status`` is the order's status after the event, ``previous_status`` what it was before where this event
    changed it, else ``None``.
    """

    position: int
    order_id: str
    version: int
    kind: EventKind
    status: str
    previous_status: str | None = None
    fields: tuple[str, ...] = ()
    customer_id: str
    shop_id: str | None = None
    updated_by: str | None = None
    reason: str | None = None
    forced: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a use case decided to do to an order: new field values (by `Order` attribute name) and the event.

    ``values`` holds what differs, ``status`` included; never ``version`` or times of the change, which `changed` sets.
    """

    kind: EventKind
    values: Mapping[str, Any]
    updated_by: str | None
    reason: str | None = None
    forced: bool = False


CREATIONS = frozenset({EventKind.CREATED, EventKind.IMPORTED})
"""Kinds of events that an order's history begins with."""


def order_of(new: NewOrder, order_id: str, status: str, at: datetime) -> Order:
    """The order that is stored for a new one at ``at``. One with a time of its own has been in its status since then,
    for all we know."""
    return Order(
        order_id=order_id,
        customer_id=new.customer_id,
        shop_id=new.shop_id,
        reference=new.reference,
        fulfilment=new.fulfilment,
        status=status,
        status_since=new.created_at or at,
        version=1,
        items=new.items,
        total=new.total,
        currency=new.currency,
        note=new.note,
        contact=new.contact,
        expected_at=new.expected_at,
        created_at=new.created_at or at,
        updated_at=at,
    )


def changed(order: Order, change: Change, at: datetime) -> Order:
    """The order after a change."""
    since = at if "status" in change.values else order.status_since
    return replace(order, **change.values, status_since=since, version=order.version + 1, updated_at=at)


def event_of(order: Order, change: Change, before: str | None, position: int) -> OrderEvent:
    """The log's entry for a change that made ``order`` of one that was in the status ``before``."""
    return OrderEvent(
        position=position,
        order_id=order.order_id,
        version=order.version,
        kind=change.kind,
        status=order.status,
        previous_status=before if "status" in change.values else None,
        fields=tuple(name for name in change.values if name != "status"),
        customer_id=order.customer_id,
        shop_id=order.shop_id,
        updated_by=change.updated_by,
        reason=change.reason,
        forced=change.forced,
        at=order.updated_at,
    )


Logged = tuple[OrderEvent, Order | None]
"""An event and its order as that change left it, where that is at hand: not for long, and never in the log."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An order and the log position up to which it is complete, both read in one transaction."""

    order: Order
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """A page of orders, newest first by (created_at, order_id).

    ``customer_id`` / ``shops`` restrict to one customer / to some shops (``None``: no restriction), ``statuses``
    to some statuses, ``text`` to those that have it in what `ordercast.orders.search` looks at. ``after`` is the
    opaque ``next`` of the page before. ``limit`` is 1 to 500.
    """

    customer_id: str | None = None
    shops: frozenset[str] | None = None
    statuses: frozenset[str] | None = None
    text: str | None = None
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """``next`` is ``None`` on the last page. ``position``: the log position the page is complete up to."""

    orders: list[Order]
    next: str | None
    position: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """An ``Idempotency-Key`` with what it is bound to: the caller and route (``scope``), and the body's hash."""

    scope: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Written:
    """The outcome of a write.

    ``event`` is ``None`` where nothing changed or the answer was given before (``replayed``: the stored answer
    to the same `IdempotencyKey`, byte for byte).
    """

    order: Order
    event: OrderEvent | None = None
    replayed: bytes | None = None

    @property
    def created(self) -> bool:
        """Whether it made the order."""
        return self.event is not None and self.event.kind in CREATIONS
