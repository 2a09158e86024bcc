"""What an event of the log means to whom: the contract's Socket.IO events, pure.

The same announcements go out over sockets (`ordercast.live.feed`) and answer ``GET /api/events``, so that whoever
polls sees what whoever listens would have heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from ordercast.orders.ids import json_id
from ordercast.orders.models import CREATIONS, EventKind, Order, OrderEvent, iso
from ordercast.orders.principal import Principal

Step = Callable[[str], Any]
"""The customer-facing step of a status (`Workflow.step`)."""


class Audience(Enum):
    """Who an announcement is for. Shops are minded by whoever resolves it."""

    OPERATORS = "operators"
    CUSTOMER = "customer"
    CUSTOMER_AND_WATCHERS = "customer_and_watchers"
    GUESTS = "guests"
    """Those who have a share link of the order."""
    EVERYBODY = "everybody"
    """Customer, watchers and guests."""
    FORMER = "former"
    """Those whose order it was before (`Announcement.former`), as far as they may not see it any more."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event to one audience. ``unless_operator``: those who sit with the operators have got it already.
    ``former``: an event of the order from when it was theirs, where the audience is `Audience.FORMER`."""

    event: str
    data: Mapping[str, Any]
    audience: Audience
    unless_operator: bool = False
    former: OrderEvent | None = None


HIDDEN_FROM_CUSTOMERS = frozenset({"claimed_by"})
"""Order attributes that are the shop's own business."""

SHOWN_TO_GUESTS = frozenset(
    {"shop_id", "reference", "fulfilment", "items", "total", "currency", "expected_at", "created_at"}
)
"""Order attributes that whoever has a share link sees, besides its id, status, version and times. Nothing personal."""

_OWNERS = frozenset({"customer_id", "shop_id"})

_JSON_NAMES = {
    "shop_id": "shopId",
    "customer_id": "customerId",
    "expected_at": "expectedAt",
    "claimed_by": "claimedBy",
    "first_contact_at": "firstContactAt",
    "created_at": "createdAt",
}


def json_name(field: str) -> str:
    """The JSON name of an `Order` attribute."""
    return _JSON_NAMES.get(field, field)


def json_value(field: str, value: Any) -> Any:
    """The JSON form of an `Order` attribute's value."""
    if isinstance(value, datetime):
        return iso(value)
    if field in ("order_id", "shop_id", "customer_id", "claimed_by") and value is not None:
        return json_id(value)
    return value


def order_view(order: Order, step: Step, *, staff: bool) -> dict[str, Any]:
    """An order as the contract's JSON object, as staff or as its customer sees it."""
    return {
        "orderId": json_id(order.order_id),
        "shopId": json_value("shop_id", order.shop_id),
        "customerId": json_id(order.customer_id),
        "reference": order.reference,
        "fulfilment": order.fulfilment.value,
        "status": order.status,
        "statusSince": iso(order.status_since),
        "step": step(order.status),
        "version": order.version,
        "items": order.items,
        "total": order.total,
        "currency": order.currency,
        "note": order.note,
        "contact": order.contact,
        "expectedAt": json_value("expected_at", order.expected_at),
        "claimedBy": json_value("claimed_by", order.claimed_by) if staff else None,
        "firstContactAt": json_value("first_contact_at", order.first_contact_at),
        "createdAt": iso(order.created_at),
        "updatedAt": iso(order.updated_at),
    }


def shared_view(order: Order, step: Step) -> dict[str, Any]:
    """An order as the contract's JSON object without what is personal, as a share link shows it."""
    view = order_view(order, step, staff=False)
    return {name: value for name, value in view.items() if name not in _NOT_SHARED}


_NOT_SHARED = ("customerId", "note", "contact", "claimedBy", "firstContactAt")


def view_for(principal: Principal, order: Order, step: Step) -> dict[str, Any]:
    """An order as the contract's JSON object, as this caller sees it."""
    if principal.is_guest:
        return shared_view(order, step)
    return order_view(order, step, staff=principal.is_staff)


def history_for(principal: Principal, events: Iterable[OrderEvent]) -> list[dict[str, Any]]:
    """An order's history, as this caller sees it. A guest sees of it what is in `shared_view`."""
    if principal.is_staff:
        return [event_view(event, staff=True) for event in events]
    events = [event for event in events if not _is_hidden(event)]
    if not principal.is_guest:
        return [event_view(event, staff=False) for event in events]
    shown = [replace(event, fields=tuple(f for f in event.fields if f in SHOWN_TO_GUESTS)) for event in events]
    return [event_view(event, staff=False) for event in shown if _announced(event) or event.fields]


def _is_hidden(event: OrderEvent) -> bool:
    """Whether all that happened is the shop's own business."""
    return bool(event.fields) and not _announced(event) and HIDDEN_FROM_CUSTOMERS.issuperset(event.fields)


def _announced(event: OrderEvent) -> bool:
    return event.kind in CREATIONS or event.previous_status is not None


def event_view(event: OrderEvent, *, staff: bool) -> dict[str, Any]:
    """An entry of an order's history; who did it and why is for staff."""
    fields = [f for f in event.fields if staff or f not in HIDDEN_FROM_CUSTOMERS]
    view: dict[str, Any] = {
        "position": event.position,
        "orderId": json_id(event.order_id),
        "version": event.version,
        "kind": event.kind.value,
        "status": event.status,
        "previousStatus": event.previous_status,
        "changed": [json_name(field) for field in fields],
        "at": iso(event.at),
    }
    if staff:
        view["updatedBy"] = None if event.updated_by is None else json_id(event.updated_by)
        view["reason"] = event.reason
        view["forced"] = event.forced
    return view


