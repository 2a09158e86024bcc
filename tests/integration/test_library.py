"""Ordercast inside another application, below a path, under uvicorn as it comes: the example in `examples/shop.py`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
import socketio

from tests.harness import ServerProcess, token

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The example, running."""
    command = ("uvicorn", "examples.shop:app", "--app-dir", str(ROOT))
    with ServerProcess(tmp_path_factory.mktemp("shop"), command=command) as process:
        yield process


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_business_code_moves_an_order_before_its_customers_eyes(shop: ServerProcess, transport: str) -> None:
    heard: list[tuple[str, Any]] = []
    ready, rung = asyncio.Event(), asyncio.Event()

    def updated(data: Any) -> None:
        heard.append((data["status"], data["version"]))
        if data["status"] == "ready":
            ready.set()

    async with httpx2.AsyncClient(base_url=shop.url) as client:
        headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
        created = await client.post("/live/api/orders", json={"customerId": 42}, headers=headers)
        id = created.json()["orderId"]
        assert created.headers["location"] == f"/live/api/orders/{id}"

        customer = socketio.AsyncClient(reconnection=False)
        customer.on("order:updated", updated)
        customer.on("kitchen:bell", lambda data: rung.set())
        await customer.connect(
            shop.url, auth={"token": token(42)}, transports=[transport], socketio_path="/live/socket.io/"
        )
        try:
            assert customer.transport() == transport
            assert await customer.call("kitchen:ping", timeout=10) == "pong for 42"
            for status in ("accepted", "preparing", "ready"):
                assert (await client.post(f"/kitchen/{id}/{status}")).json()["status"] == status
            async with asyncio.timeout(10):
                await ready.wait()
                await rung.wait()
            assert heard == [("accepted", 2), ("preparing", 3), ("ready", 4)]
        finally:
            await customer.disconnect()
        refused = await client.post(f"/kitchen/{id}/received")
        assert refused.status_code == 409
        assert "Allowed are" in refused.json()["detail"]
        assert (await client.post("/kitchen/987654/ready")).status_code == 404


async def test_everything_is_below_the_path(shop: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        for path in ("/live/health/ready", "/live/board", "/live/docs", "/live/socket.io/socket.io.js"):
            assert (await client.get(path)).status_code == 200, path
        assert "/live/openapi.json" in (await client.get("/live/docs")).text
        assert (await client.get("/docs")).text.count("A shop") > 0


async def test_a_share_link_leads_below_the_path(shop: ServerProcess) -> None:
    headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        id = (await client.post("/live/api/orders", json={"customerId": 42}, headers=headers)).json()["orderId"]
        url = (await client.post(f"/live/api/orders/{id}/share", headers=headers)).json()["url"]
        assert url.startswith(f"{shop.url}/live/track/")
        page = await client.get(url)
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="(\.\./assets/[^"]+)"', page.text)
        assert len(assets) == 2, "a script and a style"
        for asset in assets:
            assert (await client.get(urljoin(url, asset))).status_code == 200
