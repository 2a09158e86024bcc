"""Searching at the board: by number, wherever the order is, on a telephone too; and what lies over the board."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, FloatRect, Locator, expect

from tests.browser.boards import Board, new_order, working
from tests.harness import Api, Json, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


async def search(board: Board, text: str) -> None:
    await board.page.get_by_role("searchbox").fill(text)


async def says(board: Board, text: str) -> None:
    """What stands below the search field."""
    await expect(board.page.locator(".outcome")).to_contain_text(text)


def closed(board: Board) -> Locator:
    return board.page.get_by_role("region", name="Closed orders that fit")


def dialog(board: Board, order: Json) -> Locator:
    return board.page.get_by_role("dialog", name=f"Order #{order['orderId']}", exact=True)


async def columns_say_nothing(board: Board) -> None:
    for one in await board.page.locator(".column .nothing").all():
        await expect(one).not_to_be_visible()


async def box(what: Locator) -> FloatRect:
    found = await what.bounding_box()
    assert found is not None
    return found


def bottom(of: FloatRect) -> float:
    return of["y"] + of["height"]


async def test_a_number_finds_that_order_alone_in_whichever_tab_it_is(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api, "accepted", "preparing", "ready", reference="N-1")
    id = order["orderId"]
    lookalike = await new_order(api, reference=f"T-7{id}89")
    async with working(browser, shop, **PHONE) as ana:
        await ana.has(lookalike, "received")
        await search(ana, f" #{id} ")
        await ana.shows([order])
        await expect(ana.card(order)).to_be_in_viewport(ratio=1)
        tabs = ana.page.get_by_role("navigation", name="Columns")
        await expect(tabs.locator("[aria-current]")).to_have_text("Ready 1 found")
        await expect(tabs.get_by_role("button")).to_have_count(1)
        await says(ana, f"1 in Ready. Enter opens #{id}")
        await ana.page.keyboard.press("Enter")
        await expect(dialog(ana, order)).to_be_visible()
        await ana.page.keyboard.press("Escape")
        # An operator's finger has no Enter.
        await ana.page.get_by_role("button", name=f"Open #{id}", exact=True).click()
        await expect(dialog(ana, order)).to_be_visible()


async def test_tabs_count_what_is_found_and_lead_there(shop: ServerProcess, api: Api, browser: Browser) -> None:
    await new_order(api, reference="OTHER-1")
    here = [await new_order(api, "accepted", reference=f"TABS-{i}") for i in (1, 2)]
    there = await new_order(api, "accepted", "preparing", reference="OLD-TABS")
    async with working(browser, shop, **PHONE) as ana:
        await search(ana, "tabs")
        await ana.shows([*here, there])
        await says(ana, "2 in Accepted, 1 in Preparing. Enter goes to the first")
        tabs = ana.page.get_by_role("navigation", name="Columns").get_by_role("button")
        await expect(tabs).to_have_text(["Accepted 2 found", "Preparing 1 found"])
        await expect(ana.card(here[0])).to_be_in_viewport()
        await ana.page.keyboard.press("Enter")
        await ana.focused(here[0])
        await tabs.nth(1).click()
        await expect(ana.card(there)).to_be_in_viewport(ratio=1)


async def test_the_likeliest_comes_first(shop: ServerProcess, api: Api, browser: Browser) -> None:
    somewhere = await new_order(api, reference="A-RANK")
    begins = await new_order(api, reference="RANK-A")
    async with working(browser, shop) as ana:
        await search(ana, "rank")
        await ana.shows([somewhere, begins])
        cards = ana.column("received").locator(".card")
        await expect(cards.first).to_have_attribute("data-order-id", str(begins["orderId"]))
        await says(ana, f"2 in Received. Enter opens #{begins['orderId']}")


async def test_a_closed_order_is_found_by_its_number_and_opened_by_enter(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api, "cancelled", reference="C-1")
    id = order["orderId"]
    lookalike = await new_order(api, reference=f"T-7{id}89")
    async with working(browser, shop, **PHONE) as ana:
        await ana.has(lookalike, "received")
        await search(ana, str(id))
        await ana.page.keyboard.press("Enter")  # before anybody can have answered
        await expect(dialog(ana, order)).to_contain_text("C-1")
        await ana.page.keyboard.press("Escape")
        await says(ana, f"1 closed. Enter opens #{id}")
        await ana.shows([])
        await expect(closed(ana).get_by_role("button")).to_have_text([re.compile(rf"^#{id} Cancelled")])
        assert bottom(await box(closed(ana))) < 844, "it is where one looks, without scrolling"
        await columns_say_nothing(ana)


async def test_what_is_open_stands_in_its_column_and_moves_to_the_closed_ones_when_it_is(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    order = await new_order(api, "accepted", reference="MOVES-1")
    async with working(browser, shop) as ana:
        await search(ana, "moves-")
        await ana.shows([order])
        await says(ana, "1 in Accepted. Enter")  # the server has answered, too
        await expect(ana.page.locator(".others")).to_have_count(0)
        await api.patch(order["orderId"], status="cancelled")
        await expect(closed(ana)).to_contain_text(f"#{order['orderId']} Cancelled")
        await ana.shows([])
        await says(ana, "1 closed. Enter")


async def test_a_search_without_hits_says_so_once(shop: ServerProcess, api: Api, browser: Browser) -> None:
    await new_order(api)
    async with working(browser, shop) as ana:
        await search(ana, "zzqq")
        await says(ana, "No order fits “zzqq”.")
        await columns_say_nothing(ana)
        await ana.page.get_by_role("button", name="Clear the search").click()
        await expect(ana.page.get_by_role("searchbox")).to_have_value("")
        await expect(ana.page.get_by_role("searchbox")).to_be_focused()
        await expect(ana.page.locator(".card").first).to_be_visible()
        await expect(ana.page.locator(".outcome")).to_have_count(0)


async def test_how_many_are_late_is_of_the_whole_shop(shop: ServerProcess, api: Api, browser: Browser) -> None:
    late = await new_order(api, reference="LATE-1", expectedAt="2020-01-02T18:45:00Z")
    other = await new_order(api, "accepted", reference="EARLY-1")
    async with working(browser, shop) as ana:
        await ana.has(late, "received")
        total = ana.page.locator(".all-late")
        await expect(total).to_have_text(re.compile(r"^[1-9]\d* late$"))
        before = int((await total.inner_text()).split()[0])
        await search(ana, "early-1")
        await ana.shows([other])
        now = await ana.page.evaluate("Date.now()")
        await ana.page.wait_for_function("(then) => Date.now() > then + 1500", arg=now)  # the clock has ticked
        assert int((await total.inner_text()).split()[0]) >= before


@pytest.mark.parametrize("width", [360, 1280])
async def test_an_orders_number_and_the_way_out_stay_in_sight(
    shop: ServerProcess, api: Api, browser: Browser, width: int
) -> None:
    items = [{"name": f"Pizza {i}"} for i in range(30)]
    order = await new_order(api, items=items, note="ring twice")
    viewport: Any = {"width": width, "height": 720}
    async with working(browser, shop, query=f"?order={order['orderId']}", viewport=viewport) as ana:
        shown = dialog(ana, order)
        history = shown.get_by_role("heading", name="What happened")
        await expect(shown).to_contain_text("Created: Received")
        if width > 1000:
            await expect(history).to_be_in_viewport(ratio=1)
        top = await box(shown.get_by_role("button", name="Customer contacted"))
        assert bottom(top) < 720, "what to do next is in sight"
        if width > 1000:
            await expect(shown.get_by_role("button", name="Print", exact=True)).to_be_in_viewport(ratio=1)
        await shown.get_by_text("Pizza 29").scroll_into_view_if_needed()
        await expect(shown.get_by_text("Customer contacted")).not_to_be_in_viewport()
        await expect(shown.get_by_role("heading", name=f"Order #{order['orderId']}")).to_be_in_viewport(ratio=1)
        await shown.get_by_role("button", name="Close", exact=True).click()
        await expect(shown).to_have_count(0)


async def test_what_is_not_saved_is_said(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api)
    async with working(browser, shop, query=f"?order={order['orderId']}") as ana:
        shown = dialog(ana, order)
        save = shown.get_by_role("button", name="Save", exact=True)
        await expect(save).to_be_disabled()
        await shown.get_by_label("Note", exact=True).fill("ring twice")
        await expect(shown.get_by_text("Not saved yet: note.")).to_be_visible()
        await ana.page.keyboard.press("Escape")
        await expect(shown).to_be_visible()
        await save.click()
        await expect(shown.get_by_text("Saved.", exact=True)).to_be_visible()
        await expect(save).to_be_disabled()
        await expect(shown.locator(".facts")).to_contain_text("ring twice")
        assert (await api.get(f"/api/orders/{order['orderId']}"))["note"] == "ring twice"


@pytest.mark.parametrize("width", [360, 1280])
async def test_what_was_done_is_said_over_nothing(shop: ServerProcess, api: Api, browser: Browser, width: int) -> None:
    orders = [await new_order(api, reference=f"TOAST-{width}-{i}") for i in range(6)]
    viewport: Any = {"width": width, "height": 720}
    query = f"?q=toast-{width}"
    async with working(browser, shop, query=query, viewport=viewport, has_touch=width < 500) as ana:
        await ana.shows(orders)
        before = bottom(await box(ana.column("received")))
        await ana.choose(orders[0], "Accepted")
        toast = ana.page.locator(".toast")
        await toast.hover()  # it stays
        said = await box(toast)
        assert bottom(await box(ana.column("received"))) <= said["y"] < before
        words, close = await box(toast.locator("span")), await box(toast.get_by_role("button", name="Close"))
        assert abs(close["y"] - words["y"]) < 8, "in its first line"
        assert close["x"] > words["x"] + words["width"] - 1
        await toast.get_by_role("button", name="Close").click()
        await expect(toast).to_have_count(0)
        assert bottom(await box(ana.column("received"))) == before

        # Nor over a dialog that fills the screen.
        await ana.page.set_viewport_size({"width": width, "height": 420})
        await ana.page.keyboard.press("Escape")
        await ana.choose(orders[1], "Details")
        shown = dialog(ana, orders[1])
        await shown.get_by_role("button", name="Accepted", exact=True).click()
        await toast.hover()
        assert bottom(await box(ana.page.locator(".modal"))) <= (await box(toast))["y"]
