"""``/docs`` and ``/docs/events``, as their reader sees them."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import PATIENCE
from tests.harness import CLIENTS, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

AXE = CLIENTS / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def test_the_two_lead_to_each_other(server: ServerProcess, browser: Browser) -> None:
    rest = await browser.new_page()
    await rest.goto(f"{server.url}/docs")
    async with rest.expect_popup(timeout=PATIENCE) as opened:
        await rest.get_by_role("link", name="Socket.IO").click(timeout=PATIENCE)
    page = await opened.value
    await page.wait_for_url("**/docs/events", timeout=PATIENCE)
    faults = listening(page)
    await page.reload()
    await page.get_by_role("navigation", name="Events").get_by_role("link", name="order:changed").click()
    await expect(page.get_by_role("heading", name="order:changed")).to_be_in_viewport()
    assert faults == []
    await page.get_by_role("link", name="REST API").click()
    await page.wait_for_url("**/docs", timeout=PATIENCE)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1100])
async def test_axe_finds_nothing(server: ServerProcess, browser: Browser, width: int, colours: Any) -> None:
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=colours, bypass_csp=True
    )  # which lets axe in
    page = await context.new_page()
    await page.goto(f"{server.url}/docs/events")
    await page.evaluate(AXE.read_text("utf-8"))
    found = await page.evaluate("(tags) => axe.run(document, { runOnly: tags })", TAGS)
    assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert len(found["passes"]) > 10
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"
    await context.close()


def listening(page: Page) -> list[str]:
    """What goes wrong on it: styles that its policy keeps out are told there."""
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults
