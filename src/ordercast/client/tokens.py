"""Where tokens come from. A function is asked again only when its last token is about to end or was refused."""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections.abc import Awaitable, Callable

from ordercast.client.backoff import Backoff
from ordercast.client.errors import ClientError, Problem, TokenError

Token = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that gets one. One that is not ``async`` runs on a thread, since it may block."""


class Tokens:
    """The token at hand, for socket and REST alike."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._kept: str | None = token if isinstance(token, str) else None
        self._asking = asyncio.Lock()

    @property
    def renewable(self) -> bool:
        """Whether there may be another token than the one refused."""
        return not isinstance(self._token, str)

    def replace(self, token: str) -> None:
        """Goes on with this one."""
        if not self.renewable:
            self._token = token
        self._kept = token

    async def current(self) -> str:
        """The token at hand. Raises `TokenError`."""
        async with self._asking:
            if self._kept is None:
                self._kept = await self._ask()
            return self._kept

    async def after(self, refused: str) -> str:
        """One after a token that was refused or is about to end; another may have got it already. Raises `TokenError`,
        and asks anew the next time."""
        async with self._asking:
            if self._kept is None or self._kept == refused:
                if self.renewable:
                    self._kept = None
                self._kept = await self._ask()
            return self._kept

    async def fresh(self) -> str:
        """A new one, for everybody from now on. Raises `TokenError`."""
        async with self._asking:
            self._kept = await self._ask()
            return self._kept

    async def _ask(self) -> str:
        if isinstance(self._token, str):
            return self._token
        try:
            found = self._token() if inspect.iscoroutinefunction(self._token) else await asyncio.to_thread(self._token)
            return await found if inspect.isawaitable(found) else found
        except Exception as error:
            raise TokenError(f"the token function failed: {error}") from error


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
