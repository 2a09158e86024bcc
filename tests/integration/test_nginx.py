"""The nginx configuration that we ship, on a real nginx: two nodes behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.harness import Listener, ServerProcess, token
from tests.nginx import Nginx


@pytest.fixture
def nodes(tmp_path: Path, postgres_url: str) -> Iterator[list[ServerProcess]]:
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    a, b = (ServerProcess(f, database_url=postgres_url, trusted_proxies="127.0.0.1") for f in folders)
    with a, b:
        yield [a, b]


@pytest.fixture
def nginx(tmp_path: Path, nodes: list[ServerProcess]) -> Iterator[Nginx]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    with Nginx(folder, [node.port for node in nodes]) as nginx:
        yield nginx


async def _listeners(nginx: Nginx, count: int) -> list[Listener]:
    listeners = [Listener() for _ in range(count)]
    for number, listener in enumerate(listeners):
        await listener.connect(nginx.url, token(f"op-{number}", "operator"))
    return listeners


async def test_clients_are_spread_over_the_nodes_and_hear_what_was_changed_on_any(
    nginx: Nginx, nodes: list[ServerProcess]
) -> None:
    listeners = await _listeners(nginx, 4)
    try:
        assert all("connected" in node.log for node in nodes)
        headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
        async with httpx2.AsyncClient(base_url=nginx.url, headers=headers) as api:
            order = (await api.post("/api/orders", json={"customerId": 42})).json()
            await api.patch(f"/api/orders/{order['orderId']}", json={"status": "accepted"})
        for listener in listeners:
            (heard,) = await listener.until("order:status_changed")
            assert heard["status"] == "accepted"
    finally:
        await asyncio.gather(*(listener.close() for listener in listeners))


async def test_a_node_that_stopped_is_passed_by(nginx: Nginx, nodes: list[ServerProcess]) -> None:
    nodes[0].stop()
    listeners = await _listeners(nginx, 3)
    assert all(listener.client.connected for listener in listeners)
    await asyncio.gather(*(listener.close() for listener in listeners))


async def test_tokens_stay_out_of_the_log_and_forged_addresses_out_of_the_nodes(
    nginx: Nginx, nodes: list[ServerProcess]
) -> None:
    secret = token("mallory")[:-3] + "xyz"
    async with httpx2.AsyncClient(base_url=nginx.url, headers={"X-Forwarded-For": "203.0.113.9"}) as client:
        opened = await client.get(f"/socket.io/?EIO=3&transport=polling&token={secret}")
        assert opened.status_code == 200
        await client.get("/track/a-share-token")
        assert (await client.get("/metrics")).status_code == 200  # from this machine
    logged = nginx.access_log
    assert "/socket.io/" in logged
    assert "/track/..." in logged
    assert secret not in logged
    assert "a-share-token" not in logged
    refused = "".join(node.log for node in nodes)
    assert "connection refused" in refused
    assert "address=127.0.0.1" in refused.replace("'", "")
    assert "203.0.113.9" not in refused


async def test_an_upgrade_to_anything_but_websocket_is_none(nginx: Nginx) -> None:
    async with httpx2.AsyncClient(base_url=nginx.url) as client:
        response = await client.get("/health/live", headers={"Upgrade": "h2c", "Connection": "Upgrade"})
        assert response.status_code == 200
