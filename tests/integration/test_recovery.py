"""The official client's own recovery (https://socket.io/docs/v4/connection-state-recovery): an unmodified
socket.io-client finds ``socket.recovered`` true, or is told that it cannot be given all that it missed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ordercast.orders.cursors import format_cursor
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from tests.contract.support import retention
from tests.harness import CLIENTS, Json, ServerProcess, token
from tests.inside import ordercast, serving, stop_all_clocks
from tests.proxy import Proxy

DAY, HOUR = 86_400.0, 3_600.0
NEVER = 1e6  # s between events that are not to come
NOBODY = 1  # a port on which nothing listens
BOTH = ("customer", "operator")
SHOP = Principal("shop", Role.SERVICE)


class NodeClient:
    """``recovery.mjs``: a customer and an operator."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.heard: list[Json] = []

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def until(self, who: str, event: str, count: int = 1) -> Json:
        """The so manieth such event, from the beginning."""
        async with asyncio.timeout(90):
            while len(self.of(who, event)) < count:
                await self._listen()
        return self.of(who, event)[count - 1]

    async def until_current(self, who: str, cursor: str) -> None:
        """It has been told this cursor."""
        async with asyncio.timeout(90):
            while [cursor] not in [one["args"] for one in self.of(who, "position")]:
                await self._listen()

    async def until_upgraded(self) -> None:
        """Both are on a WebSocket: cut off in the middle of its upgrade, a client waits for its ping timeout."""
        async with asyncio.timeout(90):
            while not all(map(self._is_upgraded, BOTH)):
                await self._listen()

    def _is_upgraded(self, who: str) -> bool:
        """By its newest connection; one before may have ended without."""
        states = [one["event"] for one in self.heard if one["who"] == who and one["event"] in ("upgrade", "disconnect")]
        return states[-1:] == ["upgrade"]

    async def settle(self, who: str) -> None:
        """Everything sent to it before now has arrived: an answer on the same connection says so."""
        before = len(self.of(who, "watch:denied"))
        self.tell(f"emit {who} watch:order null")
        await self.until(who, "watch:denied", before + 1)

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        self.heard.append(json.loads(await self._process.stdout.readline()))

    def of(self, who: str, event: str) -> list[Json]:
        return [one for one in self.heard if (one["who"], one["event"]) == (who, event)]

    def versions(self, who: str, event: str) -> list[tuple[object, int]]:
        return [(one["args"][0]["orderId"], one["args"][0]["version"]) for one in self.of(who, event)]


@contextlib.asynccontextmanager
async def node_client(url: str) -> AsyncIterator[NodeClient]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "recovery.mjs"),
        url,
        token(42),
        token("ana", "operator"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
    )
    client = NodeClient(process)
    try:
        for who in BOTH:
            assert (await client.until(who, "connect"))["recovered"] is False
        yield client
    finally:
        process.kill()
        await process.communicate()


@contextlib.asynccontextmanager
async def unplugged(proxy: Proxy, client: NodeClient) -> AsyncIterator[None]:
    """Both have lost their connection, and find nobody while this lasts."""
    await client.until_upgraded()
    target, proxy.target = proxy.target, NOBODY
    before = len(client.of(BOTH[0], "disconnect"))
    proxy.cut_all()
    for who in BOTH:
        await client.until(who, "disconnect", before + 1)
    yield
    proxy.target = target


