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

    def adopt(self, rules: Rules, patience: float) -> None:
        """Other rules, and another patience (s), from the next attempt on. Those under way end as they began, and no
        connection that the new rules might refuse is used again."""
        self._rules, self._patience, self._client = rules, patience, None  # the one before is closed at the end

    async def check(self, url: str) -> None:
        """See `Client.check`."""
        await (await self._open()).check(url)

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        """See `Client.post`."""
        return await (await self._open()).post(endpoint, id, body)

    async def _open(self) -> Client:
        async with self._opening:
            if self._client is not None:
                return self._client
            open_client = await asyncio.to_thread(_opener)
            rules, patience = self._rules, self._patience
            client = await self._stack.enter_async_context(open_client(rules, patience))
            if rules is self._rules and patience == self._patience:  # else it is for this attempt alone
                self._client = client
            return client


def _opener() -> Opener:
    from ordercast.webhooks.client import open_client

    return open_client


@asynccontextmanager
async def client_when_needed(rules: Rules, patience: float) -> AsyncIterator[ClientWhenNeeded]:
    """A client whose attempts take ``patience`` seconds at most."""
    async with AsyncExitStack() as stack:
        yield ClientWhenNeeded(rules, patience, stack)
