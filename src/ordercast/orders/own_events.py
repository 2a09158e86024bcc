"""The shop's own events to people who are connected: which names and rooms are theirs, and who may send where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ordercast.errors import Forbidden, Invalid
from ordercast.orders.ids import parse_id
from ordercast.orders.models import IdempotencyKey
from ordercast.orders.ports import Requests
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService

MAX_NAME = 64

OURS = frozenset({"position", "caught_up", "resync", "watching", "force_disconnect"})
"""Events that Ordercast sends itself."""

OUR_FAMILIES = ("order:", "watch:", "unwatch:", "auth:", "token:", "board:")
"""What the names of the others begin with, those of later versions too."""

RESERVED = frozenset(
    {
        *("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"),
        *("connect_timeout", "connecting", "error", "ping", "pong"),
        *("reconnect", "reconnect_attempt", "reconnect_error", "reconnect_failed", "reconnecting"),
    }
)
"""What Socket.IO says itself to whoever listens on a client: https://socket.io/docs/v4/emit-cheatsheet/#reserved-events,
and what the clients before 3.0 say."""

Emit = Callable[[Sequence[str], str, Sequence[Any]], None]
"""Sends an event with these arguments to whoever is in one of the rooms, on whichever node. Never waits."""


def event_name(name: str) -> str:
    """The name, if it is one that a shop may give to an event. Raises ``ValueError``."""
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise ValueError(f"must be 1 to {MAX_NAME} printable characters")
    if name in RESERVED:
        raise ValueError(f"'{name}' is Socket.IO's own; name it otherwise, for example 'shop:{name}'")
    if name in OURS or name.startswith(OUR_FAMILIES):
        raise ValueError(f"'{name}' is an event of Ordercast's own; name it otherwise, for example 'shop:news'")
    return name


def room(name: str) -> str:
    """The room, if it is one of those that events may be sent to. Raises ``ValueError``."""
    kind, _, id = name.partition(":")
    if name != "operators" and (kind not in ("user", "order", "operators") or parse_id(id) is None):
        raise ValueError("must be user:{userId}, order:{orderId}, operators, or operators:{shopId}")
    return name


class OwnEvents:
    """``emit``: the live side."""

    def __init__(self, orders: OrderService, requests: Requests, emit: Emit) -> None:
        self._orders = orders
        self._requests = requests
        self._emit = emit

    async def send(
        self,
        rooms: Sequence[str],
        event: str,
        arguments: Sequence[Any],
        by: Principal,
        idempotency: IdempotencyKey | None = None,
    ) -> bool:
        """Sends an event once to whoever is in these rooms now; who is not connected never hears of it.

        Rooms and name are as `room` and `event_name` have them. ``False``: the same request sent it before. Raises
        `Forbidden`, `Invalid`, `IdempotencyKeyReused`.
        """
        if by.role is not Role.SERVICE:
            raise Forbidden("Only the shop's backend sends events of its own, with a service token.")
        await self._check(rooms, by)
        if idempotency is not None and not await self._requests.is_first(idempotency):
            return False
        self._emit(rooms, event, arguments)
        return True

    async def _check(self, rooms: Sequence[str], by: Principal) -> None:
        """A token that names shops reaches what is theirs alone."""
        if by.shops is None:
            return
        wanted = {room.removeprefix("order:") for room in rooms if room.startswith("order:")}
        seen = await self._orders.visible(wanted, by)
        reached = {f"order:{id}" for id in seen} | {f"operators:{id}" for id in by.shops}
        if outside := sorted({*rooms} - reached):
            raise Invalid(
                f"rooms: {', '.join(outside)} is not within the shops that your token names; send to orders of theirs, "
                "and to operators:{shopId}",
                rooms=outside,
            )