async def test_a_cut_before_anything_was_heard_and_a_killed_server(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        async with node_client(server.url) as client:
            # The pid alone knows where the client was.
            for who in BOTH:
                client.tell(f"hide {who}")
                await client.until(who, "disconnect")
            async with server.api() as api:
                id = (await api.create(customerId=42))["orderId"]
                await api.patch(id, status="accepted")
            for number, who in enumerate(BOTH):
                client.tell(f"back {who}")
                assert (await client.until(who, "connect", 2))["recovered"] is True
                await client.until(who, "caught_up")
                assert client.versions(who, "order:created") == [(id, 1)]
                assert client.versions(who, ("order:updated", "order:status_changed")[number]) == [(id, 2)]
            # The operator watches, and the server is killed.
            client.tell(f"emit operator watch:order {id}")
            await client.until("operator", "watching")
            await client.until_upgraded()
            server.kill()
            for who in BOTH:
                await client.until(who, "disconnect", 2)
            server.start()
            async with server.api() as api:
                await api.patch(id, status="preparing")
                for who in BOTH:
                    assert (await client.until(who, "connect", 3))["recovered"] is True
                await api.patch(id, status="ready")
            await client.until("customer", "order:updated", 3)
            await client.until("operator", "order:updated", 2)
            await client.until("operator", "order:status_changed", 3)
            assert client.versions("customer", "order:updated") == [(id, 2), (id, 3), (id, 4)]
            assert client.versions("operator", "order:updated") == [(id, 3), (id, 4)], "it watches still"
            assert client.versions("operator", "order:status_changed") == [(id, 2), (id, 3), (id, 4)]


async def test_another_node(tmp_path: Path, postgres_url: str) -> None:
    """Nothing of a connection is in the node that it was on: its pid and its watches are another's to read."""
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    first, second = (ServerProcess(folder, database_url=postgres_url) for folder in folders)
    with first, second:
        async with Proxy(first.port) as proxy, node_client(proxy.url) as client, second.api() as api:
            id = (await api.create(customerId=42))["orderId"]
            client.tell(f"emit operator watch:order {id}")
            await client.until("operator", "watching")
            async with unplugged(proxy, client):
                await api.patch(id, status="accepted")
            proxy.target = second.port
            for who in BOTH:
                assert (await client.until(who, "connect", 2))["recovered"] is True
            first.kill()
            await api.patch(id, status="preparing")
            await client.until("customer", "order:updated", 2)
            await client.until("operator", "order:updated", 2)
            assert client.versions("customer", "order:updated") == [(id, 2), (id, 3)]
            assert client.versions("operator", "order:updated") == [(id, 2), (id, 3)]


async def test_a_network_that_is_cut(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        async with server.api() as api, Proxy(server.port) as proxy, node_client(proxy.url) as client:
            id = (await api.create(customerId=42))["orderId"]
            client.tell(f"emit operator watch:order {id}")
            await client.until("operator", "watching")
            for times, status in enumerate(("accepted", "preparing", "ready"), 1):
                async with unplugged(proxy, client):
                    await api.patch(id, status=status)
                    await api.patch(id, note=status)
                for who in BOTH:
                    assert (await client.until(who, "connect", times + 1))["recovered"] is True
                    await client.until(who, "caught_up", times)
            for who in BOTH:
                await client.settle(who)
                assert client.versions(who, "order:updated") == [(id, 2), (id, 4), (id, 6)]
                assert client.versions(who, "order:changed") == [(id, 3), (id, 5), (id, 7)]
                assert client.of(who, "resync") == []


@pytest.mark.parametrize("told", [True, False])
async def test_an_hour_in_which_nothing_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    """Orders of others change all the while. ``told``: where an hour is more than is replayed, since the client was
    told that it was current; else it has heard nothing at all since it came."""
    clock = stop_all_clocks(monkeypatch)
    limits = {"replay_max_age": HOUR / 4, "replay_max_events": 5, "position_interval": 0.05}
    app = ordercast(tmp_path, **(limits if told else {"position_interval": NEVER}))
    async with serving(app) as port, Proxy(port) as proxy, node_client(proxy.url) as client:
        mine = (await app.orders.create(NewOrder(customer_id="42"), SHOP)).order.order_id
        await client.until("customer", "order:created")
        theirs = (await app.orders.create(NewOrder(customer_id="43"), SHOP)).order.order_id
        for minutes in range(0, 60, 5):
            clock.tick(HOUR / 12)
            await app.orders.update(theirs, SHOP, fields={"note": f"after {minutes} minutes"})
        if told:
            await client.until_current("customer", format_cursor(app.storage.log.log_id, app.feed.position))
        await client.settle("customer")
        async with unplugged(proxy, client):
            await app.orders.change_status(mine, "accepted", "kitchen")
        assert (await client.until("customer", "connect", 2))["recovered"] is True
        await client.until("customer", "caught_up")
        await client.settle("customer")
        events = [one["event"] for one in client.heard if one["who"] == "customer" and one["event"].startswith("order")]
        assert events == ["order:created", "order:updated"]
        assert client.of("customer", "resync") == []


async def test_what_was_missed_is_removed_by_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the retention is too short: all anew, with a snapshot of each order that is watched."""
    clock = stop_all_clocks(monkeypatch)
    app = ordercast(tmp_path, log_retention=DAY, replay_max_age=30 * DAY, recovery_ttl=30 * DAY)
    async with serving(app) as port, Proxy(port) as proxy, node_client(proxy.url) as client:
        ids = [(await app.orders.create(NewOrder(customer_id=who), SHOP)).order.order_id for who in ("42", "43")]
        for id in ids:
            client.tell(f"emit operator watch:order {id}")
        await client.until("operator", "watching", 2)
        client.tell(f"emit customer watch:order {ids[0]}")
        await client.until("customer", "watching")
        async with unplugged(proxy, client):
            for id in ids:
                await app.orders.change_status(id, "accepted", "kitchen")
            clock.tick(DAY + 1)
            await retention(app.storage, app.settings.log_retention).remove_old()
            assert (app.storage.log.floor, app.feed.position) == (4, 4)
            await app.orders.change_status(ids[0], "preparing", "kitchen")
        for who in BOTH:
            assert (await client.until(who, "connect", 2))["recovered"] is False
            assert (await client.until(who, "resync"))["args"] == [{"position": 5}]
        await client.until("operator", "watching", 4)
        fresh: list[Any] = [one["args"][0] for one in client.of("operator", "watching")[2:]]
        assert sorted(fresh, key=lambda answer: str(answer["orderId"])) == [
            {"orderId": int(ids[0]), "status": "preparing", "version": 3, "position": 5},
            {"orderId": int(ids[1]), "status": "accepted", "version": 2, "position": 5},
        ]
        await client.until("customer", "watching", 2)
        assert client.of("customer", "watching")[1]["args"] == [one for one in fresh if one["orderId"] == int(ids[0])]
        # What comes then, comes as ever, to the rooms of what is watched too.
        await app.orders.change_status(ids[1], "preparing", "kitchen")
        await client.until("operator", "order:updated")
        for who in BOTH:
            await client.settle(who)
            assert client.of(who, "caught_up") == []
        assert client.versions("operator", "order:updated") == [(int(ids[1]), 3)]
        assert client.versions("customer", "order:updated") == []
