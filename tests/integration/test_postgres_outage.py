"""A PostgreSQL server that goes away and comes back: nothing acknowledged is lost, and all goes on by itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError, StorageInDoubt
from ordercast.orders.models import Written
from ordercast.storage import postgres_writer
from ordercast.storage.database import migrate, open_storage
from tests.contract.support import create, noting, whole
from tests.harness import ServerProcess
from tests.postgres import PostgresServer

NEVER = 1e6  # s between looks that are not to come
WAIT = 60.0  # s that only bound a failure


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server to kill."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
async def mortal_url(mortal: PostgresServer) -> str:
    url = mortal.url(await mortal.create())
    await asyncio.to_thread(migrate, Settings(database_url=url))
    return url


async def test_what_was_acknowledged_survives_kills(mortal: PostgresServer, mortal_url: str) -> None:
    settings = Settings(database_url=mortal_url)
    acknowledged: dict[int, str] = {}
    refused: list[BaseException] = []
    done = asyncio.Event()
    async with open_storage(settings) as here, open_storage(settings) as there:
        await create(here.orders, "x")

        async def write(name: str, node: Any) -> None:
            n = 0
            while not done.is_set():
                n += 1
                try:
                    written = await node.orders.change("x", noting(f"{name}.{n}"))
                except StorageError as error:
                    refused.append(error)
                    await asyncio.sleep(0.01)
                    continue
                assert written.event is not None
                assert written.event.position not in acknowledged
                acknowledged[written.event.position] = f"{name}.{n}"

        async def more(count: int) -> None:
            wanted = len(acknowledged) + count
            while len(acknowledged) < wanted:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.001)

        async with asyncio.timeout(4 * WAIT), asyncio.TaskGroup() as group:
            for n in range(10):
                group.create_task(write(f"here{n}", here))
                group.create_task(write(f"there{n}", there))
            for _ in range(3):
                await more(200)
                await asyncio.to_thread(mortal.kill)
                refusals = len(refused)
                while len(refused) == refusals:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.001)
                with pytest.raises(StorageError, match="could not be read"):
                    await here.orders.get("x")
                await asyncio.to_thread(mortal.start)
            await more(200)
            done.set()
        head = await here.log.head()
        assert not any(isinstance(error, StorageInDoubt) for error in refused)
        # Each had an answer, and the answers were true: those and no others are in the log.
        assert sorted(acknowledged) == [*range(2, head + 1)]
        for node in (here, there):
            await whole(node.orders, node.log, head)
        order = await here.orders.get("x")
        assert order is not None
        assert order.note == acknowledged[head]


async def test_who_follows_goes_on(mortal: PostgresServer, mortal_url: str) -> None:
    """Also one that hears of other nodes by notifications alone, whose connection was lost."""
    settings = Settings(database_url=mortal_url)
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings) as there:
        woken = asyncio.Event()
        here.log.subscribe(woken.set)
        await create(there.orders, "x")
        async with asyncio.timeout(WAIT):
            await woken.wait()
            await asyncio.to_thread(mortal.kill)
            await asyncio.to_thread(mortal.start)
            await there.orders.change("x", noting("since"))
            while len(here.log.recent(0, 10)) < 2:
                woken.clear()
                await woken.wait()
        assert (await here.log.head(), here.log.recent(1, 10)[0][0].version) == (2, 2)


class Lost:
    """A connection that breaks at COMMIT: before the server hears of it, or before its answer is heard."""

    def __init__(self, connection: Any, *, committed: bool) -> None:
        self._connection = connection
        self._committed = committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, sql: str, *parameters: Any, **options: Any) -> Any:
        if sql != "COMMIT":
            return await self._connection.execute(sql, *parameters, **options)
        if self._committed:
            await self._connection.execute(sql)
        self._connection.terminate()
        raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_commit_whose_answer_is_lost(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, committed: bool, comes_back: bool
) -> None:
    begin = postgres_writer.PostgresWriter._begin
    async with open_storage(Settings(database_url=postgres_url)) as storage:
        await create(storage.orders, "x")

        async def breaking(writer: Any) -> Any:
            monkeypatch.undo()
            if not comes_back:
                monkeypatch.setattr(postgres_writer, "SETTLE", 0.0)
            return Lost(await begin(writer), committed=committed)

        monkeypatch.setattr(postgres_writer.PostgresWriter, "_begin", breaking)
        (ended,) = await asyncio.gather(storage.orders.change("x", noting("once")), return_exceptions=True)
        assert type(ended) is (Written if committed else StorageError) if comes_back else StorageInDoubt
        if isinstance(ended, Written) and ended.event:
            assert ended.event.position == 2
        await storage.orders.change("x", noting("next"))
        await whole(storage.orders, storage.log, 3 if committed else 2)


async def test_rest_and_sockets_while_it_is_away(mortal: PostgresServer, mortal_url: str, tmp_path: Path) -> None:
    with ServerProcess(tmp_path, database_url=mortal_url) as server:
        async with server.api() as api, server.listener("op", "operator") as operator:
            await api.create(orderId="1")
            await operator.until("order:created")
            mortal.kill()
            for answer in (
                await api.client.patch("/api/orders/1", json={"status": "accepted"}),
                await api.client.get("/api/orders/1"),
            ):
                assert answer.status_code == 503
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["type"] == "urn:ordercast:storage-unavailable"
            mortal.start()
            answer = await api.client.patch("/api/orders/1", json={"status": "accepted"})
            assert answer.status_code == 200
            (heard,) = await operator.until("order:status_changed")
            assert (heard["status"], heard["version"], heard["position"]) == ("accepted", 2, 2)
            assert operator.client.connected
        assert server.stop() == 0
        assert not re.search(r"password|Task exception", server.log)
