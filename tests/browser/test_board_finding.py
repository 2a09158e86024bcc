"""Finding orders at the board, and taking them elsewhere: filters in the URL, search, CSV, paper, keys alone."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.boards import NAME, new_order, working
from tests.browser.pages import PATIENCE
from tests.harness import Api, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A shop, whose orders the tests of this file share."""
    with ServerProcess(tmp_path_factory.mktemp("shop"), shop_name=NAME) as server:
        yield server


async def done(api: Api, id: object, way: list[str]) -> None:
    """Waits until the server has the order gone this way: the board shows a move before it has."""
    async with asyncio.timeout(PATIENCE / 1000):
        while True:
            events = (await api.get(f"/api/orders/{id}/events"))["events"]
            gone = [e["status"] for e in events if e["kind"] == "status_changed"]
            if gone == way:
                return
            assert gone == way[: len(gone)]
            await asyncio.sleep(0.05)


@pytest_asyncio.fixture(loop_scope="session")
async def api(shop: ServerProcess) -> AsyncIterator[Api]:
    """The shop's backend."""
    async with shop.api() as api:
        yield api


async def test_filters_are_in_the_url(shop: ServerProcess, api: Api, browser: Browser) -> None:
    wanted = await new_order(api, "accepted", reference="F-1", fulfilment="pickup")
    other = await new_order(api, "accepted", reference="F-2", fulfilment="delivery")
    elsewhere = await new_order(api, reference="F-3", fulfilment="pickup")
    async with working(browser, shop) as ana:
        page = ana.page
        await page.get_by_role("searchbox").fill("f-")
        await page.get_by_role("button", name="Filter").click()
        panel = page.get_by_role("dialog", name="Show only")
        await panel.get_by_text("Pickup", exact=True).click()
        await panel.get_by_text("Accepted", exact=True).click()
        await page.keyboard.press("Escape")
        await expect(page).to_have_url(re.compile(r"\?q=f-&status=accepted&fulfilment=pickup$"))
        await expect(page.get_by_role("button", name="Filter (2)")).to_be_visible()
        await ana.shows([wanted])
        await page.reload()
        await page.evaluate("window.neverReloaded = true")
        await ana.shows([wanted])
        await expect(page.get_by_role("searchbox")).to_have_value("f-")
        # An order is opened over the filtered board, and the way back leads to it.
        await ana.card(wanted).locator(".number").click()
        dialog = page.get_by_role("dialog", name=f"Order #{wanted['orderId']}")
        await expect(dialog).to_be_visible()
        await page.go_back()
        await expect(dialog).to_have_count(0)
        await ana.shows([wanted])
        await page.go_forward()
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)
        assert await page.evaluate("history.state?.opened") is None, (
            "closing is the way back, and leaves no step behind"
        )
        # What a filter hides is said beside the columns, and comes back from there.
        left = page.get_by_role("region", name="Left out by the filter")
        await expect(left).to_contain_text("F-3")
        await expect(page.locator(".outcome")).to_contain_text("1 in Accepted, 2 left out by the filter.")
        await left.get_by_role("button", name="Show everything").click()
        await ana.shows([elsewhere, wanted, other])
        assert page.url.endswith("/board?q=f-")


async def test_what_is_shown_as_csv(shop: ServerProcess, api: Api, browser: Browser, tmp_path: Path) -> None:
    order = await new_order(
        api, reference="=CSV-1", note='two "large", one\nsmall', total="21.50", currency="EUR", fulfilment="pickup"
    )
    await new_order(api, reference="CSX-2")
    async with working(browser, shop, query="?q=csv-&fulfilment=pickup", timezone_id="Asia/Tokyo") as ana:
        await ana.shows([order])
        await ana.page.get_by_role("button", name="More", exact=True).click()
        async with ana.page.expect_download(timeout=PATIENCE) as saving:
            await ana.page.get_by_role("menuitem", name="Save what is shown as CSV").click()
        download = await saving.value
        assert re.fullmatch(r"orders-pickup-csv-\d{4}-\d\d-\d\d-\d{4}\.csv", download.suggested_filename)
        await download.save_as(tmp_path / "orders.csv")
        text = (tmp_path / "orders.csv").read_bytes().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert len(rows) == 1
        said = {name: rows[0][name] for name in ("Order", "Reference", "Status", "Items", "Total", "Name", "Note")}
        assert said == {
            "Order": str(order["orderId"]),
            "Reference": "'=CSV-1",  # a spreadsheet computes nothing of it
            "Status": "Received",
            "Items": "2 × <b>Pizza</b>, Limonata",
            "Total": "21.5",
            "Name": "Noor",
            "Note": 'two "large", one\nsmall',
        }


