"""The operators' board, as those who work at it see it."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Route, expect

from scripts.sizes import sizes
from tests.browser.boards import new_order, working
from tests.browser.pages import PATIENCE
from tests.harness import Api, Json, ServerProcess, token

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


async def becomes(api: Api, order: Json, status: str) -> None:
    """The server has it too: the board shows what was done before the answer is there."""
    async with asyncio.timeout(PATIENCE / 1000):
        while (await api.get(f"/api/orders/{order['orderId']}"))["status"] != status:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


async def test_it_shows_open_orders_and_moves_them_by_one_press(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    first, other = await new_order(api), await new_order(api, "accepted", "preparing")
    async with working(browser, shop) as board:
        assert "token" not in board.page.url, "it stays out of the address bar and the history"
        await board.has(first, "received")
        await board.has(other, "preparing")
        await expect(board.card(first)).to_contain_text("T-100")
        await expect(board.card(first)).to_contain_text("2 <b>Pizza</b>")
        await expect(board.card(first)).to_contain_text("Noor")
        await board.card(first).get_by_role("button", name="Accepted").click()
        await board.has(first, "accepted")
        await expect(board.page.locator(".toast")).to_contain_text(f"Order {first['orderId']} moved to Accepted")
        await becomes(api, first, "accepted")
        await api.patch(other["orderId"], status="ready")
        await board.has(other, "ready")
        third = await new_order(api)
        await board.has(third, "received")
        await api.patch(third["orderId"], status="cancelled")
        await expect(board.card(third)).to_have_count(0)


async def test_a_card_goes_by_drag_to_where_it_may(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api, "accepted")
    async with working(browser, shop) as board:
        await board.has(order, "accepted")
        page, card = board.page, board.card(order)
        await card.hover()
        await page.mouse.down()
        for status, drop in (("ready", "refused"), ("preparing", "allowed")):
            box = await board.column(status).bounding_box()
            assert box is not None
            x, y = box["x"] + box["width"] / 2, box["y"] + 60
            for step in range(3):
                await page.mouse.move(x + step, y + step)
            await expect(board.column(status)).to_have_attribute("data-drop", drop)
        await expect(page.locator(".zone", has_text="Cancelled")).to_be_visible()
        await expect(board.column("preparing")).to_have_attribute("data-over", "true")
        await page.mouse.up()
        await board.has(order, "preparing")
        await expect(page.locator(".zone")).to_have_count(0)
        await becomes(api, order, "preparing")


async def test_all_by_keyboard(shop: ServerProcess, api: Api, browser: Browser) -> None:
    orders = [await new_order(api, reference="KEY-1") for _ in range(3)]
    later = await new_order(api, "accepted", "preparing", reference="KEY-1")
    async with working(browser, shop, query="?q=key-1") as board:
        keys = board.page.keyboard
        for order in orders:
            await board.has(order, "received")
        await keys.press("b")
        await keys.press("End")
        await board.focused(orders[2])
        await keys.press("ArrowUp")
        await board.focused(orders[1])
        await keys.press("n")
        await board.has(orders[1], "accepted")
        await board.focused(orders[2])  # the next one takes its place
        await keys.press("c")
        await expect(board.card(orders[2]).locator(".holder")).to_contain_text("You")
        await keys.press("t")
        await expect(board.card(orders[2])).to_contain_text("contacted")
        await keys.press("m")
        await expect(board.page.get_by_role("menuitem", name="Accepted", exact=True)).to_be_focused()
        await keys.press("Escape")
        await expect(board.page.get_by_role("menu")).to_have_count(0)
        # react-aria's drag: Enter picks up, Tab goes to where it may be put down.
        await board.card(later).focus()
        handle = board.card(later).get_by_role("button", name="Drag order")
        await handle.focus()
        await keys.press("Enter")
        for _ in range(4):  # ready, cancelled, back to accepted, and the card itself
            await keys.press("Tab")
            if await board.page.evaluate("document.activeElement.id") == "column-ready":
                break
        await expect(board.column("ready")).to_be_focused()
        await keys.press("Enter")
        await board.has(later, "ready")
        await becomes(api, later, "ready")
        await board.focused(later)
        await keys.press("ArrowLeft")
        await board.focused(orders[1])  # past a column without cards
        await keys.press("?")
        await expect(board.page.get_by_role("dialog", name="Keys")).to_be_visible()
        await keys.press("Escape")
        await expect(board.page.get_by_role("dialog")).to_have_count(0)


async def test_a_move_is_taken_back_with_a_reason(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api, "accepted")
    async with working(browser, shop) as board:
        await board.card(order).get_by_role("button", name="Preparing").click()
        await board.has(order, "preparing")
        await board.choose(order, "Accepted …")
        dialog = board.page.get_by_role("dialog", name=f"Order {order['orderId']} back to Accepted?")
        await expect(dialog.get_by_role("button", name="Move back")).to_be_disabled()
        await dialog.get_by_role("textbox", name="Another reason").fill("the oven is cold")
        await dialog.get_by_role("button", name="Move back").click()
        await board.has(order, "accepted")
        await expect(board.page.locator(".toast")).to_contain_text("is back in Accepted")
        events = (await api.get(f"/api/orders/{order['orderId']}/events"))["events"]
        assert (events[-1]["status"], events[-1]["reason"], events[-1]["updatedBy"]) == (
            "accepted",
            "the oven is cold",
            "ana",
        )
        await board.choose(order, "Cancelled …")
        await board.page.get_by_role("button", name="The customer asked for it").click()
        await expect(board.card(order)).to_have_count(0)
        await board.page.locator(".toast").get_by_role("button", name="Undo").click()
        await board.has(order, "accepted")
        await expect(board.page.locator(".toast")).to_contain_text("is back in Accepted")
        events = (await api.get(f"/api/orders/{order['orderId']}/events"))["events"]
        assert (events[-1]["status"], events[-1]["reason"]) == ("accepted", "Pressed by mistake")


async def test_who_was_slower_is_told_by_whom(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order, other = await new_order(api), await new_order(api)
    async with working(browser, shop) as board:
        await board.has(order, "received")
        # This board hears of what Ben does only after it has tried itself.
        done = asyncio.Event()

        async def hold(route: Route) -> None:
            await done.wait()
            await route.continue_()

        await board.page.route(re.compile(rf"/api/orders/{order['orderId']}$"), hold)
        await board.card(order).get_by_role("button", name="Accepted").click()
        await board.has(order, "accepted")  # shown at once
        async with shop.api("operator", "ben") as ben:
            await ben.patch(order["orderId"], status="cancelled")
            await ben.send("POST", f"/api/orders/{other['orderId']}/claim", json={})
        done.set()
        toast = board.page.locator(".toast")
        await expect(toast).to_contain_text("Ben was faster: it is cancelled now.")
        await expect(board.card(order)).to_have_count(0)
        await expect(board.card(other).locator(".holder")).to_contain_text("ben")
        await board.choose(other, "Take it over from ben")
        await expect(board.card(other).locator(".holder")).to_contain_text("You")


async def test_an_order_in_full_by_its_link_and_closed_ones_by_searching(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    closed = await new_order(api, "cancelled", reference="OLD-77")
    async with working(browser, shop, query=f"?order={closed['orderId']}") as board:
        dialog = board.page.get_by_role("dialog", name=f"Order #{closed['orderId']}")
        await expect(dialog).to_contain_text("OLD-77")
        await board.page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        assert "order=" not in board.page.url
        await board.page.keyboard.press("/")
        await board.page.keyboard.type("old-77")
        await board.page.get_by_role("button", name="OLD-77").click()
        await expect(dialog).to_be_visible()
        assert "q=old-77" in board.page.url


async def test_a_telephone_shows_one_column_at_a_time(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order, ready = await new_order(api), await new_order(api, "accepted", "preparing", "ready")
    async with working(browser, shop, viewport={"width": 390, "height": 844}, has_touch=True) as board:
        await board.has(order, "received")
        await expect(board.card(order)).to_be_in_viewport()
        await expect(board.card(ready)).not_to_be_in_viewport()
        tab = board.page.get_by_role("navigation", name="Columns").get_by_role("button", name="Ready")
        await tab.click()
        await expect(board.card(ready)).to_be_in_viewport()
        await expect(board.card(order)).not_to_be_in_viewport()
        await expect(tab).to_have_attribute("aria-current", "true")
        for name in ("Out for delivery", "More for order"):
            box = await board.card(ready).get_by_role("button", name=name).bounding_box()
            assert box is not None
            assert box["height"] >= 43.5
        await board.card(ready).get_by_role("button", name="Out for delivery").tap()
        await board.has(ready, "out_for_delivery")


# When the column had its first card, and how long after that it was open (ms).
OPENING = """new Promise((opened) => {
    const column = document.getElementById("column-failed_delivery");
    let came;
    new MutationObserver(() => {
      if (column.querySelector(".count").textContent === "1") came ??= performance.now();
      if (came !== undefined && column.dataset.quiet === undefined) opened(performance.now() - came);
    }).observe(column, { attributes: true, childList: true, characterData: true, subtree: true });
  })"""


async def test_a_column_opens_under_no_pointer(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order, other = await new_order(api), await new_order(api, "accepted", "preparing", "ready", "out_for_delivery")
    async with working(browser, shop) as board:
        await expect(board.column("failed_delivery")).to_have_attribute("data-quiet", "true")
        await board.card(order).hover()
        opening = asyncio.ensure_future(board.page.evaluate(OPENING))
        await board.page.evaluate("0")  # it looks by now
        await api.patch(other["orderId"], status="failed_delivery")
        async with asyncio.timeout(PATIENCE / 1000):
            assert await opening > 1_500, "whoever points at a card has the time to press"
        await board.has(other, "failed_delivery")


async def test_what_it_shows_first_is_asked_for_once_and_before_most_of_its_code_has_run(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api)
    page = await browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(shop.url)))
    await page.goto(f"{shop.url}/board#token={token('ana', 'operator')}")
    await expect(page.locator(f".card[data-order-id='{order['orderId']}']")).to_be_visible()
    assert asked.count("/api/workflow") == 1
    assert len({path for path in asked if path.startswith("/api/orders?")}) == 1, (
        "the client asks for what was asked for"
    )
    assert asked.index("/api/workflow") < asked.index("/board/sign-in.json"), "the rest of its code asks that first"
    await page.close()


async def test_it_is_light_enough() -> None:
    found = sizes("board")
    assert 100_000 < found["js"] <= 230_000, found
    assert 2_000 < found["css"] <= 12_000, found
