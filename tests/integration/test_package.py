"""``@ordercast/client`` as it is published, built, against the real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.harness import CLIENTS, Json, ServerProcess, token
from tests.proxy import without_socket_io

PATIENCE = 90.0  # s; bounds a failure only: the client itself may wait 30 s between two tries


class Client:
    """The Node.js program that drives the package."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.heard: list[tuple[str, Any]] = []

    def tell(self, *words: object) -> None:
        """A command."""
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(map(str, words)) + "\n").encode())

    def of(self, event: str) -> list[Any]:
        """What came with this event so far."""
        return [data for name, data in self.heard if name == event]

    async def until(self, event: str, holds: Callable[[Any], bool] = lambda _: True, after: int = 0) -> Any:
        """Waits for an event past ``after`` things heard, and returns what came with it."""
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                for name, data in self.heard[after:]:
                    if name == event and holds(data):
                        return data
                line = await self._process.stdout.readline()
                assert line, f"the client ended; it said {self.heard}"
                said = json.loads(line)
                self.heard.append((said["event"], said["data"]))

    async def status(self, status: str, after: int = 0) -> Json:
        """Waits for a state of the connection."""
        found: Json = await self.until("connection", lambda state: state["status"] == status, after)
        return found

    async def order(self, **fields: Any) -> Json:
        """Waits until a watched order is whole and like this."""
        state = await self.until(
            "order", lambda data: data["complete"] and all(data["order"].get(k) == v for k, v in fields.items())
        )
        order: Json = state["order"]
        return order


@contextlib.asynccontextmanager
async def client(url: str, token: str, *orders: object) -> AsyncIterator[Client]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "package.mjs"),
        url,
        token,
        *map(str, orders),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
        limit=2**20,
    )
    try:
        yield Client(process)
    finally:
        process.kill()
        await process.wait()


async def test_it_watches_and_comes_back_from_a_killed_server_without_loss(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        async with server.api() as api:
            order = await api.create(customerId=42, note="ring")
            id = order["orderId"]
            async with client(server.url, token(42), id) as it:
                await it.status("live")
                await it.until("watching")
                assert await it.order(version=1) == order
                await api.patch(id, status="accepted")
                assert (await it.order(version=2))["step"] == 2

                server.kill()
                await it.status("resuming", after=len(it.heard) - 1)
                mark = len(it.heard)
                server.start()
                async with server.api() as again:
                    for status in ("preparing", "ready"):
                        await again.patch(id, status=status)
                    await again.patch(id, note="knock")
                    await it.status("live", after=mark)
                    shown = await it.order(version=5)
                    fresh = await again.get(f"/api/orders/{id}")
                assert shown | {"updatedAt": None} == fresh | {"updatedAt": None}
                await it.until("order:changed")
                versions = [data["version"] for data in it.of("order:updated")]
                assert versions == [2, 3, 4], "each change is told once, in order"
                assert it.of("resync") == []


async def test_it_polls_where_no_socket_gets_through_and_goes_back_to_one(server: ServerProcess) -> None:
    async with server.api() as api, without_socket_io(server.port) as gate:
        id = (await api.create(customerId=42))["orderId"]
        gate.shut()
        async with client(gate.url, token(42), id) as it:
            await it.status("polling")
            await it.order(version=1)
            await api.patch(id, status="accepted")
            await it.order(version=2, status="accepted")
            mark = len(it.heard)
            gate.open()
            await it.status("live", after=mark)
            await api.patch(id, status="preparing")
            await it.order(version=3)
            gate.shut()
            await it.status("polling", after=mark)
            await api.patch(id, status="ready")
            await it.order(version=4)
            await it.until("order:updated", lambda data: data["version"] == 4)
            assert [data["version"] for data in it.of("order:updated")] == [2, 3, 4]


async def test_a_list_follows_what_operators_hear(server: ServerProcess) -> None:
    async with server.api() as api, client(server.url, token("ana", "operator")) as it:
        first = (await api.create(customerId=42, reference="list"))["orderId"]
        it.tell("list", "received,accepted")
        await it.status("live")
        await it.until("list", lambda data: data["complete"] and [first, "received", 1] in data["orders"])
        second = (await api.create(customerId=43))["orderId"]
        await it.until("list", lambda data: [second, "received", 1] in data["orders"])
        it.tell("change", first, "accepted", 1)
        await it.until("list", lambda data: [first, "accepted", 2] in data["orders"])
        it.tell("change", first, "preparing", 1)
        assert await it.until("refused") == {"status": 409}
        mark = len(it.heard)
        it.tell("change", first, "preparing", 2)
        await it.until("list", lambda data: first not in [id for id, *_ in data["orders"]], after=mark)


async def test_another_ones_order_is_not_found(server: ServerProcess) -> None:
    async with server.api() as api:
        id = (await api.create(customerId=43))["orderId"]
        async with client(server.url, token(42), id) as it:
            assert (await it.until("watch:denied"))["error"] == "not_found"
            await it.until("order", lambda data: data["error"] == 404 and data.get("order") is None)


async def test_a_token_about_to_end_is_renewed(server: ServerProcess) -> None:
    # A minute and the time to connect, or there would be no warning.
    async with client(server.url, token(42, lifetime=65)) as it:
        it.tell("token", token(42))  # what its token function gives next
        await it.status("live")
        await it.until("token:expiring")
        assert (await it.until("token:refreshed"))["expiresAt"] > time.time() + 3_000


async def test_who_is_revoked_stays_away_until_told_to_come(server: ServerProcess) -> None:
    async with server.api() as api, client(server.url, token(77, iat=int(time.time()) - 10)) as it:
        await it.status("live")
        assert (await api.send("POST", "/api/tokens/revoke", json={"userId": 77})).is_success
        assert await it.status("offline") == {"status": "offline", "reason": "revoked"}
        mark = len(it.heard)
        it.tell("connect")
        assert await it.status("offline", after=mark) == {"status": "offline", "reason": "unauthorized"}
