"""Goes on with a new token: on REST, and on the socket that there is."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from ordercast.client.backoff import Backoff
from ordercast.client.engine import Closed
from ordercast.client.errors import ClientError, Problem, TokenError
from ordercast.client.signals import Emitter, Tasks, stopped
from ordercast.client.sockets import Socket
from ordercast.client.tokens import Tokens

_ANSWER = 15.0
"""s that the server may take over a new token: it may have to fetch keys."""


class Renewal:
    """``renewed``: called when there is a new token."""

    def __init__(
        self,
        tokens: Tokens,
        backoff: Backoff,
        tasks: Tasks,
        emitter: Emitter,
        socket: Callable[[], Socket | None],
        renewed: Callable[[], None],
    ) -> None:
        self._tokens = tokens
        self._backoff = backoff
        self._tasks = tasks
        self._emitter = emitter
        self._socket = socket
        self._renewed = renewed
        self._running: asyncio.Task[None] | None = None

    def expiring(self, expires_at: float) -> None:
        """The token ends then (s since the epoch): gets a new one, where there is a function that does."""
        if self._tokens.renewable:
            self.stop()
            self._running = self._tasks.spawn(
                renew(lambda: self.refresh(None), self._backoff, expires_at, self._failed)
            )

    def stop(self) -> None:
        """The connection is gone: the next one begins with whatever token there is."""
        self._running = stopped(self._running)

    async def refresh(self, token: str | None) -> None:
        """Goes on with this one, or one of the function's. Raises `TokenError`, and `Problem` where it is refused."""
        if token is not None:
            self._tokens.replace(token)
        elif self._tokens.renewable:
            await self._tokens.fresh()
        else:
            raise TokenError("there is no function that gets a new token; give one here: refresh(token)")
        self._renewed()
        if (socket := self._socket()) is None:
            return
        try:
            answer = await socket.ask("auth:refresh", await self._tokens.current(), patience=_ANSWER)
        except Closed:
            return  # the next connection begins with it
        if "error" in answer:
            raise Problem(401, {"title": answer["error"], "detail": f"The new token was refused: {answer['error']}."})
        self._emitter.emit("token:refreshed", answer)

    def _failed(self, error: ClientError) -> None:
        self._emitter.emit("token:refresh_failed", {"error": str(error)})


async def renew(
    refresh: Callable[[], Awaitable[None]], backoff: Backoff, expires_at: float, failed: Callable[[ClientError], None]
) -> None:
    """Goes on with a new token, trying again while the old one lasts. ``expires_at``: s since the epoch."""
    tries = 0
    while True:
        tries += 1
        try:
            await refresh()
            return
        except ClientError as error:
            failed(error)
            wait = backoff.delay(tries, random.random())  # noqa: S311 - spreads, hides nothing
            if isinstance(error, Problem) or time.time() + wait > expires_at:
                return
        await asyncio.sleep(wait)
