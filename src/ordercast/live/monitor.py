"""Who is online, and a line that says so every `MONITOR_INTERVAL`."""

from __future__ import annotations

from collections import Counter

import structlog

from ordercast.orders.principal import Principal, Role

_log = structlog.get_logger("ordercast.monitor")


class Monitor:
    """Counts connections, and operators by user: one with three tabs is one operator."""

    def __init__(self) -> None:
        self.connections: Counter[Role] = Counter()
        self._operators: Counter[str] = Counter()

    def came(self, principal: Principal) -> None:
        """A socket has connected."""
        self.connections[principal.role] += 1
        if principal.is_operator:
            self._operators[principal.user_id] += 1

    def went(self, principal: Principal) -> None:
        """A socket has disconnected."""
        self.connections[principal.role] -= 1
        if principal.is_operator:
            self._operators[principal.user_id] -= 1
            if not self._operators[principal.user_id]:
                del self._operators[principal.user_id]

    @property
    def operators(self) -> int:
        """How many operators and admins are online."""
        return len(self._operators)

    @property
    def line(self) -> str:
        """The contract's line."""
        return f"Connections: {self.connections.total()} | Operators online: {self.operators}"

    def log(self) -> None:
        """Says it."""
        _log.info(self.line)
