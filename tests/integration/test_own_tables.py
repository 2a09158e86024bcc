"""examples/own_tables: a shop's own table of orders, with a real server, real clients, and `kill -9`."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast import Ordercast, Settings
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from tests.contract.keepers import own_table, table
from tests.examples import EXAMPLES
from tests.harness import SECRET, ServerProcess, token
from tests.heard import listening_at
from tests.inside import listening, serving

ROUNDS = 3
WRITERS = 6
STEPS = ("preparing", "ready", *("out_for_delivery", "failed_delivery") * 1_000)
SOCKETS = "/live/socket.io/"
FOLDER = EXAMPLES / "own_tables"


class Shop(ServerProcess):
    """The example, under uvicorn as it comes; its own database in ``url``."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, 0, ("uvicorn", "own_tables:app"), str(FOLDER))
        self.database = url

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"SHOP_DATABASE_URL": self.database}

    async def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What the shop's own database has, past all of Ordercast."""
        engine = create_async_engine(self.database)
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            rows = [tuple(row) for row in result] if result.returns_rows else []
        await engine.dispose()
        return rows

    @asynccontextmanager
    async def caller(self, user: object, role: str = "customer") -> AsyncIterator[httpx2.AsyncClient]:
        """Somebody at the shop's own routes and Ordercast's."""
        headers = {"Authorization": f"Bearer {token(user, role)}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60) as client:
            yield client


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the shop's own tables are."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/shop.db"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url.replace("postgresql://", "postgresql+asyncpg://")


async def test_the_shops_own_transaction_is_heard_of_once_it_is_committed(database: str, tmp_path: Path) -> None:
    with Shop(tmp_path, database) as shop:
        async with (
            listening_at(shop.url, token(42), SOCKETS) as heard,
            shop.caller(42) as ana,
            shop.caller("kim", "operator") as kim,
            shop.caller("till", "service") as till,
        ):
            placed = await ana.post("/orders", json={"dish": "pizza"})
            assert (placed.status_code, placed.json()) == (201, {"orderId": 1}), placed.text
            (created,) = await heard.until("order:created")
            told = ("orderId", "customerId", "status", "version", "total", "position")
            assert [created[name] for name in told] == [1, 42, "received", 1, 9.5, 1]

            confirmed = await kim.post("/kitchen/1/confirm")
            assert confirmed.json() == {"orderId": 1, "status": "accepted", "version": 2}, confirmed.text
            (updated,) = await heard.until("order:updated")
            assert [updated[name] for name in ("orderId", "status", "version")] == [1, "accepted", 2]
            assert await shop.sql("SELECT state, cents, dish FROM orders") == [("CONFIRMED", 950, "pizza")]
            assert await shop.sql("SELECT portions FROM stock WHERE dish = 'pizza'") == [(99,)]

            # What is rolled back was never there: sold out, and the next change has the next version.
            await shop.sql("UPDATE stock SET portions = 0")
            await ana.post("/orders", json={"dish": "soup"})
            sold_out = await kim.post("/kitchen/2/confirm")
            assert (sold_out.status_code, sold_out.json()["detail"]) == (409, "Sold out.")
            assert (await kim.post("/kitchen/1/confirm")).status_code == 200, "the same status again changes nothing"
            assert (await kim.post("/kitchen/3/confirm")).status_code == 404
            await till.patch("/live/api/orders/2", json={"status": "accepted", "note": "without salt"})
            updated = (await heard.until("order:updated", 2))[-1]
            assert [updated[name] for name in ("orderId", "status", "version")] == [2, "accepted", 2]
            assert await shop.sql("SELECT state, dish FROM orders WHERE nr = 2") == [("CONFIRMED", "soup")]
            assert (await ana.get("/live/api/orders/2")).json()["note"] == "without salt"

            refused = await till.post("/live/api/orders", json={"customerId": 42})
            assert (refused.status_code, "orderId" in refused.json()["detail"]) == (422, True), refused.text
            whole = await till.post("/live/api/orders", json={"customerId": 42, "orderId": 7, "total": 1.005})
            assert (whole.status_code, "total" in whole.json()["detail"]) == (422, True), whole.text
            assert (await kim.get("/live/api/stats")).json()["created"] == 2
            forgotten = await till.delete("/live/api/customers/42")
            assert forgotten.status_code == 501
            assert forgotten.headers["content-type"] == "application/problem+json"
            assert (await ana.get("/live/api/orders")).status_code == 200, "no token was revoked"
    assert "Traceback" not in shop.log


async def test_orders_from_before_are_there(database: str, tmp_path: Path) -> None:
    shop = Shop(tmp_path, database)
    with shop:
        pass  # makes the tables
    for old in (
        "41, 42, 'COOKING', '2020-01-02 03:04:05.678901', 950, 'pizza'",
        "43, 44, 'IN_A_BOX', '2020-01-02 03:04:06', NULL, ''",
    ):
        await shop.sql(f"INSERT INTO orders (nr, customer, state, placed, cents, dish) VALUES ({old})")
    with shop:
        async with listening_at(shop.url, token(42), SOCKETS) as heard, shop.caller("till", "service") as till:
            found = (await till.get("/live/api/orders")).json()["orders"]
            told = [(o["orderId"], o["customerId"], o["status"], o["version"], o["total"]) for o in found]
            assert told == [(43, 44, "IN_A_BOX", 1, None), (41, 42, "preparing", 1, 9.5)]
            async with asyncio.timeout(60):  # adopted once the server runs
                while not (await till.get("/live/api/orders?q=41")).json()["orders"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await till.patch("/live/api/orders/41", json={"status": "ready"})
            (updated,) = await heard.until("order:updated")
            assert [updated[name] for name in ("orderId", "status", "version", "position")] == [41, "ready", 2, 1]


async def test_no_acknowledged_change_is_lost_to_kill_9(database: str, tmp_path: Path) -> None:
    dice = random.Random(9)
    acknowledged: dict[int, list[tuple[int, str]]] = {}
    shop, written = Shop(tmp_path, database), 0
    try:
        for _ in range(ROUNDS):
            shop.start()
            async with shop.caller("till", "service") as till, shop.caller(42) as ana:
                await _check(till, acknowledged)
                acknowledged = {}
                at_it, moved = asyncio.Barrier(WRITERS), asyncio.Event()
                writers = [asyncio.create_task(_write(till, ana, acknowledged, at_it, moved)) for _ in range(WRITERS)]
                async with asyncio.timeout(60):
                    await moved.wait()
                await asyncio.sleep(dice.uniform(0, 0.4))
                shop.kill()
                await asyncio.gather(*writers)
            written += sum(map(len, acknowledged.values()))
        shop.start()
        async with shop.caller("till", "service") as till:
            await _check(till, acknowledged)
    finally:
        shop.stop()
    assert written > ROUNDS * WRITERS
    positions = [row[0] for row in await shop.sql("SELECT position FROM ordercast_order_events ORDER BY position")]
    assert positions == [*range(1, len(positions) + 1)]
    assert len(positions) >= written
    assert await shop.sql("SELECT n FROM ordercast_log_head") == [(len(positions),)]
    holes = await shop.sql(
        "SELECT o.order_id FROM ordercast_orders o JOIN ordercast_order_events e "
        "ON CAST(o.order_id AS VARCHAR(64)) = e.order_id GROUP BY o.order_id, o.version "
        "HAVING count(*) <> o.version OR max(e.version) <> o.version OR min(e.version) <> 1"
    )
    assert holes == []


async def _write(
    till: httpx2.AsyncClient,
    ana: httpx2.AsyncClient,
    acknowledged: dict[int, list[tuple[int, str]]],
    at_it: asyncio.Barrier,
    moved: asyncio.Event,
) -> None:
    with suppress(httpx2.TransportError):
        id = (await ana.post("/orders", json={"dish": "pizza"})).raise_for_status().json()["orderId"]
        mine = acknowledged.setdefault(id, [(1, "received")])
        await at_it.wait()
        for status in ("accepted", *STEPS):
            order = (await till.patch(f"/live/api/orders/{id}", json={"status": status})).raise_for_status().json()
            mine.append((order["version"], order["status"]))
            moved.set()


async def _check(till: httpx2.AsyncClient, acknowledged: dict[int, list[tuple[int, str]]]) -> None:
    for id, changes in acknowledged.items():
        history = (await till.get(f"/live/api/orders/{id}/events")).json()["events"]
        found = [(event["version"], event["status"]) for event in history]
        assert found[: len(changes)] == changes
        assert len(found) <= len(changes) + 1, "more than the one change that nobody heard the end of"
        order = (await till.get(f"/live/api/orders/{id}")).json()
        assert (order["version"], order["status"]) == found[-1]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_what_one_node_commits_the_clients_of_another_hear(database: str, postgres_url: str) -> None:
    """Without Redis, by looking at the log; and one connection per user holds over both."""
    orders = table()
    async with AsyncExitStack() as stack:
        nodes = []
        for name in ("a", "b"):
            shop = own_table(database, orders)
            stack.push_async_callback(shop.engine.dispose)
            async with shop.engine.begin() as connection:
                await connection.run_sync(orders.metadata.create_all)
            settings = Settings(jwt_secret=(SECRET,), database_url=postgres_url, node_name=name)
            nodes.append((shop, app := Ordercast(settings, storage=shop)))
            port = await stack.enter_async_context(serving(app))
        (first, a), (_, b) = nodes
        ana = await stack.enter_async_context(listening(f"http://127.0.0.1:{port}", 42, "customer"))
        by = Principal("till", Role.SERVICE)
        await a.orders.create(NewOrder(order_id="1", customer_id="42"), by)
        async with first.begin() as connection:
            await a.orders.over(first.on(connection)).change_status(1, "accepted", updated_by="till")
        await b.orders.change_status(1, "preparing", updated_by="till")
        told = await ana.until("order:updated", 2, wait=60)
        assert [(event["status"], event["position"]) for event in told] == [("accepted", 2), ("preparing", 3)]
        assert len(ana.of("order:created")) == 1


async def test_commands_that_know_nothing_of_the_table_say_so(tmp_path: Path) -> None:
    with Shop(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/shop.db") as shop:
        pass
    (tmp_path / "orders.ndjson").write_text('{"orderId": 1, "customerId": 42}\n')
    for command in (["import", "orders.ndjson"], ["webhook", "list"], ["serve"]):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "ordercast", *command],
            cwd=tmp_path,
            env=shop.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode != 0, command
        assert "orders are in tables of its own" in " ".join((done.stdout + done.stderr).split()), command
    copied = [sys.executable, "-m", "ordercast", "backup", "copy.db"]
    await asyncio.to_thread(subprocess.run, copied, cwd=tmp_path, env=shop.environment, check=True)
