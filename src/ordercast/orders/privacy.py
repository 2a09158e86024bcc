"""Anonymising a customer: what is left tells how the shop worked, and of whom nobody can say."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from ordercast.errors import Forbidden, NotKept
from ordercast.orders.models import Change, EventKind, Order, OrderQuery
from ordercast.orders.ports import OrderRepository, PersonalData, Revocations
from ordercast.orders.principal import Principal, Role

_AT_ONCE = 200
"""Orders that are changed together: they share a commit, and are fewer than one holds."""


def personal(order: Order, pseudonym: str) -> dict[str, Any]:
    """What an anonymised order has in the place of what is personal, as far as it differs.

    All that the shop itself may have written goes, items and reference too: we never look into them, so we cannot tell
    whether a name is in there. Shop, status, times and total stay, for the figures.
    """
    blank: dict[str, Any] = {"customer_id": pseudonym, "reference": None, "items": [], "note": None, "contact": None}
    return {name: value for name, value in blank.items() if getattr(order, name) != value}


class Privacy:
    """What a customer may ask of a shop (GDPR, article 17)."""

    def __init__(self, orders: OrderRepository, rest: PersonalData | None, revocations: Revocations) -> None:
        self._orders = orders
        self._rest = rest
        self._revocations = revocations

    async def anonymise(self, customer_id: str, by: Principal) -> None:
        """Puts a pseudonym that is kept nowhere else in the customer's place, and revokes their tokens.

        Nothing is said of whether there was such a customer. What a failure left undone the next call does. Raises
        `Forbidden`, and `NotKept` before anything is changed.
        """
        if by.role not in (Role.SERVICE, Role.ADMIN):
            raise Forbidden("Only the shop's backend and admins anonymise customers.")
        if by.shops is not None:
            raise Forbidden("A customer may have orders in every shop: this takes a token that names no shops.")
        if self._rest is None:
            raise NotKept("This shop keeps its orders in tables of its own, and forgets a customer by itself: ask it.")
        pseudonym = f"anonymous-{secrets.token_urlsafe(16)}"

        def decide(order: Order) -> Change | None:
            if order.customer_id != customer_id:
                return None
            return Change(kind=EventKind.CHANGED, values=personal(order, pseudonym), updated_by=by.user_id)

        await self._revocations.revoke_user(customer_id)  # first, or they would hear of it
        theirs = OrderQuery(customer_id=customer_id, limit=_AT_ONCE)
        while found := (await self._orders.find(theirs)).orders:
            await asyncio.gather(*(self._orders.change(order.order_id, decide) for order in found))
        await self._rest.replace_customer(customer_id, pseudonym)
