"""An order in full while it is worked at: nothing moves from under the pointer, Escape leads out; and what is over."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, FloatRect, Locator, expect

from tests.browser.boards import Board, new_order, working
from tests.browser.pages import PATIENCE
from tests.harness import Api, Json, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

OUT = ("accepted", "preparing", "ready", "out_for_delivery", "delivered")


def dialog(board: Board, order: Json) -> Locator:
    return board.page.get_by_role("dialog", name=f"Order #{order['orderId']}", exact=True)


async def box(what: Locator) -> FloatRect:
    found = await what.bounding_box()
    assert found is not None
    return found


@pytest.mark.parametrize("width", [390, 1280])
async def test_save_stays_where_it_is_and_escape_closes_after_it(
    shop: ServerProcess, api: Api, browser: Browser, width: int
) -> None:
    order = await new_order(api)
    viewport: Any = {"width": width, "height": 800}
    async with working(browser, shop, query=f"?order={order['orderId']}", viewport=viewport) as ana:
        shown = dialog(ana, order)
        save = shown.get_by_role("button", name=re.compile("^Sav"))
        note = shown.get_by_label("Note", exact=True)
        await note.scroll_into_view_if_needed(timeout=PATIENCE)
        await expect(shown).to_contain_text("Created: Received")
        await note.focus()
        await save.scroll_into_view_if_needed()
        before = await box(save)
        await note.fill("ring twice")
        await expect(shown.get_by_role("button", name="Discard", exact=True)).to_be_visible()
        assert await box(save) == before
        at = (before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
        await ana.page.mouse.click(*at)
        await expect(shown.get_by_text("Saved.", exact=True)).to_be_visible()
        assert await box(save) == before
        assert await shown.evaluate("(dialog) => dialog.contains(document.activeElement)"), "the focus is still here"
        await ana.page.keyboard.press("Escape")
        await expect(shown).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1280])
async def test_it_stays_as_large_as_it_is_and_what_one_changes_in_sight(
    shop: ServerProcess, api: Api, browser: Browser, width: int
) -> None:
    order = await new_order(api)
    viewport: Any = {"width": width, "height": 800}
    async with working(browser, shop, query=f"?order={order['orderId']}", viewport=viewport) as ana:
        shown = dialog(ana, order)
        await expect(shown).to_contain_text("Created: Received")
        before = await box(shown)
        for n in range(12):
            await api.patch(order["orderId"], note=f"ring {n} times")
        await api.patch(order["orderId"], status="accepted")
        newest = shown.locator(".timeline li").last
        await expect(newest).to_contain_text("Accepted")
        assert await box(shown) == before
        if width > 1000:
            for what in (newest, shown.get_by_label("Promised for"), shown.get_by_role("button", name="Save")):
                await expect(what).to_be_in_viewport(ratio=1)


async def test_how_late_it_is_is_said_as_on_its_card(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api, expectedAt="2020-01-02T18:45:00Z")
    async with working(browser, shop) as ana:
        card = ana.card(order).locator(".expected")
        await expect(card).to_contain_text("late for")
        await ana.choose(order, "Details")
        standing = dialog(ana, order).locator(".standing")
        await expect(standing).to_contain_text(await card.inner_text())
        await expect(standing).to_contain_text(re.compile(r"in step \d|left|over"))
        colour = "(element) => getComputedStyle(element).color"
        assert await standing.locator(".expected").evaluate(colour) == await card.evaluate(colour)


async def test_what_is_over_says_since_when_and_offers_what_makes_sense(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api, *OUT)
    cancelled = await new_order(api, "cancelled")
    viewport: Any = {"width": 1240, "height": 800}
    async with working(browser, shop, viewport=viewport) as ana:
        await ana.page.get_by_role("button", name="Closed", exact=True).click()
        tile = ana.page.locator(f".over[data-order-id='{order['orderId']}']")
        await expect(tile).to_contain_text(re.compile(r"Delivered \d\d:\d\d"))
        await expect(tile).to_be_in_viewport(ratio=1)
        await expect(ana.column("received")).to_be_in_viewport(ratio=1)
        await tile.click()
        shown = dialog(ana, order)
        await expect(shown.locator(".standing")).to_contain_text(re.compile(r"Delivered\s+\d\d:\d\d"))
        back = shown.get_by_role("group", name="Back to").get_by_role("button")
        await expect(back).to_have_text(["Out for delivery …"])
        await expect(shown.get_by_role("button", name="Claim it")).to_have_count(0)
        await expect(shown.get_by_label("Promised for")).to_have_count(0)
        await ana.page.keyboard.press("Escape")
        await ana.page.locator(f".over[data-order-id='{cancelled['orderId']}']").click()
        back = dialog(ana, cancelled).get_by_role("group", name="Back to").get_by_role("button")
        await expect(back).to_have_text(["Received …"])
