"""``serve --workers``: several processes behind one port, as real as any other cluster of nodes."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import SECRET, ServerProcess, children_of
from tests.redis_server import RedisServer

WORKERS = 2


@pytest.fixture
def server(tmp_path: Path, postgres_url: str, redis: RedisServer) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, database_url=postgres_url, redis_url=redis.url, workers=str(WORKERS)) as server:
        yield server


def _workers(server: ServerProcess) -> set[int]:
    """The processes that serve: children of ours that listen, without the one that tracks their resources."""
    return {pid for pid in children_of(server.pid) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()}


async def _until_listening(server: ServerProcess, times: int) -> None:
    deadline = time.monotonic() + 30
    while server.log.count("listens on") < times:
        assert time.monotonic() < deadline, server.log
        await asyncio.sleep(0.05)


def _gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


async def test_a_change_reaches_clients_of_every_worker_and_a_dead_one_is_replaced(server: ServerProcess) -> None:
    await _until_listening(server, WORKERS)
    before = _workers(server)
    assert len(before) == WORKERS
    async with server.api() as api, server.listener("op", "operator") as operator:
        order = await api.create()
        await operator.until("order:created")
        os.kill(min(before), signal.SIGKILL)
        await _until_listening(server, WORKERS + 1)
        after = _workers(server)
        assert len(after) == WORKERS
        assert len(after & before) == WORKERS - 1
        assert "a worker ended" in server.log
        assert (await api.get(f"/api/orders/{order['orderId']}"))["orderId"] == order["orderId"]
    assert server.stop() == 0
    assert _gone(before | after)


async def test_workers_end_with_a_supervisor_that_was_killed(server: ServerProcess) -> None:
    await _until_listening(server, WORKERS)
    workers = _workers(server)
    server.kill()
    deadline = time.monotonic() + 30
    while not _gone(workers):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def test_a_database_that_is_not_there_is_told_in_words_and_once_for_all(tmp_path: Path, redis: RedisServer) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    server = ServerProcess(tmp_path, database_url=nowhere, redis_url=redis.url, workers="2", jwt_secret=SECRET)
    with pytest.raises(RuntimeError, match=r"ended with 1:(?s:.)*ordercast: .*database"), server:
        pass
    assert "Traceback" not in server.log
