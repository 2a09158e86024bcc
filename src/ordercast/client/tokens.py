"""Where tokens come from. A function is asked again only when its last token is about to end or was refused."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ordercast.client.errors import TokenError
from ordercast.client.signals import in_thread, is_cancelled

Token = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that gets one. One that is not ``async`` runs on a thread, since it may block."""

PATIENCE = 30.0
"""s that a function may take: it is probably a request, and none of ours may take longer."""

_TOKEN = re.compile(r"\s*(?:bearer\s+)?([!-~]+)\s*", re.I)


def checked(token: object) -> str:
    """A token without what stands around it: a newline of a file, ``Bearer``. Raises `TokenError` for what can be
    none, which does not say it: it may be a secret all the same."""
    if not isinstance(token, str):
        raise TokenError(f"a token is a string, not {type(token).__name__}")
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise TokenError("a token is one word of visible ASCII; this is an empty string, a page or some other text")
    return found[1]


class Tokens:
    """The token at hand, for socket and REST alike."""

    def __init__(self, token: Token, patience: float = PATIENCE) -> None:
        """Raises `TokenError` for a fixed token that can be none."""
        self._get = token if callable(token) else None
        self._kept: str | None = None if callable(token) else checked(token)
        self._patience = patience
        self._asking: asyncio.Task[str] | None = None  # one for all who wait

    @property
    def renewable(self) -> bool:
        """Whether there may be another token than the one refused."""
        return self._get is not None

    def replace(self, token: str) -> None:
        """Goes on with this one. Raises `TokenError` for what can be none."""
        self._kept = checked(token)
        self.ask_anew()

    def ask_anew(self) -> None:
        """Waits no more for what was asked before: who does so already gets the answer, and nobody else."""
        self._asking = None

    async def current(self) -> str:
        """The token at hand, also while a newer one is being asked for. Raises `TokenError`."""
        return await self.fresh() if self._kept is None else self._kept

    async def after(self, refused: str) -> str:
        """One after a token that was refused or is about to end; another may have got it already. Raises `TokenError`,
        and asks anew the next time."""
        if self._kept == refused and self.renewable:
            self._kept = None
        return await self.current()

    async def fresh(self) -> str:
        """A new one, for everybody from now on. Raises `TokenError`; what was at hand stays so then."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(self._asked)
        asking = self._asking
        await asyncio.wait([asking])
        if asking.cancelled():
            raise TokenError("the client was closed while the token function was asked")
        return asking.result()

    async def close(self) -> None:
        """Asks no more."""
        if (asking := self._asking) is not None:
            asking.cancel()
            await asyncio.wait([asking])

    def _asked(self, asking: asyncio.Task[str]) -> None:
        failed = asking.cancelled() or asking.exception() is not None
        if self._asking is asking:
            self._asking = None
            if not failed:
                self._kept = asking.result()

    async def _ask(self) -> str:
        if self._get is None:
            assert self._kept is not None, "a fixed token is always at hand"
            return self._kept
        try:
            async with asyncio.timeout(self._patience) as limit:
                found: Any = self._get() if inspect.iscoroutinefunction(self._get) else await in_thread(self._get)
                return checked(await found if inspect.isawaitable(found) else found)
        except TokenError as error:
            raise TokenError(f"the token function gave no token: {error}") from error
        except (Exception, asyncio.CancelledError) as error:
            if is_cancelled():
                raise
            why = f"no answer in {self._patience:g} s" if limit.expired() else str(error) or type(error).__name__
            raise TokenError(f"the token function failed: {why}") from error
