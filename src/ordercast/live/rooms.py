"""Which rooms there are, who sits in them, and which an announcement goes to. Pure.

The server alone chooses rooms; a client never names one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ordercast.orders.announcements import Announcement, Audience
from ordercast.orders.models import OrderEvent
from ordercast.orders.principal import Principal

OPERATORS = "operators"

BOARD = "board"
"""Every operator and admin, of whichever shop."""


def user_room(user_id: str) -> str:
    """Everyone who is this user."""
    return f"user:{user_id}"


def order_room(order_id: str) -> str:
    """Everyone who watches this order."""
    return f"order:{order_id}"


def shared_room(order_id: str, customer_id: str) -> str:
    """Everyone who came with a share link of this order from when it was this customer's: they hear less than those who
    watch it, and nothing once it is another's."""
    return f"shared:{order_id} {customer_id}"  # no id has a space


def guests_room(order_id: str) -> str:
    """Everyone who came with a share link of this order, whoever's it was. Nothing is said to it."""
    return f"guests:{order_id}"


def watch_room(principal: Principal, order_id: str) -> str:
    """Where this caller hears of an order it may see."""
    return order_room(order_id) if principal.owner is None else shared_room(order_id, principal.owner)


def shop_room(shop_id: str) -> str:
    """The operators whose token names this shop."""
    return f"operators:{shop_id}"


def rooms_on_connect(principal: Principal) -> tuple[str, ...]:
    """The rooms a socket joins when it connects."""
    if principal.order_id is not None and principal.owner is not None:
        return (shared_room(principal.order_id, principal.owner), guests_room(principal.order_id))
    rooms: tuple[str, ...] = (user_room(principal.user_id),)
    if not principal.is_operator:
        return rooms
    rooms = (*rooms, BOARD)
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
    operators = _operators(event)
    if announcement.former is not None:
        return Target(_owners(announcement.former), (user_room(event.customer_id), *operators))
    if announcement.audience is Audience.OPERATORS:
        return Target(operators)
    if announcement.audience is Audience.GUESTS:
        return Target((shared_room(event.order_id, event.customer_id),))
    to: tuple[str, ...] = (user_room(event.customer_id),)
    if announcement.audience in (Audience.CUSTOMER_AND_WATCHERS, Audience.EVERYBODY):
        to = (*to, order_room(event.order_id))
    if announcement.audience is Audience.EVERYBODY:
        to = (*to, shared_room(event.order_id, event.customer_id))
    return Target(to, operators if announcement.unless_operator else ())


def _operators(event: OrderEvent) -> tuple[str, ...]:
    return (OPERATORS,) if event.shop_id is None else (OPERATORS, shop_room(event.shop_id))


def _owners(event: OrderEvent) -> tuple[str, ...]:
    return (user_room(event.customer_id), *([] if event.shop_id is None else [shop_room(event.shop_id)]))
