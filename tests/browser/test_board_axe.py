"""axe finds nothing against WCAG 2.2 AA in anything of the board, light and dark, from a small telephone to a wall."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.boards import NAME, Board, new_order, working
from tests.harness import CLIENTS, Json, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ALL, COLOURS = {"type": "tag", "values": TAGS}, {"type": "rule", "values": ["color-contrast"]}


async def late_and_early(shop: ServerProcess) -> Json:
    """An order that is late, of two that are open; one is closed."""
    async with shop.api() as api:
        await new_order(api, "accepted", expectedAt="2099-01-02T18:45:00Z")
        await new_order(api, "cancelled")
        return await new_order(api, expectedAt="2020-01-02T18:45:00Z")


async def found_nothing(page: Page, what: str, *, popover: bool = False) -> None:
    """Looks at all in light, and at the colours once more in dark. In a ``popover``, react-aria puts buttons that close
    it beside its dialog, for screen readers, which axe (not WCAG) wants to be in a region."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))
    all_rules = {"runOnly": ALL, "rules": {"region": {"enabled": not popover}}}
    for colours, rules in (("light", all_rules), ("dark", {"runOnly": COLOURS})):
        await page.emulate_media(color_scheme="dark" if colours == "dark" else "light", reduced_motion="reduce")
        found = await page.evaluate("(rules) => axe.run(document, rules)", rules)
        wrong = [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found["violations"]]
        assert wrong == [], (what, colours)
        assert found["passes"], (what, colours)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what


async def through_all(board: Board, order: Json, *, narrow: bool) -> None:
    """Opens everything that opens."""
    page = board.page
    await board.has(order, "received")
    await expect(board.card(order).locator(".expected .sign")).to_contain_text("late")
    await found_nothing(page, "board")
    await board.card(order).get_by_role("button", name="More for order").click()
    await found_nothing(page, "menu")
    await page.get_by_role("menuitem", name="Details").click()
    await shown(page.get_by_role("dialog"), "Limonata")
    await found_nothing(page, "details")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await shown(page.get_by_role("dialog", name="Keys"), "searches")
    await found_nothing(page, "keys")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="More", exact=True).click()
    await found_nothing(page, "more")
    await page.get_by_role("menuitem", name="Targets").click()
    await shown(page.get_by_role("dialog", name="Targets"), "Save for everybody")
    await found_nothing(page, "targets")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Filter").click()
    await shown(page.get_by_role("dialog", name="Show only"), "Pickup")
    await found_nothing(page, "filters", popover=True)
    await page.keyboard.press("Escape")
    if narrow:
        await page.get_by_role("button", name="Figures and who is online").click()
    await page.get_by_role("button", name="Figures", exact=True).click()
    await shown(page.get_by_role("dialog", name="Today"), "As of")
    await found_nothing(page, "figures", popover=True)
    await page.keyboard.press("Escape")
    await page.get_by_role("searchbox").fill("t-10")
    await shown(page.get_by_role("region", name="Closed orders that fit"), "Cancelled")
    await found_nothing(page, "search")
    await page.get_by_role("searchbox").fill("nowhere")
    await shown(page.locator(".outcome"), "No order fits")
    await found_nothing(page, "search that finds nothing")
    await page.get_by_role("button", name="Clear the search").click()
    await page.get_by_role("searchbox").fill("")
    await board.choose(order, "Accepted")
    await board.has(order, "accepted")
    await board.choose(order, "Received …")
    await shown(page.get_by_role("dialog"), "Pressed by mistake")
    await found_nothing(page, "reason")


async def shown(where: Locator, text: str) -> None:
    await expect(where).to_contain_text(text)


@pytest.mark.parametrize("width", [320, 1500])
async def test_axe_finds_nothing(shop: ServerProcess, browser: Browser, width: int) -> None:
    order = await late_and_early(shop)
    async with working(browser, shop, "root", "admin", "?closed=1", viewport={"width": width, "height": 800}) as board:
        await through_all(board, order, narrow=width < 600)


async def test_axe_finds_nothing_on_a_wall(shop: ServerProcess, browser: Browser) -> None:
    order = await late_and_early(shop)
    async with working(browser, shop, query="?wall", viewport={"width": 1920, "height": 1080}) as board:
        await expect(board.card(order).locator(".expected .sign")).to_contain_text("late")
        await found_nothing(board.page, "wall")


async def test_axe_finds_nothing_where_one_signs_in(shop: ServerProcess, browser: Browser) -> None:
    for width in (320, 1500):
        page = await browser.new_page(viewport={"width": width, "height": 800})
        await page.goto(f"{shop.url}/board")
        await shown(page.get_by_role("dialog", name=f"Sign in to {NAME}"), "Go on")
        await found_nothing(page, "sign-in")
        await page.get_by_role("button", name="Go on").click()
        await shown(page.get_by_role("dialog"), "There is no token in this.")
        await found_nothing(page, "sign-in that failed")
        await page.close()
