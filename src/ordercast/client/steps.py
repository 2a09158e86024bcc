"""Which step each status is: events do not tell."""

from __future__ import annotations

from collections.abc import Callable

from ordercast.client.answers import understood
from ordercast.client.errors import ClientError
from ordercast.client.rest import Rest
from ordercast.client.signals import Tasks


class Steps:
    """The steps, once they are known."""

    def __init__(self, rest: Rest, tasks: Tasks) -> None:
        self._rest = rest
        self._tasks = tasks
        self._known: dict[str, int] = {}

    def step_of(self, status: str) -> int | None:
        """``None``: it is not known."""
        return self._known.get(status)

    def learn(self, learned: Callable[[], None]) -> None:
        """Asks the server, if it has not told yet."""
        if not self._known:
            self._tasks.spawn(self._ask(learned))

    async def _ask(self, learned: Callable[[], None]) -> None:
        try:
            workflow = await self._rest.call("GET", "workflow")
            self._known = understood(lambda said: {one["name"]: one["step"] for one in said["statuses"]}, workflow)
        except ClientError:
            return  # asked again when next in sync; orders are shown with the step they came with
        learned()