@pytest.mark.parametrize(("paper", "button"), [("sheet", "Print"), ("receipt", "Print a receipt (80 mm)")])
async def test_an_order_on_paper(
    shop: ServerProcess, api: Api, browser: Browser, tmp_path: Path, paper: str, button: str
) -> None:
    order = await new_order(api, "accepted", reference="P-9", total="21.50", currency="EUR", note="second bell")
    async with working(browser, shop, query=f"?order={order['orderId']}", color_scheme="dark") as ana:
        page = ana.page
        await page.evaluate("window.print = () => { window.printed = true }")
        dialog = page.get_by_role("dialog", name=f"Order #{order['orderId']}")
        await dialog.get_by_role("button", name=button, exact=True).click()
        await page.wait_for_function("() => window.printed", timeout=PATIENCE)
        sheet = page.locator(f".print[data-paper={paper}]")
        await expect(sheet).not_to_be_visible()
        await page.emulate_media(media="print")
        await expect(sheet).to_be_visible()
        await expect(page.locator("main")).not_to_be_visible()
        await expect(dialog).not_to_be_visible()
        for text in (
            f"#{order['orderId']}",
            "P-9",
            "Accepted",
            "<b>Pizza</b>",
            "Noor",
            "+49 170 99",
            "€21.50",
            "second bell",
        ):
            await expect(sheet).to_contain_text(text)
        paint = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert paint == "rgb(255, 255, 255)", "paper is white, also of a dark board"
        pdf = await page.pdf(path=tmp_path / "order.pdf", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type /Page\b", pdf)) == 1, "it fits on one page"
        width = float(re.findall(rb"/MediaBox \[0 0 ([0-9.]+)", pdf)[0])
        assert (width < 240) == (paper == "receipt"), "80 mm are 227 pt"
        await page.emulate_media(media="screen")
        await page.evaluate("dispatchEvent(new Event('afterprint'))")
        await expect(sheet).to_have_count(0)
        await expect(dialog).to_be_visible()


async def test_an_orders_whole_way_without_a_mouse(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api, reference="KEYS-7", fulfilment="pickup")
    id = order["orderId"]
    async with working(browser, shop) as ana:
        page, keys = ana.page, ana.page.keyboard
        await ana.has(order, "received")
        await keys.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()
        await keys.type("keys-7")
        await ana.shows([order])
        for _ in range(30):
            await keys.press("Tab")
            if await page.evaluate("document.activeElement.matches('.card')"):
                break
        await ana.focused(order)
        await keys.press("Enter")
        dialog = page.get_by_role("dialog", name=f"Order #{id}")
        await expect(dialog).to_be_visible()
        contacted = dialog.get_by_role("button", name="Customer contacted")
        await expect(contacted).to_be_visible()
        for _ in range(30):
            await keys.press("Tab")
            if await contacted.evaluate("(button) => button === document.activeElement"):
                break
        await keys.press("Enter")
        await expect(contacted).to_have_count(0)
        await expect(dialog.locator(".facts")).to_contain_text(", after ")
        await keys.press("Escape")
        await expect(dialog).to_have_count(0)
        await ana.focused(order)
        for status in ("accepted", "preparing", "ready"):
            await keys.press("n")
            await ana.has(order, status)
            await ana.focused(order)  # a column that is empty keeps no keyboard
        await keys.press("m")
        await expect(page.get_by_role("menuitem", name="Collected", exact=True)).to_be_focused()
        await keys.press("Enter")
        await expect(ana.card(order)).to_have_count(0)
        await keys.press("u")
        await ana.focused(order)
        await keys.press("n")
        await expect(ana.card(order)).to_have_count(0)
        way = ["accepted", "preparing", "ready", "collected", "ready", "collected"]
        await done(api, id, way)
        # The focus is somewhere of use still: the keys go on working.
        await keys.press("/")
        await expect(page.get_by_role("searchbox")).to_be_focused()
