"""A restore under clients that were connected before: they show what was restored, by themselves. And the manual."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from ordercast.client import Backoff, OrdercastClient
from tests.harness import ServerProcess, token
from tests.integration.test_commands import ordercast
from tests.integration.test_ordercast_client import WAIT, holds
from tests.integration.test_package import client
from tests.integration.test_recovery import node_client
from tests.manual import Terminal, blocks


async def test_clients_of_before_see_what_was_restored(tmp_path: Path, database_url: str) -> None:
    command = {"database_url": database_url}
    with ServerProcess(tmp_path, database_url=database_url) as server:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(server.api())
            id = (await api.create(customerId=42))["orderId"]
            await api.patch(id, status="accepted")
            official = await stack.enter_async_context(node_client(server.url))
            package = await stack.enter_async_context(client(server.url, token(42), id))
            python = await stack.enter_async_context(OrdercastClient(server.url, token(42), backoff=Backoff(0.05, 0.5)))
            watch = stack.enter_context(python.watch_order(id))
            await package.order(version=2)

            done = await asyncio.to_thread(ordercast, tmp_path, "backup", "orders.backup", **command)
            assert done.returncode == 0, done.stderr
            assert "holds 1 orders" in done.stdout
            for status in ("preparing", "ready"):
                await api.patch(id, status=status)
            await package.order(version=4)
            await official.until("customer", "order:updated", 2)
            await official.settle("customer")
            async with asyncio.timeout(WAIT):
                await holds(lambda: watch.order is not None and watch.order.version == 4)

            refused = await asyncio.to_thread(ordercast, tmp_path, "restore", "orders.backup", "--force", **command)
            assert refused.returncode == 1
            assert "stop" in refused.stderr
            await api.patch(id, note="still served")
            await package.order(version=5)

            assert server.stop() == 0
            held = await asyncio.to_thread(ordercast, tmp_path, "restore", "orders.backup", **command)
            assert held.returncode == 1
            assert "--force" in held.stderr
            done = await asyncio.to_thread(ordercast, tmp_path, "restore", "orders.backup", "--force", **command)
            assert done.returncode == 0, done.stderr
            assert "1 orders are back" in done.stdout
            mark, reconnected = len(package.heard), len(official.of("customer", "connect"))
            server.start()

            await package.until("resync", after=mark)
            await package.until("order", lambda data: data["complete"] and data["order"]["version"] == 2, after=mark)
            assert (await official.until("customer", "connect", reconnected + 1))["recovered"] is False
            await official.until("customer", "resync")
            async with asyncio.timeout(WAIT):
                await holds(lambda: watch.order is not None and watch.order.version == 2)

            async with server.api() as again:
                await again.patch(id, status="preparing")
            await package.until("order", lambda data: data["complete"] and data["order"]["version"] == 3, after=mark)
            async with asyncio.timeout(WAIT):
                await holds(lambda: watch.order is not None and watch.order.version == 3)
            assert package.of("order")[-1]["order"]["status"] == "preparing"
            await official.until("customer", "order:updated", 3)
            assert official.of("customer", "order:updated")[-1]["args"][0]["version"] == 3


async def test_the_manual_on_backups(tmp_path: Path, postgres_url: str) -> None:
    shell = [block.text for block in blocks("howto/backup.md") if block.language == "sh"]
    with ServerProcess(tmp_path) as server:
        async with server.api() as api:
            await api.create(customerId=42, orderId=17)
        async with Terminal(tmp_path) as terminal:
            await terminal.run(f"export PATH={Path(sys.executable).parent}:$PATH")
            await terminal.run(f"export ORDERCAST_DATABASE_URL=sqlite:///{tmp_path}/orders.db")
            assert "holds 1 orders" in await terminal.run(shell[0])
            server.stop()
            assert "1 orders are back" in await terminal.run(shell[1])
            moved = shell[2].replace("postgresql://ordercast:…@db.example.com/orders", postgres_url)
            assert postgres_url in moved
            assert "1 orders are back" in await terminal.run(moved)
            assert "holds 1 orders" in await terminal.run("ordercast check | grep database")
