"""Whole nodes on the test's own loop, under uvicorn: for tests that move their clock or look inside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from ordercast.app import Ordercast
from ordercast.config import Settings
from tests.contract.support import Clock, stop_clocks
from tests.harness import SECRET, START_TIMEOUT, Listener, token

WAIT = 60.0  # s that only bound a failure

Node = tuple[Ordercast, str]
"""And where it listens."""

CLOCKS = ("ordercast.live.replay", "ordercast.orders.service")
"""Modules that ask what time it is, besides the keepers of orders."""


def stop_all_clocks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Has all of Ordercast ask this clock how late it is; tokens and heartbeats go by the real one."""
    clock = stop_clocks(monkeypatch)
    for module in CLOCKS:
        monkeypatch.setattr(f"{module}.now", clock)
    return clock


def ordercast(folder: Path, **settings: Any) -> Ordercast:
    """One on a database of its own, to be entered."""
    return Ordercast(Settings(jwt_secret=(SECRET,), database_url=f"sqlite:///{folder}/orders.db", **settings))


@asynccontextmanager
async def serving(app: Ordercast) -> AsyncIterator[int]:
    """Runs it, on the port that this gives."""
    config = uvicorn.Config(
        app.asgi, port=0, lifespan="off", log_config=None, access_log=False, loop="none", **app.uvicorn_settings()
    )
    server = uvicorn.Server(config)
    async with app:
        task = asyncio.create_task(server._serve())
        async with asyncio.timeout(START_TIMEOUT):
            while not server.started:  # noqa: ASYNC110 - uvicorn has nothing to wait on
                await asyncio.sleep(0.001)
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            await app.io.close(grace=0)
            server.should_exit = True
            await task


@asynccontextmanager
async def several(count: int, url: str, **settings: Any) -> AsyncIterator[list[Node]]:
    """So many nodes on one PostgreSQL database, which know each other."""
    async with AsyncExitStack() as stack:
        nodes = []
        for n in range(count):
            app = Ordercast(Settings(jwt_secret=(SECRET,), database_url=url, node_name=f"n{n}", **settings))
            nodes.append((app, f"http://127.0.0.1:{await stack.enter_async_context(serving(app))}"))
        await until(lambda: all(len(app.nodes.alive()) == count for app, _ in nodes))
        if "redis_url" in settings:
            async with asyncio.timeout(WAIT):
                for app, _ in nodes:
                    await app.io.cluster.settled()
        yield nodes


@asynccontextmanager
async def listening(url: str, user: object, role: str, **claims: Any) -> AsyncIterator[Listener]:
    """A connected client of the node there."""
    listener = Listener()
    await listener.connect(url, token(user, role, **claims))
    try:
        yield listener
    finally:
        await listener.close()


async def until(true: Callable[[], bool]) -> None:
    """Waits for something that happens on this loop."""
    async with asyncio.timeout(WAIT):
        while not true():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)
