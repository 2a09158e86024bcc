"""The client that sends messages, opened when the first one goes out: most shops have no webhooks, and aiohttp takes
as long to import as FastAPI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ordercast.webhooks.addresses import Rules
from ordercast.webhooks.models import Answer, Endpoint

if TYPE_CHECKING:
    from ordercast.webhooks.client import Client

Opener = Callable[[Rules, float], AbstractAsyncContextManager["Client"]]


class ClientWhenNeeded:
    """A `Client` from its first use on. `client_when_needed` makes one."""

    def __init__(self, rules: Rules, patience: float, stack: AsyncExitStack) -> None:
        self._rules = rules
        self._patience = patience
        self._stack = stack
        self._opening = asyncio.Lock()
        self._client: Client | None = None

    async def adopt(self, rules: Rules, patience: float) -> None:
        """Other rules, and another patience (s), from the next attempt on. Those under way end as they began, and no
        connection that the new rules might refuse is used again."""
        async with self._opening:
            self._rules, self._patience, self._client = rules, patience, None  # the one before is closed at the end

    async def check(self, url: str) -> None:
        """See `Client.check`."""
        await (await self._open()).check(url)

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        """See `Client.post`."""
        return await (await self._open()).post(endpoint, id, body)

    async def _open(self) -> Client:
        async with self._opening:
            if self._client is None:
                open_client = await asyncio.to_thread(_opener)
                self._client = await self._stack.enter_async_context(open_client(self._rules, self._patience))
            return self._client


def _opener() -> Opener:
    from ordercast.webhooks.client import open_client

    return open_client


@asynccontextmanager
async def client_when_needed(rules: Rules, patience: float) -> AsyncIterator[ClientWhenNeeded]:
    """A client whose attempts take ``patience`` seconds at most."""
    async with AsyncExitStack() as stack:
        yield ClientWhenNeeded(rules, patience, stack)
