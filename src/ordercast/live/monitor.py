"""Who is online, and a line that says so every `MONITOR_INTERVAL`."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import structlog

from ordercast.orders.principal import Principal, Role

_log = structlog.get_logger("ordercast.monitor")


class Monitor:
    """Counts connections, and operators by user: one with three tabs is one operator.

    ``interval`` in seconds.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self.connections: Counter[Role] = Counter()
        self._operators: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

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

    async def start(self) -> None:
        """Begins to log."""
        self._task = asyncio.create_task(self._run(), name="ordercast monitor")

    async def stop(self) -> None:
        """Stops logging."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            _log.info(self.line)