def needs_order(event: OrderEvent) -> bool:
    """Whether announcing the event needs the order's values: the log itself holds none."""
    return event.kind in CREATIONS or bool(event.fields)


def changes_owner(event: OrderEvent) -> bool:
    """Whether the order came to be another customer's or shop's."""
    return not _OWNERS.isdisjoint(event.fields)


def addressed(event: OrderEvent, order: Order | None) -> OrderEvent:
    """The event as it goes out beside its order's values, which are those of now: to whoever's order it is now."""
    if order is None or (order.customer_id == event.customer_id and order.shop_id == event.shop_id):
        return event
    return replace(event, customer_id=order.customer_id, shop_id=order.shop_id)


def announcements(
    event: OrderEvent, order: Order | None, step: Step, former: OrderEvent | None = None
) -> Iterator[Announcement]:
    """All announcements of a log event, in the order they go out.

    ``order`` (where `needs_order`) may be newer than the event; its values are the current ones then, and clients
    merge by version. Without it (it is gone) the values are left out. ``former`` (where `changes_owner`): the event
    before, as far as it is known.
    """
    place = {"version": event.version, "position": event.position}
    if former is not None and (former.customer_id, former.shop_id) != (event.customer_id, event.shop_id):
        yield Announcement("order:gone", {"orderId": json_id(event.order_id)} | place, Audience.FORMER, former=former)
    if event.kind in CREATIONS:
        if order is not None:
            yield from _created(event, order, step)
        return
    if event.previous_status is not None:
        status = {"orderId": json_id(event.order_id), "status": event.status}
        at = {"updatedAt": iso(event.at)}
        yield Announcement("order:updated", status | at | place, Audience.EVERYBODY)
        who = {
            "customerId": json_id(event.customer_id),
            "updatedBy": None if event.updated_by is None else json_id(event.updated_by),
        }
        yield Announcement("order:status_changed", status | who | at | place, Audience.OPERATORS)
    if event.fields or event.kind in (EventKind.CHANGED, EventKind.CONTACTED):
        yield from _changed(event, order, place)


def _created(event: OrderEvent, order: Order, step: Step) -> Iterator[Announcement]:
    position = {"position": event.position}
    yield Announcement("order:created", order_view(order, step, staff=True) | position, Audience.OPERATORS)
    yield Announcement(
        "order:created",
        order_view(order, step, staff=False) | position,
        Audience.CUSTOMER,
        unless_operator=True,
    )


def _changed(event: OrderEvent, order: Order | None, place: Mapping[str, Any]) -> Iterator[Announcement]:
    changes = {}
    if order is not None:
        changes = {field: json_value(field, getattr(order, field)) for field in event.fields}
    visible = {field: value for field, value in changes.items() if field not in HIDDEN_FROM_CUSTOMERS}
    shown = {field: value for field, value in visible.items() if field in SHOWN_TO_GUESTS}
    head = {"orderId": json_id(event.order_id)}
    said = [(Audience.OPERATORS, changes), (Audience.CUSTOMER_AND_WATCHERS, visible), (Audience.GUESTS, shown)]
    if shown == visible:
        said[1:] = [(Audience.EVERYBODY, visible)]
    for audience, values in said:
        if audience is Audience.OPERATORS or values:
            named = {json_name(field): value for field, value in values.items()}
            data = {**head, "changes": named, **place}
            yield Announcement("order:changed", data, audience, unless_operator=audience is not Audience.OPERATORS)


def concerns(principal: Principal, event: OrderEvent) -> bool:
    """Whether this caller may hear anything of the event, as far as the event alone tells: `heard_by` says what."""
    if principal.is_staff and principal.in_shop(event.shop_id):
        return True
    if principal.is_guest:
        shown = event.previous_status is not None or not SHOWN_TO_GUESTS.isdisjoint(event.fields)
        return principal.may_see(event) and shown
    if principal.user_id != event.customer_id:
        return False
    return _announced(event) or not HIDDEN_FROM_CUSTOMERS.issuperset(event.fields)


def may_be_lost(principal: Principal, event: OrderEvent) -> bool:
    """Whether this caller may have seen the order before the event, and may no more: the event before tells."""
    if principal.is_guest or principal.may_see(event):
        return False
    return ("shop_id" if principal.is_staff else "customer_id") in event.fields


def heard_by(principal: Principal, event: OrderEvent, announcement: Announcement) -> bool:
    """Whether this caller would hear the announcement: the rule that rooms keep for sockets, for those who poll."""
    if announcement.former is not None:
        return not principal.is_guest and principal.may_see(announcement.former) and not principal.may_see(event)
    if principal.is_guest:
        return principal.may_see(event) and announcement.audience in (Audience.GUESTS, Audience.EVERYBODY)
    if announcement.audience is Audience.GUESTS:
        return False
    hears_operators = principal.is_staff and principal.in_shop(event.shop_id)
    if announcement.audience is Audience.OPERATORS:
        return hears_operators
    if announcement.unless_operator and hears_operators:
        return False
    return principal.user_id == event.customer_id
