"""Answers of REST, read with care: a login page, a proxy or another server may have given them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ordercast.client.errors import Unreachable
from ordercast.client.models import Order

T = TypeVar("T")

NOT_OURS = "something else than Ordercast has answered; is the URL right, and no login page in between?"


def understood(read: Callable[[Any], T], answer: Any) -> T:
    """What an answer says. Raises `Unreachable` where it is none of Ordercast's."""
    try:
        return read(answer)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unreachable(NOT_OURS) from error


def order_in(answer: Any, id: str) -> Mapping[str, Any]:
    """The order of this id, in the contract's JSON. Raises `Unreachable` where the answer is something else."""
    order = understood(Order.read, answer)
    if str(order.order_id) != id:
        raise Unreachable(f"asked for the order {id}, another one was answered: {order.order_id!r:.80}")
    whole: Mapping[str, Any] = answer
    return whole
