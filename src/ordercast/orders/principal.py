"""Who the token says you are, and what that lets you see and do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordercast.orders.models import Order, OrderEvent


class Role(StrEnum):
    """The contract's roles. ``service`` is the shop's own backend."""

    CUSTOMER = "customer"
    OPERATOR = "operator"
    ADMIN = "admin"
    SERVICE = "service"


STAFF = frozenset({Role.OPERATOR, Role.ADMIN, Role.SERVICE})
"""Roles that see orders that are not their own."""

OPERATORS = frozenset({Role.OPERATOR, Role.ADMIN})
"""Roles that sit in the operators' rooms."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller.

    ``shops`` is ``None`` for all shops; otherwise the ids of those the token names, and everything outside them
    is as if it were not there. ``expires_at`` is the token's ``exp`` in seconds since the epoch, ``None`` for
    callers without a token (business code of the host application). ``token_id`` is the token's ``jti``, ``issued_at``
    its ``iat`` in seconds since the epoch. ``order_id``: the one order that a guest's share link shows
    (`guest`), while it is ``owner``'s.
    """

    user_id: str
    role: Role
    expires_at: float | None = None
    shops: frozenset[str] | None = None
    token_id: str | None = None
    issued_at: float | None = None
    order_id: str | None = None
    owner: str | None = None

    @property
    def is_guest(self) -> bool:
        """Whether the caller came with a share link: it sees one order, without what is personal, and does nothing."""
        return self.order_id is not None

    @property
    def is_staff(self) -> bool:
        """Whether the caller sees orders that are not their own (within their shops)."""
        return self.role in STAFF

    @property
    def is_operator(self) -> bool:
        """Whether the caller belongs in the operators' rooms."""
        return self.role in OPERATORS

    def in_shop(self, shop_id: str | None) -> bool:
        """Whether an order of this shop is within the caller's shops. An order of no shop is in none of them."""
        return self.shops is None or (shop_id is not None and shop_id in self.shops)

    def may_see(self, order: Order | OrderEvent) -> bool:
        """Whether the order, or the one of the event, exists for this caller: staff within their shops, customers their
        own, guests the one while it is still whose it was."""
        if self.is_guest:
            return order.order_id == self.order_id and order.customer_id == self.owner
        if self.is_staff:
            return self.in_shop(order.shop_id)
        return order.customer_id == self.user_id


def guest(order_id: str, owner: str, expires_at: float, token: str) -> Principal:
    """Whoever has a share link of an order, which was ``owner``'s when it was made. Who that is nobody knows: the user
    id is none that a customer can have, and no longer than one. The link itself is its ``token_id``, so that it can be
    revoked."""
    return Principal(f"~{order_id}"[:64], Role.CUSTOMER, expires_at, token_id=token, order_id=order_id, owner=owner)
