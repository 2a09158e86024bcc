"""What callers say of an order, in the form in which it is kept. Pure."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

from ordercast.errors import Invalid
from ordercast.orders.announcements import json_name
from ordercast.orders.models import NewOrder, to_utc
from ordercast.orders.principal import Principal

TOLD = tuple(field.name for field in fields(NewOrder) if field.name != "order_id")
"""What is told of an order besides its id."""


def within_shops(new: NewOrder, by: Principal) -> NewOrder:
    """The order with a shop that the caller's token names. Raises `Invalid`."""
    if by.shops is None:
        return new
    if new.shop_id is None and len(by.shops) == 1:
        return replace(new, shop_id=next(iter(by.shops)))
    if new.shop_id not in by.shops:
        raise Invalid("shopId: must be one of the shops that your token names", shops=sorted(by.shops))
    return new


def as_kept(new: NewOrder) -> NewOrder:
    """The order with its times as they will be kept. Raises `Invalid`."""
    expected_at, created_at = kept("expected_at", new.expected_at), kept("created_at", new.created_at)
    if expected_at is new.expected_at and created_at is new.created_at:
        return new
    return replace(new, expected_at=expected_at, created_at=created_at)


def same(before: Any, after: Any) -> bool:
    """Whether a field has this value already. In JSON ``1`` and ``true`` are two values, which Python has equal."""
    if before != after or not isinstance(after, (list, dict)):
        return bool(before == after)
    return json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)


def kept(name: str, value: Any) -> Any:
    """A field's value as it will be kept, so that the same again is the same. Raises `Invalid`."""
    if not isinstance(value, datetime) or (value.tzinfo is UTC and not value.microsecond % 1000):
        return value
    try:
        return to_utc(value)
    except OverflowError:
        raise Invalid(f"{json_name(name)}: must lie in the years 1 to 9999, in UTC") from None
