"""`Ordercast.leave`: the clients leave over some time where another node takes them, else at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ordercast.app import Ordercast
from ordercast.config import Settings
from ordercast.storage.nodes import NodeRow
from tests.fakes import FakeTransport, request
from tests.harness import SECRET

CLIENTS = 3
PATIENCE = 60.0  # s; bounds a failure only


class Others:
    """A table of nodes that has these besides our own."""

    def __init__(self, *names: str) -> None:
        self._rows = [NodeRow(name, f"run of {name}", "http://192.0.2.1:3001", 0, "[]") for name in names]

    async def appear(self, row: NodeRow) -> None:
        """Nobody looks."""

    async def beat(self, name: str, run: str, connections: int) -> bool:
        return True

    async def others(self, name: str) -> list[NodeRow]:
        return self._rows

    async def leave(self, name: str, run: str) -> None:
        self._rows = []


@asynccontextmanager
async def node(others: Others | None, drain_time: float = 1) -> AsyncIterator[tuple[Ordercast, list[FakeTransport]]]:
    """One with clients."""
    app = Ordercast(Settings(jwt_secret=SECRET, drain_time=drain_time))
    async with app.nodes.running(others):
        transports = [FakeTransport() for _ in range(CLIENTS)]
        for transport in transports:
            app.io.engine.open(request(), transport)
        try:
            yield app, transports
        finally:
            await app.io.close(grace=0)


async def left(app: Ordercast, transports: list[FakeTransport]) -> list[int]:
    """How many clients had been told to go, whenever that changed while the node left."""
    leaving = asyncio.create_task(app.leave())
    counts: list[int] = []
    async with asyncio.timeout(PATIENCE):
        while not leaving.done():
            told = sum(transport.ended is not None and transport.ended.returns for transport in transports)
            if told not in counts:
                counts.append(told)
            await asyncio.sleep(0)
    return counts


@pytest.mark.parametrize("others", [None, Others()], ids=["on a file", "alone on its database"])
async def test_a_lone_node_ends_all_at_once(others: Others | None) -> None:
    async with node(others) as (app, transports):
        assert await left(app, transports) == [0, CLIENTS]


async def test_where_there_is_another_node_they_go_one_after_the_other() -> None:
    async with node(Others("b")) as (app, transports):
        assert await left(app, transports) == [*range(CLIENTS + 1)]


async def test_none_means_at_once_wherever_others_are() -> None:
    async with node(Others("b"), drain_time=0) as (app, transports):
        assert await left(app, transports) == [0, CLIENTS]
