"""docs/howto/script-tag.md, as its reader goes through it; and its page where things go wrong."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import hold
from tests.browser.test_eras import Site, serving
from tests.harness import ServerProcess, token
from tests.manual import Terminal, blocks
from tests.proxy import Gate, without_socket_io
from tests.sites import free_port

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

PAGE = "howto/script-tag.md"


async def opened(browser: Browser, url: str, faults: list[str]) -> Page:
    """The page, which marks itself, so that a reload would show."""
    return await entered(await browser.new_page(), url, faults)


async def entered(page: Page, url: str, faults: list[str]) -> Page:
    """Likewise, in a window that is there."""
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(url)
    await page.evaluate("window.neverReloaded = true")
    return page


async def shows(page: Page, status: str, live: str | re.Pattern[str] = "live") -> None:
    """What the page says, in time."""
    await expect(page.locator("#status")).to_have_text(status)
    await expect(page.locator("#live")).to_have_text(live)


async def test_it_has_twenty_lines_of_its_own() -> None:
    script = re.findall(r"<script>\n(.*?)</script>", blocks(PAGE)[0].text, re.S)[0]
    lines = [line for line in script.splitlines() if line.strip(" })")]
    assert len(lines) <= 20


async def test_the_manual(browser: Browser, tmp_path: Path) -> None:
    ours, pages = str(free_port()), str(free_port())
    page, serve, order, patch = blocks(PAGE, _3001=ours, _8000=pages)
    (tmp_path / "order.html").write_text(page.text)
    preface = f"export PATH={Path(sys.executable).parent}:$PATH ORDERCAST_PORT={ours} PYTHONUNBUFFERED=1\n"
    listens = rf"listens on http://127\.0\.0\.1:{ours}"
    faults: list[str] = []
    async with AsyncExitStack() as stack:
        one, two, three = [await stack.enter_async_context(Terminal(tmp_path)) for _ in range(3)]
        await one.leave_running(preface + serve.text, listens)
        await two.leave_running(preface + order.text, "Serving HTTP")
        link = re.search(rf"http://127\.0\.0\.1:{pages}/order\.html\S+", two.said)
        assert link is not None
        window = await opened(browser, link[0], faults)
        await shows(window, "received")
        assert json.loads(await three.run(patch.text))["status"] == "accepted"
        await shows(window, "accepted")
        await one.interrupt()
        await shows(window, "accepted", "offline")
        await one.leave_running("ordercast serve", listens)
        await shows(window, "accepted")
        await three.run(patch.text.replace("accepted", "preparing"))
        await shows(window, "preparing")
        assert await window.evaluate("neverReloaded")
    assert faults == []


# -- where things go wrong ------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    """The web server that the page comes from."""
    with serving() as site:
        yield site


class Shop:
    """A server that lets the site's pages in, behind a gate that its network may shut."""

    def __init__(self, site: Site, server: ServerProcess, gate: Gate) -> None:
        self.site, self.server, self.gate = site, server, gate
        html = blocks(PAGE)[0].text.replace("http://127.0.0.1:3001", gate.url)
        site.bodies["/order.html"] = html.encode()

    def link(self, order_id: int, **claims: Any) -> str:
        """The page on an order, for customer 42."""
        return f"{self.site.origin}/order.html#order={order_id}&token={token(42, **claims)}"


