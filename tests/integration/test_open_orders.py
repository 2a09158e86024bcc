"""Orders from processes that serve nobody: the example of Celery, with a real worker, and plain code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ordercast import Settings, open_orders, open_orders_sync
from ordercast.errors import StorageError, TransitionNotAllowed
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from tests.examples import EXAMPLES
from tests.harness import Listener, ServerProcess, token
from tests.heard import listening_at
from tests.redis_server import RedisServer

PATIENCE = 60.0  # s; bounds a failure only
SHOP = Principal("shop", Role.SERVICE)
CELERY = (sys.executable, "-m", "celery", "--workdir", str(EXAMPLES / "celery_shop"), "--app", "celery_shop")


@contextmanager
def celery_worker(folder: Path, environment: dict[str, str]) -> Iterator[Path]:
    """A worker of the example, ready for tasks; what it says is in this file."""
    log = folder / "worker.log"
    command = [*CELERY, "worker", "--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with log.open("wb") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + PATIENCE
        while " ready." not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield log
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


async def test_a_celery_task_moves_an_order_before_its_customers_eyes(
    postgres_url: str, redis: RedisServer, tmp_path: Path
) -> None:
    with ServerProcess(tmp_path, database_url=postgres_url, redis_url=redis.url) as server:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "ORDERCAST_DATABASE_URL": postgres_url,  # and no key: it verifies no tokens
            "ORDERCAST_REDIS_URL": redis.url,
            "CELERY_BROKER_URL": f"redis+socket://{redis.url.removeprefix('unix://')}?virtual_host=1",
        }
        async with server.api() as api, listening_at(server.url, token(42)) as heard:
            id = (await api.create(customerId=42))["orderId"]
            with celery_worker(tmp_path, environment) as log:
                for version, status in enumerate(("accepted", "preparing", "ready"), 2):
                    call = [*CELERY, "call", "celery_shop.move", "--args", f'[{id}, "{status}", "kitchen"]']
                    await asyncio.to_thread(subprocess.run, call, env=environment, check=True, capture_output=True)
                    told = (await heard.until("order:updated", version - 1))[-1]
                    assert (told["orderId"], told["status"], told["version"]) == (id, status, version)
                assert await heard.until("kitchen:bell") == [{"orderId": id}]
            assert "Traceback" not in log.read_text()
            history = (await api.get(f"/api/orders/{id}/events"))["events"]
            assert [event["updatedBy"] for event in history] == ["shop", "kitchen", "kitchen", "kitchen"]


async def test_the_shops_own_names_for_statuses(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db", status_map={"CONFIRMED": "accepted"})
    async with open_orders(settings) as orders:
        id = (await orders.create(NewOrder(customer_id="42"), SHOP)).order.order_id
        assert (await orders.change_status(id, "CONFIRMED", updated_by="cron")).status == "accepted"


def test_plain_code_writes_what_a_server_on_postgresql_has(postgres_url: str) -> None:
    with open_orders_sync(Settings(database_url=postgres_url)) as orders:
        id = orders.create(NewOrder(customer_id="42"), SHOP).order.order_id
        assert orders.change_status(id, "accepted", updated_by="kitchen").version == 2
        with pytest.raises(TransitionNotAllowed, match="Allowed are"):
            orders.change_status(id, "delivered", updated_by="kitchen")
        assert [event.status for event in orders.history(id, SHOP)] == ["received", "accepted"]


async def test_beside_a_server_on_a_file_it_says_what_to_do(fresh_server: ServerProcess) -> None:
    settings = Settings(database_url=f"sqlite:///{fresh_server.folder}/orders.db")
    with pytest.raises(StorageError, match="over its REST API, or keep them in PostgreSQL"):
        await open_orders(settings).__aenter__()

    def plain() -> None:
        with pytest.raises(StorageError, match="over its REST API"), open_orders_sync(settings):
            raise AssertionError("it opened")

    await asyncio.to_thread(plain)


async def test_the_next_server_on_a_file_tells_of_it(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path)
    with server:
        async with server.api() as api:
            id = (await api.create(customerId=42))["orderId"]
            since = (await api.get("/api/events"))["cursor"]
    async with open_orders(Settings(database_url=f"sqlite:///{tmp_path}/orders.db")) as orders:
        await orders.change_status(id, "accepted", updated_by="cron")
    with server:
        listener = Listener()
        await listener.connect(f"{server.url}?since={since}", token(42))
        assert [event["status"] for event in await listener.until("order:updated", wait=PATIENCE)] == ["accepted"]
        await listener.close()
