"""Tokens that end, in a page of the shop's own with ``@ordercast/client``, whose token function gives new ones."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from ordercast.app import Ordercast
from ordercast.live import sessions
from tests.browser.pages import PATIENCE
from tests.harness import ROOT, Api, api_at, token
from tests.inside import ordercast, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

CLIENT = ROOT / "web" / "packages" / "client" / "dist"
LIFETIMES = (10.0, 30.0, 90.0)  # s; a busy machine may need longer to open a page

PAGE = """<!doctype html><title>A shop</title>
<script type="importmap">{"imports": {"socket.io-client": "/socket.io/socket.io.esm.min.js"}}</script>
<script type="module">
import { connect } from "/shop/client/index.js";
window.heard = [];
window.asked = 0;
window.client = connect({ token: () => ((asked += 1), nextToken()) });
for (const name of ["token:expiring", "token:refreshed", "token:refresh_failed", "force_disconnect", "order:updated"])
  client.on(name, (data) => heard.push([name, data]));
client.on("connection", ({ status, reason }) => Object.assign(document.body.dataset, { connection: status, reason }));
const watched = client.watchOrder(17);
watched.subscribe(() => (document.body.dataset.order = watched.current.order?.status));
</script>"""


class Shop:
    """The page, and the function that it gets its tokens from."""

    def __init__(self, page: Page, api: Api) -> None:
        self.page = page
        self.api = api
        self.given: list[str] = []
        self.body = page.locator("body")

    async def open(self, url: str, first: str) -> None:
        """Opens it; its first token is this, and all later ones last for an hour."""

        def next_token() -> str:
            self.given.append(token(42) if self.given else first)
            return self.given[-1]

        await self.page.expose_function("nextToken", next_token)
        await self.page.route("**/shop/**", serve)
        await self.page.goto(f"{url}/shop/")

    async def shows(self, **data: str) -> None:
        """The connection, the order's status."""
        for name, value in data.items():
            await expect(self.body).to_have_attribute(f"data-{name}", value)

    async def heard(self, event: str) -> list[Any]:
        """What came with this event so far."""
        found: list[Any] = await self.page.evaluate(
            "(event) => heard.filter(([name]) => name === event).map(([, data]) => data)", event
        )
        return found

    async def hears_first(self, *events: str) -> str | None:
        """Which of these comes first; ``None``: a second token was asked for before either."""
        found = await self.page.wait_for_function(
            "(events) => heard.find(([name]) => events.includes(name)) ?? (asked > 1 && heard.length === 0 && [null])",
            arg=list(events),
            timeout=2 * PATIENCE,
        )
        name: str | None = (await found.json_value())[0]
        return name

    async def wait_past(self, moment: float) -> None:
        """Waits for a time on the clock, in s since the epoch."""
        await self.page.wait_for_function("(moment) => Date.now() > moment", arg=moment * 1000, timeout=2 * PATIENCE)


async def serve(route: Route) -> None:
    """The page at ``/shop/``, and the built client beside it."""
    path = route.request.url.partition("/shop/")[2]
    if path:
        await route.fulfill(path=CLIENT / Path(path).relative_to("client"), content_type="text/javascript")
    else:
        await route.fulfill(body=PAGE, content_type="text/html")


@asynccontextmanager
async def shop(browser: Browser, url: str, first: str) -> AsyncIterator[Shop]:
    """A page with a first token, and what goes wrong on it."""
    context = await browser.new_context()
    try:
        async with api_at(url) as api:
            page = await context.new_page()
            faults: list[str] = []
            page.on("pageerror", lambda error: faults.append(str(error)))
            opened = Shop(page, api)
            await opened.open(url, first)
            yield opened
            assert faults == []
    finally:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def app(tmp_path: Path) -> Ordercast:
    return ordercast(tmp_path)


async def test_a_token_that_is_about_to_end_is_renewed_and_nothing_is_noticed(
    app: Ordercast, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(app) as port:
        url = f"http://127.0.0.1:{port}"
        async with api_at(url) as api:
            await api.create(orderId=17)
        for lifetime in LIFETIMES:
            monkeypatch.setattr(sessions, "WARNING", lifetime / 2)
            ends = time.time() + lifetime
            async with shop(browser, url, token(42, lifetime=lifetime)) as page:
                await page.shows(order="received")
                if await page.hears_first("token:refreshed", "force_disconnect") != "token:refreshed":
                    continue  # it was opened too late to be warned
                await page.wait_past(ends + 1)
                await page.api.patch(17, status="accepted")
                await page.shows(connection="live", order="accepted")
                (warned,) = await page.heard("token:expiring")
                (renewed,) = await page.heard("token:refreshed")
                assert warned["expiresAt"] == round(ends)
                assert renewed["expiresAt"] > ends + 3_000
                assert len(page.given) == 2
                assert len(await page.heard("order:updated")) == 1
                assert await page.heard("force_disconnect") == []
                return
    pytest.fail("the page was never opened in time")


async def test_a_page_whose_token_has_ended_comes_back_with_a_new_one_and_has_missed_nothing(
    app: Ordercast, browser: Browser
) -> None:
    async with serving(app) as port:
        url = f"http://127.0.0.1:{port}"
        async with api_at(url) as api:
            await api.create(orderId=17)
        # Less than a minute: it ends without a warning. A page that opens later comes with its second token at once.
        for lifetime in LIFETIMES:
            async with shop(browser, url, token(42, lifetime=lifetime)) as page:
                await page.shows(order="received")
                if await page.hears_first("force_disconnect") is None:
                    continue
                assert await page.heard("force_disconnect") == [{"reason": "token_expired"}]
                for status in ("accepted", "preparing"):
                    await page.api.patch(17, status=status)
                await page.shows(connection="live", order="preparing")
                assert [data["version"] for data in await page.heard("order:updated")] == [2, 3]
                assert len(page.given) == 2
                return
    pytest.fail("the page was never opened in time")
