"""The official socket.io-client, as a process that tells what it hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.harness import CLIENTS

PATIENCE = 60.0  # s; bounds a failure only


class Heard:
    """What the client has heard so far, as (event, data)."""

    def __init__(self, said: asyncio.StreamReader) -> None:
        self.events: list[tuple[str, Any]] = []
        self._said = said

    def of(self, event: str) -> list[Any]:
        """What came with this event."""
        return [data for name, data in self.events if name == event]

    async def until(self, event: str, count: int = 1) -> list[Any]:
        """Waits for so many of an event."""
        async with asyncio.timeout(PATIENCE):
            while len(self.of(event)) < count:
                line = await self._said.readline()
                assert line, f"the client ended; it had heard {self.events}"
                said = json.loads(line)
                self.events.append((said["event"], said.get("data")))
        return self.of(event)


@asynccontextmanager
async def listening_at(
    url: str, token: str, path: str = "/socket.io/", transport: str = "websocket"
) -> AsyncIterator[Heard]:
    """A client, connected."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "listen.mjs"),
        *(url, path, token, transport),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
    )
    assert process.stdout is not None
    heard = Heard(process.stdout)
    try:
        assert await heard.until("connect") == [transport]
        yield heard
    finally:
        process.kill()
        await process.wait()
