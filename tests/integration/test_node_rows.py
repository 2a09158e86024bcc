"""The table of nodes: who is there, by the database's clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Statement
from ordercast.storage.nodes import NodeRow, SqlNodes
from tests.harness import ServerProcess

NEVER = 1e6  # s between looks that are not to come
A = NodeRow("a", "a-1", "http://10.0.0.1:3001", 3, '[["ana","operator",null]]')
B = NodeRow("b", "b-1", "http://10.0.0.2:3001", 4, "[]")


@pytest.fixture
async def storage(postgres_url: str) -> AsyncIterator[Storage]:
    settings = Settings(database_url=postgres_url)
    async with open_storage(settings, look_every=NEVER, tidy_every=NEVER) as storage:
        yield storage


@pytest.fixture
def nodes(storage: Storage) -> SqlNodes:
    assert storage.nodes is not None
    return storage.nodes


async def age(nodes: SqlNodes, name: str, ms: int) -> None:
    """As if its newest beat were so old."""
    await nodes._writer.run(Statement("UPDATE nodes SET beat = beat - ? WHERE name = ?", (ms, name)))


async def names(nodes: SqlNodes) -> set[str]:
    return {row[0] for row in await nodes._readers.fetch("SELECT name FROM nodes")}


async def test_nodes_see_the_others(nodes: SqlNodes) -> None:
    assert await nodes.others("a") == []
    for row in (B, A):
        await nodes.appear(row)
    assert await nodes.others("a") == [B]
    assert await nodes.others("b") == [A]
    assert await nodes.others("c") == [A, B]


async def test_a_beat_keeps_what_has_not_changed(nodes: SqlNodes) -> None:
    await nodes.appear(A)
    await age(nodes, "a", 4_000)
    assert await nodes.others("b") == [], "three seconds without a beat"
    assert await nodes.beat("a", "a-1", 7)
    assert await nodes.others("b") == [replace(A, connections=7)]
    later = replace(A, address="http://10.0.0.9:1", online="[]")
    await nodes.appear(later)
    assert await nodes.others("b") == [later]


async def test_a_name_is_its_newest_runs(nodes: SqlNodes) -> None:
    assert not await nodes.beat("a", "a-1", 1)
    await nodes.appear(A)
    again = replace(A, run="a-2")
    await nodes.appear(again)
    assert not await nodes.beat("a", "a-1", 1)
    await nodes.leave("a", "a-1")
    assert await nodes.others("b") == [again]
    await nodes.leave("a", "a-2")
    assert await names(nodes) == set()


async def test_the_dead_are_removed_after_a_day(nodes: SqlNodes) -> None:
    for row in (A, B):
        await nodes.appear(row)
    await age(nodes, "a", 86_300_000)
    await age(nodes, "b", 86_500_000)
    await nodes.purge()
    assert await names(nodes) == {"a"}


async def test_a_file_has_one_node(tmp_path: Path) -> None:
    async with open_storage(Settings(database_url=f"sqlite:///{tmp_path}/orders.db")) as storage:
        assert storage.nodes is None


async def test_a_server_says_where_it_listens(nodes: SqlNodes, postgres_url: str, tmp_path: Path) -> None:
    with ServerProcess(tmp_path, database_url=postgres_url, node_name="kitchen") as server:
        (row,) = await nodes.others("")
        assert (row.name, row.address) == ("kitchen", server.url)
        server.kill()
        server.port = 0
        server.start()  # at once, before its old row counts as dead
        (again,) = await nodes.others("")
        assert (again.name, again.address) == ("kitchen", server.url)
        assert again.run != row.run
        assert server.stop() == 0
    assert await names(nodes) == set(), "a server that stops takes its row along"
