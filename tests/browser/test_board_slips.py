"""What an operator does not mean: presses on what has just slid there, and steps that are hard to take back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.boards import Board, new_order, working
from tests.harness import Api, Json, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

# The page's clock can be stopped, so that no slow machine takes two presses apart.
STOPPED = "const now = performance.now.bind(performance); performance.now = () => window.stopped ?? now();"

# Presses what is at a place; again, as soon as another card is there.
TWICE = """async ([x, y]) => {
    const there = () => document.elementFromPoint(x, y);
    const card = () => there()?.closest(".card");
    const how = { bubbles: true, cancelable: true, detail: 1, clientX: x, clientY: y };
    const press = () => there().dispatchEvent(new MouseEvent("click", how));
    const first = card().dataset.orderId;
    window.stopped = performance.now();
    press();
    while (card() === null || card().dataset.orderId === first || there().closest(".next") === null)
      await new Promise(requestAnimationFrame);
    const second = card().dataset.orderId;
    press();
    delete window.stopped;
    return second;
  }"""


async def history(api: Api, order: Json) -> list[Json]:
    events: list[Json] = (await api.get(f"/api/orders/{order['orderId']}/events"))["events"]
    return events


async def middle(board: Board, order: Json, button: str) -> tuple[float, float]:
    box = await board.card(order).get_by_role("button", name=button).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def drag(page: Page, board: Board, order: Json, status: str) -> None:
    """Onto a column."""
    await board.card(order).hover()
    await page.mouse.down()
    box = await board.column(status).bounding_box()
    assert box is not None
    for step in range(3):
        await page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + 60 + step)
    await expect(board.column(status)).to_have_attribute("data-over", "true")
    await page.mouse.up()


async def test_a_double_press_moves_one_order(shop: ServerProcess, api: Api, browser: Browser) -> None:
    first, second, third = [await new_order(api, reference="TWICE-1") for _ in range(3)]
    async with working(browser, shop, query="?q=twice-1", script=STOPPED) as board:
        await board.has(third, "received")
        slid = await board.page.evaluate(TWICE, await middle(board, first, "Accepted"))
        assert slid == str(second["orderId"])
        await board.has(first, "accepted")
        await board.card(third).get_by_role("button", name="Accepted").click()
        await board.has(third, "accepted")
        await board.has(second, "received")
        assert len(await history(api, second)) == 1
        await board.card(second).get_by_role("button", name="Accepted").click()
        await board.has(second, "accepted")


async def test_an_order_is_cancelled_with_a_reason(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api)
    async with working(browser, shop) as board:
        await board.choose(order, "Cancelled …")
        dialog = board.page.get_by_role("dialog", name=f"Order {order['orderId']} to Cancelled?")
        await dialog.get_by_role("button", name="Leave it").click()
        await expect(dialog).to_have_count(0)
        await board.has(order, "received")
        await board.choose(order, "Cancelled …")
        await dialog.get_by_role("button", name="Something is sold out").click()
        await expect(board.card(order)).to_have_count(0)
        await expect(board.page.locator(".toast")).to_contain_text("moved to Cancelled")
        made = (await history(api, order))[1:]
        assert [(event["status"], event["reason"]) for event in made] == [("cancelled", "Something is sold out")]


async def test_a_card_is_dragged_back_with_a_reason(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api, "accepted", "preparing", reference="BACK-1")
    async with working(browser, shop, query="?q=back-1") as board:
        await board.has(order, "preparing")
        await drag(board.page, board, order, "accepted")
        dialog = board.page.get_by_role("dialog", name=f"Order {order['orderId']} back to Accepted?")
        await dialog.get_by_role("button", name="Not ready yet").click()
        await board.has(order, "accepted")
        await expect(board.page.locator(".toast")).to_contain_text("is back in Accepted")
        assert (await history(api, order))[-1]["reason"] == "Not ready yet"


async def test_what_was_done_is_not_offered_once_it_holds_no_more(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api)
    async with working(browser, shop) as board:
        await board.card(order).get_by_role("button", name="Accepted").click()
        toast = board.page.locator(".toast")
        await toast.get_by_role("button", name="Undo").hover()  # or it would go by itself in time
        await api.patch(order["orderId"], status="preparing")
        await board.has(order, "preparing")
        await expect(toast).to_have_count(0)


async def test_a_telephone_goes_to_what_is_late(shop: ServerProcess, api: Api, browser: Browser) -> None:
    past = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    order = await new_order(api, "accepted", "preparing", expectedAt=past)
    async with working(browser, shop, viewport={"width": 390, "height": 844}, has_touch=True) as board:
        await board.has(order, "preparing")
        await expect(board.card(order)).not_to_be_in_viewport()
        await board.page.get_by_role("button", name="1 late", exact=True).tap()
        await expect(board.card(order)).to_be_in_viewport()
        tabs = board.page.get_by_role("navigation", name="Columns").get_by_role("button")
        await expect(tabs.filter(visible=True)).to_have_text(["Preparing 1 found"])


async def test_new_orders_out_of_sight_are_told_of(shop: ServerProcess, api: Api, browser: Browser) -> None:
    for _ in range(8):
        await new_order(api)
    async with working(browser, shop) as board:
        told = board.column("received").get_by_role("button", name="1 new order")
        await expect(board.column("received").locator(".card")).not_to_have_count(0)
        await expect(told).to_have_count(0)
        order = await new_order(api)
        await expect(told).to_be_visible()
        await told.click()
        await expect(board.card(order)).to_be_in_viewport()
        await expect(told).to_have_count(0)
