"""The clients of examples/recipe, built with `socket.io-client` 1.7 and 4 from npm, on `ordercast serve` as it comes.

Nothing is set but the tokens' secret: as in 2016, pages and sockets have one origin. Here Vite's own server gives out
the built pages and passes the rest on; between it and the browser stands a gate that lets no socket through when it is
shut, as some networks do.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.pages import hold
from tests.harness import ROOT, ServerProcess, token
from tests.manual import Terminal
from tests.proxy import Gate, without_socket_io
from tests.sites import free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

RECIPE = ROOT / "examples" / "recipe"
VITE = RECIPE / "node_modules" / ".bin" / "vite"
APPS = ("page", "react-redux")
ERAS = {"1.7": 3, "4": 4}  # and their versions of Engine.IO


@dataclass(frozen=True)
class Built:
    """One of the apps, built with a client of this era."""

    app: str
    era: str
    folder: Path


@pytest.fixture(scope="module", params=itertools.product(APPS, ERAS), ids=" ".join)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Each app with each client, as npm installs both by the lock file."""
    app, era = request.param
    folder = tmp_path_factory.mktemp(app)
    done = subprocess.run(
        [VITE, "build", "--outDir", str(folder), "--emptyOutDir", "--logLevel", "warn"],
        cwd=RECIPE / app,
        env={**os.environ, "SIO": era},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(app, era, folder)


class Shop:
    """The server, and where its pages are."""

    def __init__(self, built: Built, server: ServerProcess, gate: Gate, browser: Browser) -> None:
        self.built, self.server, self.gate, self.browser = built, server, gate, browser
        self.faults: list[str] = []

    def url(self, order_id: int | None, who: str) -> str:
        """The link that the shop gives out: an order's page for a customer, all orders for an operator."""
        if order_id is not None:
            return f"{self.gate.url}/#order={order_id}&token={who}"
        list_of_all = "operators.html" if self.built.app == "page" else ""
        return f"{self.gate.url}/{list_of_all}#token={who}"

    async def open(self, order_id: int | None, who: str, held: bool = False) -> View:
        """A window on it, logged in, that marks itself, so that a reload would show. ``held``: until it is let go."""
        page = await self.browser.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        view = View(page)
        if held:
            view.let_go = await hold(page)
        await page.goto(self.url(order_id, who))
        if self.built.app == "react-redux":
            await page.get_by_role("button", name="Log in").click()
        await page.evaluate("window.neverReloaded = true")
        return view


class View:
    """What a window shows."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        self.let_go: Callable[[], None] = lambda: None

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status")

    async def says(self, live: str | re.Pattern[str]) -> None:
        """How live it is."""
        await expect(self.page.locator("small")).to_have_text(live)

    async def shows(self, status: str) -> None:
        """The order."""
        await expect(self.status).to_have_text(status)

    async def lists(self, *orders: str) -> None:
        """The orders, in any order."""
        rows = self.page.get_by_role("listitem")
        await expect(rows).to_have_count(len(orders))
        for order in orders:
            await expect(rows.filter(has_text=order)).to_have_count(1)

    async def close(self) -> None:
        assert await self.page.evaluate("neverReloaded")
        await self.page.close()


@asynccontextmanager
async def open_shop(built: Built, folder: Path, browser: Browser, **settings: Any) -> AsyncIterator[Shop]:
    """A shop with nothing set but the secret, unless a test sets more."""
    with ServerProcess(folder, **settings) as server:
        port = free_port()
        async with Terminal(RECIPE / built.app) as terminal, without_socket_io(port) as gate:
            preview = f"{VITE} preview --outDir {built.folder} --port {port} --strictPort --host 127.0.0.1"
            await terminal.leave_running(f"ORDERCAST_URL={server.url} {preview}", rf"http://127\.0\.0\.1:\S*{port}")
            shop = Shop(built, server, gate, browser)
            yield shop
            assert shop.faults == []


def customer(**claims: Any) -> str:
    return token(42, **claims)


OPERATOR = token("ana", "operator")


async def test_an_order_moves_and_so_does_the_list(built: Built, browser: Browser, tmp_path: Path) -> None:
    async with open_shop(built, tmp_path, browser) as shop, shop.server.api() as api:
        first, second = [(await api.create(customerId=42))["orderId"] for _ in range(2)]
        mine, all_orders = await shop.open(first, customer()), await shop.open(None, OPERATOR)
        for view in (mine, all_orders):
            await view.says("live")
            assert any(f"EIO={ERAS[built.era]}" in url for url in view.asked), "the protocol of that era"
        await mine.shows("received")
        await all_orders.lists(f"{first}: received", f"{second}: received")
        for status in ("accepted", "preparing", "ready"):
            await api.patch(first, status=status)
            await mine.shows(status)
            await all_orders.lists(f"{first}: {status}", f"{second}: received")
        third = (await api.create(customerId=43))["orderId"]
        await all_orders.lists(f"{first}: ready", f"{second}: received", f"{third}: received")
        assert [url for url in mine.asked if "/api/" in url] == [], "nothing was asked for again"
        for view in (mine, all_orders):
            await view.close()
        stranger = await shop.open(third, customer())
        await stranger.shows("not_found")
        expired = await shop.open(first, customer(lifetime=-1))
        await expired.says("ended: Token expired")
        await expired.shows("One moment …")


async def test_the_server_is_killed_and_started_again(built: Built, browser: Browser, tmp_path: Path) -> None:
    async with open_shop(built, tmp_path, browser) as shop:
        async with shop.server.api() as api:
            id = (await api.create(customerId=42))["orderId"]
        mine, all_orders = await shop.open(id, customer()), await shop.open(None, OPERATOR)
        for view in (mine, all_orders):
            await view.says("live")
        await mine.shows("received")
        shop.server.kill()
        for view in (mine, all_orders):
            await view.says("offline")
        await mine.shows("received")
        shop.server.start()
        async with shop.server.api() as api:
            await api.patch(id, status="accepted")
            for view in (mine, all_orders):
                await view.says("live")
            await mine.shows("accepted")
            await all_orders.lists(f"{id}: accepted")
            await api.patch(id, status="preparing")
        await mine.shows("preparing")
        await all_orders.lists(f"{id}: preparing")
        for view in (mine, all_orders):
            await view.close()


async def test_where_no_socket_can_be_had_it_asks_instead(built: Built, browser: Browser, tmp_path: Path) -> None:
    async with open_shop(built, tmp_path, browser) as shop, shop.server.api() as api:
        id = (await api.create(customerId=42))["orderId"]
        shop.gate.shut()
        mine, all_orders = await shop.open(id, customer()), await shop.open(None, OPERATOR)
        for view in (mine, all_orders):
            await view.says("asking every 5 s")
        await api.patch(id, status="accepted")
        await mine.shows("accepted")
        await all_orders.lists(f"{id}: accepted")
        shop.gate.open()
        for view in (mine, all_orders):
            await view.says("live")
        await api.patch(id, status="preparing")
        await mine.shows("preparing")
        await all_orders.lists(f"{id}: preparing")
        for view in (mine, all_orders):
            await view.close()


async def test_one_connection_per_user(built: Built, browser: Browser, tmp_path: Path) -> None:
    async with open_shop(built, tmp_path, browser, max_connections_per_user="1") as shop, shop.server.api() as api:
        id = (await api.create(customerId=42))["orderId"]
        old = await shop.open(id, customer())
        await old.says("live")
        await asyncio.sleep(6)  # older than the 5 s in which nobody evicts it
        new, late = [await shop.open(id, customer(), held=True) for _ in range(2)]
        new.let_go()
        await new.says("live")
        late.let_go()
        await late.says("ended: new_login")  # refused: the one that is there is too young
        await old.says("ended: new_login")
        await api.patch(id, status="accepted")
        await new.shows("accepted")
        await new.says("live")
        await old.shows("received")
        await old.says("ended: new_login")
        opened = [url for url in old.asked if "/socket.io/" in url and "sid=" not in url]
        assert len(opened) == 1, "it has not tried again"
        for view in (old, new, late):
            await view.close()
