"""Ordercast inside another application, below a path, under servers as they come: the shops in `examples/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx2
import pytest

from tests.examples import DJANGO, FASTAPI, STARLETTE, signed_in
from tests.harness import Listener, ServerProcess, token
from tests.heard import listening_at

SHOPS = {
    "FastAPI": (FASTAPI, "uvicorn"),
    "Starlette": (STARLETTE, "uvicorn"),
    "Starlette, hypercorn": (STARLETTE, "hypercorn"),
    "Django": (DJANGO, "uvicorn"),
}
SOCKETS = "/live/socket.io/"


@pytest.fixture(scope="module", params=SHOPS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Each example, running."""
    example, server = SHOPS[request.param]
    with example.process(tmp_path_factory.mktemp("shop"), server) as process:
        yield process
        assert "Traceback" not in process.log


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_business_code_moves_an_order_before_its_customers_eyes(shop: ServerProcess, transport: str) -> None:
    async with signed_in(shop, "ana") as (ana, her_token), signed_in(shop, "kim") as (kim, _):
        async with listening_at(shop.url, her_token, SOCKETS, transport) as heard:
            placed = await ana.post("/orders", json={"dish": "pizza"})
            assert placed.status_code == 201, placed.text
            id = placed.json()["orderId"]
            assert [(order["orderId"], order["status"]) for order in await heard.until("order:created")] == [
                (id, "received")
            ]
            for version, status in enumerate(("accepted", "preparing", "ready"), 2):
                moved = await kim.post(f"/kitchen/{id}/{status}")
                assert moved.json() == {"orderId": id, "status": status, "version": version}
            told = await heard.until("order:updated", 3)
            assert [(event["status"], event["version"]) for event in told] == [
                ("accepted", 2),
                ("preparing", 3),
                ("ready", 4),
            ]
        assert (await ana.get(f"/live/api/orders/{id}", headers=bearer(her_token))).json()["status"] == "ready"


async def test_who_may_not_is_told_so(shop: ServerProcess) -> None:
    async with signed_in(shop, "ana") as (ana, _), signed_in(shop, "kim") as (kim, _):
        id = (await ana.post("/orders", json={"dish": "pizza"})).json()["orderId"]
        assert (await ana.post(f"/kitchen/{id}/accepted")).status_code == 403
        assert (await kim.post(f"/kitchen/{id}/accepted")).status_code == 200
        refused = await kim.post(f"/kitchen/{id}/received")
        assert refused.status_code == 409
        assert "Allowed are" in refused.json()["detail"]
        assert (await kim.post("/kitchen/987654/ready")).status_code == 404
    async with httpx2.AsyncClient(base_url=shop.url) as nobody:
        assert (await nobody.post(f"/kitchen/{id}/preparing")).status_code in (302, 401, 403)
        assert (await nobody.get(f"/live/api/orders/{id}")).status_code == 401


async def test_everything_is_below_the_path(shop: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        for path in ("/live/health/ready", "/live/board", "/live/docs", "/live/socket.io/socket.io.js"):
            assert (await client.get(path)).status_code == 200, path
        assert "/live/openapi.json" in (await client.get("/live/docs")).text


async def test_a_share_link_leads_below_the_path(shop: ServerProcess) -> None:
    headers = bearer(token("shop", "service"))
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        created = await client.post("/live/api/orders", json={"customerId": 42}, headers=headers)
        id = created.json()["orderId"]
        assert created.headers["location"] == f"/live/api/orders/{id}"
        url = (await client.post(f"/live/api/orders/{id}/share", headers=headers)).json()["url"]
        assert url.startswith(f"{shop.url}/live/track/")
        page = await client.get(url)
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="(\.\./assets/[^"]+)"', page.text)
        assert len(assets) == 2, "a script and a style"
        for asset in assets:
            assert (await client.get(urljoin(url, asset))).status_code == 200


@pytest.mark.parametrize("shop", ["FastAPI"], indirect=True)
async def test_events_and_handlers_of_the_shops_own(shop: ServerProcess) -> None:
    async with signed_in(shop, "ana") as (ana, her_token), signed_in(shop, "kim") as (kim, _):
        id = (await ana.post("/orders", json={"dish": "pizza"})).json()["orderId"]
        listener = Listener()
        await listener.client.connect(
            shop.url, auth={"token": her_token}, transports=["websocket"], socketio_path=SOCKETS
        )
        assert await listener.client.call("kitchen:ping", timeout=60) == "pong for 42"
        await listener.close()
        async with listening_at(shop.url, her_token, SOCKETS) as heard:
            for status in ("accepted", "preparing", "ready"):
                await kim.post(f"/kitchen/{id}/{status}")
            assert await heard.until("kitchen:bell") == [{"orderId": id}]


@pytest.mark.parametrize("shop", ["FastAPI", "Starlette"], indirect=True)
async def test_a_token_that_was_revoked_opens_no_route_of_the_shop(shop: ServerProcess) -> None:
    old, backend = token(43, iat=1), bearer(token("shop", "service"))
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        assert (await client.post("/orders", json={"dish": "pizza"}, headers=bearer(old))).status_code == 201
        assert (await client.post("/live/api/tokens/revoke", json={"userId": 43}, headers=backend)).is_success
        refused = await client.post("/orders", json={"dish": "pizza"}, headers=bearer(old))
        assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid token")


@pytest.mark.parametrize("shop", ["FastAPI", "Starlette"], indirect=True)
async def test_a_wrong_password_gives_no_token(shop: ServerProcess) -> None:
    async with httpx2.AsyncClient(base_url=shop.url) as client:
        for name, password in (("ana", "calzone"), ("ana", ""), ("eve", "margherita"), ("eve", "")):
            assert (await client.post("/login", json={"name": name, "password": password})).status_code == 401


@pytest.mark.parametrize("shop", ["Django"], indirect=True)
async def test_a_plain_view_reaches_the_loop(shop: ServerProcess) -> None:
    async with (
        signed_in(shop, "ana") as (ana, her_token),
        signed_in(shop, "kim") as (kim, _),
        listening_at(shop.url, her_token, SOCKETS) as heard,
    ):
        id = (await ana.post("/orders")).json()["orderId"]
        assert (await kim.post(f"/courier/{id}")).status_code == 409
        for status in ("accepted", "preparing", "ready"):
            assert (await kim.post(f"/kitchen/{id}/{status}")).status_code == 200
        assert (await kim.post(f"/courier/{id}")).json()["status"] == "out_for_delivery"
        assert (await heard.until("order:updated", 4))[-1]["status"] == "out_for_delivery"


def bearer(token: str) -> dict[str, str]:
    """The header that brings it."""
    return {"Authorization": f"Bearer {token}"}
