"""Boards and orders for the tests of the board."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from json import dumps
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect
from playwright.async_api import TimeoutError as TookTooLong

from tests.browser.pages import PATIENCE
from tests.harness import Api, Json, ServerProcess, token

NAME = "Trattoria Marea"

# Every card there is, as [id, status of its column, version].
CARDS = """[...document.querySelectorAll(".column .card")]
    .map((card) => [card.dataset.orderId, card.closest(".column").dataset.status, Number(card.dataset.version)])
    .sort()"""


async def new_order(api: Api, *way: str, **more: Any) -> Json:
    """An order that has gone this way."""
    order = await api.create(
        **{
            "reference": "T-100",
            "items": [{"name": "<b>Pizza</b>", "quantity": 2}, {"name": "Limonata"}],
            "contact": {"name": "Noor", "phone": "+49 170 99"},
            **more,
        }
    )
    for status in way:
        order = await api.patch(order["orderId"], status=status)
    return order


class Board:
    """A board. Marks itself, so that a reload would show, and collects what goes wrong on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if "Content Security" in said.text else None)
        page.set_default_timeout(PATIENCE)

    async def open(self, url: str, user: str, role: str = "operator", query: str = "", **claims: Any) -> Board:
        await self.page.goto(f"{url}/board{query}#token={token(user, role, **claims)}")
        await self.is_now("live")
        await self.page.evaluate("window.neverReloaded = true")
        return self

    async def is_now(self, connection: str) -> None:
        """How live it is."""
        await expect(self.page.locator("body")).to_have_attribute("data-connection", connection)

    def card(self, order: Json) -> Locator:
        return self.page.locator(f".card[data-order-id='{order['orderId']}']")

    def column(self, status: str) -> Locator:
        return self.page.locator(f"#column-{status}")

    async def has(self, order: Json, status: str) -> None:
        """The order's card is in this column, and in no other."""
        here = self.column(status).locator(f".card[data-order-id='{order['orderId']}']")
        await expect(here).to_be_visible()
        await expect(self.card(order)).to_have_count(1)

    async def shows(self, orders: list[Json]) -> None:
        """These cards and no others, each once, in its column and at its version."""
        told = sorted([str(order["orderId"]), order["status"], order["version"]] for order in orders)
        try:
            await self.page.wait_for_function(
                f"(told) => JSON.stringify({CARDS}) === told", arg=dumps(told, separators=(",", ":")), timeout=PATIENCE
            )
        except TookTooLong:
            assert await self.page.evaluate(CARDS) == told

    async def focused(self, order: Json) -> None:
        await expect(self.card(order)).to_be_focused()

    async def choose(self, order: Json, choice: str) -> None:
        """Takes something from the card's menu."""
        await self.card(order).get_by_role("button", name="More for order").click()
        await self.page.get_by_role("menuitem", name=choice, exact=True).click()


@asynccontextmanager
async def working(
    browser: Browser,
    shop: ServerProcess | str,
    user: str = "ana",
    role: str = "operator",
    query: str = "",
    *,
    script: str = "",
    claims: Json | None = None,
    **options: Any,
) -> AsyncIterator[Board]:
    """A board of its own: of a server or at an address, with a ``script`` that runs before it."""
    context = await browser.new_context(
        **{"viewport": {"width": 1500, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce", **options}
    )
    try:
        page = await context.new_page()
        if script:
            await page.add_init_script(script)
        url = shop if isinstance(shop, str) else shop.url
        board = await Board(page).open(url, user, role, query, **(claims or {}))
        yield board
        assert await board.page.evaluate("window.neverReloaded")
        assert board.faults == []
    finally:
        await context.close()


async def open_orders(api: Api) -> list[Json]:
    """All that a board is to show, as the server has it."""
    steps = await api.get("/api/workflow")
    acted_on = {step["from"] for step in steps["transitions"]}
    names = [s["name"] for s in steps["statuses"] if s["category"] == "open" or s["name"] in acted_on]
    orders: list[Json] = (await api.get("/api/orders", params={"status": ",".join(names), "limit": 200}))["orders"]
    return orders
