"""`kill -9` under writes: what was acknowledged is there, and nothing has a hole."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import suppress
from pathlib import Path

import httpx2

from tests.harness import Api, ServerProcess

ROUNDS = 20
WRITERS = 8
# One lap brings an order back to where it was, so that a writer never runs out of steps.
LAP = ("out_for_delivery", "failed_delivery")


async def test_no_acknowledged_change_is_lost_to_kill_9(tmp_path: Path) -> None:
    dice = random.Random(9)
    acknowledged: dict[object, list[tuple[int, str]]] = {}
    server = ServerProcess(tmp_path)
    written = 0
    try:
        for _ in range(ROUNDS):
            server.start()
            async with server.api() as api:
                await _check(api, acknowledged)
                acknowledged = {}
                at_it = asyncio.Barrier(WRITERS + 1)
                writers = [asyncio.create_task(_write(api, acknowledged, at_it)) for _ in range(WRITERS)]
                await at_it.wait()
                await asyncio.sleep(dice.uniform(0, 0.3))
                server.kill()
                await asyncio.gather(*writers)
            written += sum(map(len, acknowledged.values()))
        server.start()
        async with server.api() as api:
            await _check(api, acknowledged)
    finally:
        server.stop()
    assert written > ROUNDS * WRITERS
    _check_log(tmp_path / "orders.db", written)


async def _write(api: Api, acknowledged: dict[object, list[tuple[int, str]]], at_it: asyncio.Barrier) -> None:
    with suppress(httpx2.TransportError):
        order = await api.create()
        mine = acknowledged.setdefault(order["orderId"], [(order["version"], order["status"])])
        await at_it.wait()
        steps = ("accepted", "preparing", "ready", *LAP * 1_000)
        for status in steps:
            order = await api.patch(order["orderId"], status=status)
            mine.append((order["version"], order["status"]))


async def _check(api: Api, acknowledged: dict[object, list[tuple[int, str]]]) -> None:
    for id, changes in acknowledged.items():
        history = (await api.get(f"/api/orders/{id}/events"))["events"]
        found = [(event["version"], event["status"]) for event in history]
        assert found[: len(changes)] == changes
        assert len(found) <= len(changes) + 1, "more than the one change that nobody heard the end of"
        order = await api.get(f"/api/orders/{id}")
        assert (order["version"], order["status"]) == found[-1]


def _check_log(path: Path, written: int) -> None:
    db = sqlite3.connect(path)
    try:
        positions = [row[0] for row in db.execute("SELECT position FROM order_events ORDER BY position")]
        assert positions == list(range(1, len(positions) + 1))
        assert len(positions) >= written
        assert db.execute("SELECT n FROM log_head").fetchone() == (len(positions),)
        holes = db.execute(
            "SELECT o.order_id FROM orders o JOIN order_events e USING (order_id) GROUP BY o.order_id "
            "HAVING count(*) <> o.version OR max(e.version) <> o.version OR min(e.version) <> 1"
        ).fetchall()
        assert holes == []
    finally:
        db.close()
