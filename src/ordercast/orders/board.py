"""The board's settings as use cases: how long an order may take in each status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ordercast.errors import Forbidden, Invalid
from ordercast.orders.ports import Targets
from ordercast.orders.principal import Principal, Role
from ordercast.orders.workflow import Workflow

DEFAULTS = {
    "received": 60,
    "accepted": 300,
    "preparing": 900,
    "ready": 600,
    "out_for_delivery": 2_400,
    "failed_delivery": 900,
}
"""s, of the built-in workflow's statuses, until an admin sets others."""

MAX_TARGET = 30 * 86_400
"""s. An order that may take longer needs no clock beside it."""

Announce = Callable[[Mapping[str, int]], None]


class Board:
    """``announce``: tells every board of new targets."""

    def __init__(self, targets: Targets, workflow: Workflow, announce: Announce) -> None:
        self._targets = targets
        self.workflow = workflow
        self._announce = announce
        self._known: Mapping[str, int] | None = None
        self._setting = asyncio.Lock()  # what is set here is not taken for another's

    async def targets(self, by: Principal) -> dict[str, int]:
        """Seconds by status, in the workflow's order; a status without a target is absent. Raises `Forbidden`."""
        if not by.is_operator:
            raise Forbidden("The board is for operators and admins.")
        return await self._read()

    async def look(self) -> Mapping[str, int] | None:
        """What has been set elsewhere since the last look, or since it was set here; ``None``: nothing."""
        async with self._setting:
            before, self._known = self._known, await self._read()
        return None if before is None or before == self._known else self._known

    async def _read(self) -> dict[str, int]:
        found = {**DEFAULTS, **await self._targets.read()}
        return {name: s for name in self.workflow.statuses if self.workflow.waits_in(name) and (s := found.get(name))}

    async def set_targets(self, targets: Mapping[str, int | None], by: Principal) -> dict[str, int]:
        """Sets all of them, and returns them as `targets` does; ``None`` or absent: no target. Raises `Forbidden`,
        `UnknownStatus`, `Invalid`."""
        if by.role is not Role.ADMIN:
            raise Forbidden("Only admins set targets.")
        if by.shops is not None:
            raise Forbidden("Targets are every shop's, and your token names some: ask an admin of all shops.")
        for name, seconds in targets.items():
            self.workflow.status(name)
            if not self.workflow.waits_in(name):
                raise Invalid(f"targets: nothing follows '{name}', so that no order waits there; leave it out")
            if seconds is not None and not 1 <= seconds <= MAX_TARGET:
                raise Invalid(f"targets: '{name}' must be 1 to {MAX_TARGET} seconds, or null for no target")
        waiting = filter(self.workflow.waits_in, self.workflow.statuses)
        async with self._setting:
            await self._targets.replace({name: targets.get(name) for name in waiting})
            self._known = found = await self._read()
        self._announce(found)
        return found