@asynccontextmanager
async def open_shop(site: Site, folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    with ServerProcess(folder, cors_origins=site.origin, **settings) as server:
        async with without_socket_io(server.port) as gate:
            yield Shop(site, server, gate)


async def test_the_network_lets_no_socket_through_and_then_does(site: Site, browser: Browser, tmp_path: Path) -> None:
    faults: list[str] = []
    async with open_shop(site, tmp_path) as shop, shop.server.api() as api:
        id = (await api.create(customerId=42))["orderId"]
        shop.gate.shut()
        without = await opened(browser, shop.link(id), faults)  # not even the script
        await shows(without, "received", "asking every 5 s")
        shop.gate.open()
        live = await opened(browser, shop.link(id), faults)
        await shows(live, "received")
        await api.patch(id, status="accepted")
        await shows(without, "accepted", "asking every 5 s")
        await shows(live, "accepted")
        shop.gate.shut()
        await shows(live, "accepted", "asking every 5 s")
        await api.patch(id, status="preparing")
        await shows(live, "preparing", "asking every 5 s")
        shop.gate.open()
        await shows(live, "preparing")
        assert await live.evaluate("timer") is None, "it asks no more"
        await api.patch(id, status="ready")
        await shows(live, "ready")
        assert await live.evaluate("neverReloaded")
        assert await live.evaluate("socket.recovered"), "it got what it missed"
    assert faults == []


async def test_what_is_older_or_of_another_order_changes_nothing(site: Site, browser: Browser, tmp_path: Path) -> None:
    faults: list[str] = []
    async with open_shop(site, tmp_path) as shop, shop.server.api() as api:
        id, other = [(await api.create(customerId=42))["orderId"] for _ in range(2)]
        page = await opened(browser, shop.link(id), faults)
        await shows(page, "received")
        await api.patch(id, status="accepted")
        await shows(page, "accepted")
        await page.evaluate(
            "window.said = []; new MutationObserver(() => said.push(document.getElementById('status').textContent))"
            ".observe(document.getElementById('status'), { childList: true })"
        )
        await page.evaluate("(orderId) => draw({ orderId, status: 'received', version: 1 })", id)
        await api.patch(other, status="cancelled")
        await api.patch(id, status="preparing")
        await shows(page, "preparing")
        assert await page.evaluate("said") == ["preparing"]
        assert await page.evaluate("/^[^.]+[.][0-9]+$/.test(since)"), "the cursor it would come back with"
    assert faults == []


async def test_another_database_counts_from_anew(site: Site, browser: Browser, tmp_path: Path) -> None:
    faults: list[str] = []
    async with open_shop(site, tmp_path, secret_key="one that outlives its database, 32 bytes") as shop:
        async with shop.server.api() as api:
            await api.create(customerId=42, orderId=17)
            page = await opened(browser, shop.link(17), faults)
            await shows(page, "received")
            await api.patch(17, status="accepted")
            await shows(page, "accepted")
        shop.server.kill()
        await shows(page, "accepted", "offline")
        (tmp_path / "anew").mkdir()
        with ServerProcess(tmp_path / "anew") as anew:
            async with anew.api() as api:
                await api.create(customerId=42, orderId=17)
            assert anew.stop() == 0
        for file in ("orders.db-wal", "orders.db-shm"):
            (tmp_path / file).unlink(missing_ok=True)
        (tmp_path / "anew" / "orders.db").replace(tmp_path / "orders.db")
        shop.server.start()
        await shows(page, "received")
    assert faults == []


async def test_an_end_for_good_is_said(site: Site, browser: Browser, tmp_path: Path) -> None:
    faults: list[str] = []
    async with open_shop(site, tmp_path, max_connections_per_user="1") as shop:
        async with shop.server.api() as api:
            id = (await api.create(customerId=42))["orderId"]
        old = await opened(browser, shop.link(id), faults)
        await shows(old, "received")
        await asyncio.sleep(6)  # older than the 5 s in which nobody evicts it
        new, late = [await browser.new_page() for _ in range(2)]
        let_new_go, let_late_go = [await hold(page) for page in (new, late)]
        for page in (new, late):
            await entered(page, shop.link(id), faults)
        let_new_go()
        await shows(new, "received")
        let_late_go()
        await shows(late, "One moment …", "new_login")  # refused: the newest one is too young
        await shows(old, "received", "new_login")
        expired = await opened(browser, shop.link(id, lifetime=-1), faults)
        await shows(expired, "One moment …", "Token expired")
    async with open_shop(site, tmp_path) as shop:
        await shows(await opened(browser, shop.link(id + 1), faults), "not_found")
    assert faults == []
