"""The bodies of the busiest routes, decoded and checked in one pass. Pure.

`ordercast.api.schemas` says what a body may hold and words every refusal. What is decoded here is a subset of that,
with the same meaning; whatever is not (and all that is wrong) is ``None``, and goes the long way. A test holds the
two to the same answers.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ordercast.api.strict import MAX_DEPTH, shallow
from ordercast.orders.ids import parse_id
from ordercast.orders.models import Fulfilment, NewOrder

T = TypeVar("T")

_Id = int | str
_Note = Annotated[str, Meta(max_length=2_000)]
_Reference = Annotated[str, Meta(min_length=1, max_length=128)]
_Status = Annotated[str, Meta(min_length=1, max_length=64)]
_Reason = Annotated[str, Meta(max_length=500)]
_Items = Annotated[list[Any], Meta(max_length=500)]
# No pattern: Python's $ is also before a last line's end.
_Currency = Annotated[str, Meta(min_length=3, max_length=3)]


class _Patch(Struct, rename="camel", forbid_unknown_fields=True):
    """``expectedAt`` only as ``null``: what else is a time is for the long way to say, likewise below."""

    status: _Status | None = None
    expected_at: UnsetType | None = UNSET
    note: _Note | UnsetType | None = UNSET
    contact: dict[str, Any] | UnsetType | None = UNSET
    expected_version: Annotated[int, Meta(ge=1)] | None = None
    reason: _Reason | None = None
    updated_by: _Id | None = None
    force: bool = False


class _Create(Struct, rename="camel", forbid_unknown_fields=True):
    customer_id: _Id
    order_id: _Id | None = None
    shop_id: _Id | None = None
    reference: _Reference | None = None
    fulfilment: Fulfilment = Fulfilment.DELIVERY
    items: _Items = []
    total: Annotated[float, Meta(ge=0, lt=1e12)] | None = None
    currency: _Currency | None = None
    note: _Note | None = None
    contact: dict[str, Any] | None = None
    expected_at: None = None


class _Put(_Create, rename="camel", forbid_unknown_fields=True):
    expected_at: str | None = None  # type: ignore[assignment]
    created_at: str | None = None
    status: _Status | None = None
    updated_by: _Id | None = None
    reason: _Reason | None = None


# What RFC 3339 and every reader of times take alike, to the microsecond.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)

_put = msgspec.json.Decoder(_Put)
_patch = msgspec.json.Decoder(_Patch)
_create = msgspec.json.Decoder(_Create)


def patch_arguments(body: bytes) -> dict[str, Any] | None:
    """The keyword arguments of `OrderService.update` that a body of ``PATCH /api/orders/{id}`` asks for."""
    patch = _decode(_patch, body)
    if patch is None:
        return None
    if not _is_simple(body) and not (_plain(patch.note, patch.reason) and _shallow(patch.contact)):
        return None
    updated_by = None
    if patch.updated_by is not None and (updated_by := parse_id(patch.updated_by)) is None:
        return None
    fields: dict[str, str | dict[str, Any] | datetime | None] = {}
    if patch.expected_at is not UNSET:
        fields["expected_at"] = None
    if patch.note is not UNSET:
        fields["note"] = patch.note
    if patch.contact is not UNSET:
        fields["contact"] = patch.contact
    return {
        "status": patch.status,
        "fields": fields,
        "expected_version": patch.expected_version,
        "reason": patch.reason,
        "updated_by": updated_by,
        "force": patch.force,
    }


def new_order(body: bytes) -> NewOrder | None:
    """The order that a body of ``POST /api/orders`` asks for."""
    order = _decode(_create, body)
    return None if order is None else _told(order, _is_simple(body))


def put_arguments(body: bytes) -> tuple[NewOrder, dict[str, Any]] | None:
    """The arguments of `OrderService.put` that a body of ``PUT /api/orders/{id}`` asks for."""
    put = _decode(_put, body)
    if put is None:
        return None
    simple = _is_simple(body)
    if not simple and not _plain(put.reason):
        return None
    try:
        new = _told(put, simple, _time(put.expected_at), _time(put.created_at))
    except ValueError:
        return None
    if new is None:
        return None
    updated_by = None
    if put.updated_by is not None and (updated_by := parse_id(put.updated_by)) is None:
        return None
    return new, {"status": put.status, "updated_by": updated_by, "reason": put.reason}


def _told(
    order: _Create, simple: bool, expected_at: datetime | None = None, created_at: datetime | None = None
) -> NewOrder | None:
    if not simple and not (_plain(order.note, order.reference) and _shallow(order.items) and _shallow(order.contact)):
        return None
    order_id = shop_id = None
    if (
        (customer_id := parse_id(order.customer_id)) is None
        or (order.order_id is not None and (order_id := parse_id(order.order_id)) is None)
        or (order.shop_id is not None and (shop_id := parse_id(order.shop_id)) is None)
    ):
        return None
    currency = order.currency
    if currency is not None and not (currency.isascii() and currency.isalpha() and currency.isupper()):
        return None
    return NewOrder(
        customer_id=customer_id,
        order_id=order_id,
        shop_id=shop_id,
        reference=order.reference,
        fulfilment=order.fulfilment,
        items=order.items,
        total=order.total,
        currency=currency,
        note=order.note,
        contact=order.contact,
        expected_at=expected_at,
        created_at=created_at,
    )


def _time(text: str | None) -> datetime | None:
    """Raises ``ValueError``."""
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise ValueError("not a time as most write it")
    return datetime.fromisoformat(text)


def _decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError):  # msgspec's own errors and broken UTF-8 are ValueErrors
        return None


def _is_simple(body: bytes) -> bool:
    """Whether nothing in it can be nested too deeply or hold a NUL. Brackets in texts count as well, so some that are
    simple are looked at closely."""
    return body.count(b"{") + body.count(b"[") <= MAX_DEPTH and b"\\u0000" not in body


def _plain(*texts: object) -> bool:
    return not any(isinstance(text, str) and "\0" in text for text in texts)


def _shallow(value: Any) -> bool:
    if not value:
        return True
    try:
        shallow(value)
    except ValueError:
        return False
    return True
