"""Who works at the moment: operators and admins with a connection, and which of them a caller sees. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ordercast.orders.principal import Principal, Role


@dataclass(frozen=True, slots=True)
class Online:
    """An operator or admin with at least one connection; ``shops`` is ``None`` for all shops."""

    user_id: str
    role: Role
    shops: frozenset[str] | None = None

    def seen_by(self, principal: Principal) -> bool:
        """Whether they share a shop with the caller, or one of both has all."""
        return self.shops is None or principal.shops is None or not self.shops.isdisjoint(principal.shops)


@dataclass(frozen=True, slots=True)
class NodePresence:
    """What one node has: connections of any role, and operators among them."""

    node: str
    connections: int
    operators: int


def people(found: Iterable[Online]) -> list[Online]:
    """Each user once, by id: one operator in two tabs, on two nodes, is one. The most that any connection may counts:
    an admin's role, and all shops together."""
    merged: dict[str, Online] = {}
    for online in found:
        before = merged.get(online.user_id)
        if before is not None:
            role = Role.ADMIN if Role.ADMIN in (before.role, online.role) else online.role
            every = before.shops is None or online.shops is None
            shops = None if every else frozenset().union(before.shops or (), online.shops or ())
            online = Online(online.user_id, role, shops)
        merged[online.user_id] = online
    return sorted(merged.values(), key=lambda online: online.user_id)
