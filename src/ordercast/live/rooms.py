"""Which rooms there are, who sits in them, and which an announcement goes to. Pure.

The server alone chooses rooms; a client never names one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ordercast.orders.announcements import Announcement, Audience
from ordercast.orders.models import OrderEvent
from ordercast.orders.principal import Principal

OPERATORS = "operators"


def user_room(user_id: str) -> str:
    """Everyone who is this user."""
    return f"user:{user_id}"


def order_room(order_id: str) -> str:
    """Everyone who watches this order."""
    return f"order:{order_id}"


def shop_room(shop_id: str) -> str:
    """The operators whose token names this shop."""
    return f"operators:{shop_id}"


def rooms_on_connect(principal: Principal) -> tuple[str, ...]:
    """The rooms a socket joins when it connects."""
    rooms = (user_room(principal.user_id),)
    if not principal.is_operator:
        return rooms
    if principal.shops is None:
        return (*rooms, OPERATORS)
    return (*rooms, *map(shop_room, sorted(principal.shops)))


@dataclass(frozen=True, slots=True)
class Target:
    """Rooms to emit to, and rooms whose members are left out."""

    to: tuple[str, ...]
    except_: tuple[str, ...] = ()


def target(event: OrderEvent, announcement: Announcement) -> Target:
    """Where an announcement of an event goes."""
    operators = (OPERATORS,) if event.shop_id is None else (OPERATORS, shop_room(event.shop_id))
    if announcement.audience is Audience.OPERATORS:
        return Target(operators)
    to: tuple[str, ...] = (user_room(event.customer_id),)
    if announcement.audience is Audience.CUSTOMER_AND_WATCHERS:
        to = (*to, order_room(event.order_id))
    return Target(to, operators if announcement.unless_operator else ())
