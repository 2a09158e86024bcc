"""Who is online on this node. `ordercast.live.nodes` puts it together with the others'."""

from __future__ import annotations

from collections import Counter

from ordercast.orders.presence import Online, people
from ordercast.orders.principal import Principal, Role


class Monitor:
    """Counts connections, and operators by user: one with three tabs is one operator."""

    def __init__(self) -> None:
        self.connections: Counter[Role] = Counter()
        self.changes = 0
        """Rises whenever `online` becomes another."""
        self._operators: dict[str, Counter[Online]] = {}

    def came(self, principal: Principal) -> None:
        """A socket has connected."""
        self.connections[principal.role] += 1
        if principal.is_operator:
            online = _online(principal)
            tabs = self._operators.setdefault(principal.user_id, Counter())
            self.changes += not tabs[online]
            tabs[online] += 1

    def went(self, principal: Principal) -> None:
        """A socket has disconnected."""
        self.connections[principal.role] -= 1
        if principal.is_operator:
            online = _online(principal)
            tabs = self._operators[principal.user_id]
            tabs[online] -= 1
            if not tabs[online]:
                del tabs[online]
                self.changes += 1
            if not tabs:
                del self._operators[principal.user_id]

    @property
    def operators(self) -> int:
        """How many operators and admins are online."""
        return len(self._operators)

    @property
    def online(self) -> list[Online]:
        """Who they are."""
        return people(online for tabs in self._operators.values() for online in tabs)


def _online(principal: Principal) -> Online:
    return Online(principal.user_id, principal.role, principal.shops)
