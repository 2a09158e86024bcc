"""`ordercast demo` as its user sees it: two links, two pages, both moving without a reload."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import PATIENCE
from tests.harness import ServerProcess, token

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[ServerProcess]:
    """The demo, at its own pace: the order that its customer watches must not be over before a slow browser looks."""
    with ServerProcess(tmp_path, command=("ordercast", "demo")) as process:
        yield process


async def link(demo: ServerProcess, who: str) -> str:
    """The link that the demo prints for them once its shop is open."""
    async with asyncio.timeout(PATIENCE / 1000):
        while (found := re.search(rf"^\s*{who}\s+(http\S+)\n", demo.log, re.M)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return found[1]


async def open_page(browser: Browser, url: str, faults: list[str]) -> Page:
    """Opens a page that marks itself, so that a reload would show, and collects what goes wrong on it."""
    page = await browser.new_page(viewport={"width": 1200, "height": 800})
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    await page.evaluate("window.neverReloaded = true")
    return page


async def test_both_links_work_and_move_without_reload(demo: ServerProcess, browser: Browser) -> None:
    faults: list[str] = []
    track = await open_page(browser, await link(demo, "customer"), faults)
    board = await open_page(browser, await link(demo, "operator"), faults)
    order = track.locator("#order")
    await expect(order).to_be_visible()
    id = await order.get_attribute("data-order-id")
    for _ in range(2):
        if await order.get_attribute("data-category") == "done":
            break
        last = await order.get_attribute("data-version")
        await expect(order).not_to_have_attribute("data-version", last or "")
        version = int(await order.get_attribute("data-version") or 0)
        # The operators' board shows the same order, no older; or it is over, and no more on the board.
        await board.wait_for_function(
            "([id, version]) => { const card = document.querySelector(`.card[data-order-id='${id}']`);"
            " return card === null || Number(card.dataset.version) >= version; }",
            arg=[id, version],
            timeout=PATIENCE,
        )
    await expect(board.locator(".card").nth(5)).to_be_visible()
    newest = "Math.max(...[...document.querySelectorAll('.card')].map((card) => Number(card.dataset.orderId)))"
    seen = await board.evaluate(newest)
    await board.wait_for_function(f"(seen) => {newest} > seen", arg=seen, timeout=PATIENCE)

    for page in (board, track):
        assert await page.evaluate("window.neverReloaded")
    assert "token" not in board.url, "the token stays out of the address bar and the history"
    assert faults == []


async def test_an_operator_moves_an_order_and_its_customer_sees_it(server: ServerProcess, browser: Browser) -> None:
    faults: list[str] = []
    async with server.api() as api:
        order = await api.create(
            customerId=42, items=[{"name": "<b>Pizza</b>", "quantity": 2}], contact={"name": "Noor"}
        )
        shared = await api.share(order["orderId"])
    id = order["orderId"]
    board = await open_page(browser, f"{server.url}/board#token={token('ana', 'operator')}", faults)
    track = await open_page(browser, shared, faults)
    row = board.locator(f".card[data-order-id='{id}']")
    await expect(row).to_contain_text("2 <b>Pizza</b>")
    await expect(track.locator("#now")).to_have_text("Received")
    await row.get_by_role("button", name="Accepted").click()
    await expect(row).to_have_attribute("data-status", "accepted")
    await expect(track.locator("#now")).to_have_text("Accepted")
    await row.get_by_role("button", name="More for order").click()
    await board.get_by_role("menuitem", name="Customer contacted").click()
    await expect(row).to_contain_text("contacted")

    server.kill()
    for page in (board, track):
        await expect(page.locator("body")).not_to_have_attribute("data-connection", "live")
    server.start()
    async with server.api() as api:
        await api.patch(id, status="preparing")
    for page in (board, track):
        await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    await expect(row).to_have_attribute("data-status", "preparing")
    await expect(track.locator("#now")).to_have_text("Preparing")


async def test_a_dead_link_is_told_in_words(server: ServerProcess, browser: Browser) -> None:
    dead = await browser.new_page()
    await dead.goto(f"{server.url}/board#token={token('ana', 'operator', lifetime=-1)}")
    await expect(dead.get_by_role("alertdialog")).to_contain_text("sign-in has run out")
