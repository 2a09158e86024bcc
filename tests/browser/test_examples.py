"""The pages of the shops in `examples/`, as their customers use them."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.pages import PATIENCE
from tests.examples import DJANGO, FASTAPI, PASSWORD, STARLETTE, Example, signed_in

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


@pytest.mark.parametrize("example", [FASTAPI, STARLETTE, DJANGO], ids=lambda example: example.folder)
async def test_a_customer_signs_in_orders_and_watches(browser: Browser, tmp_path: Path, example: Example) -> None:
    faults: list[str] = []
    with example.process(tmp_path) as shop:
        page = await browser.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        await page.goto(shop.url)
        await page.get_by_label("name").fill("ana")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator("#live")).to_have_text("live")
        await page.get_by_role("button", name="Order a pizza").click()
        line = page.locator("#orders li")
        await expect(line).to_have_text("1: received")
        await expect(page.get_by_role("link", name="The board")).to_be_hidden()
        async with signed_in(shop, "kim") as (kim, _):
            for status in ("accepted", "preparing", "ready"):
                assert (await kim.post(f"/kitchen/1/{status}")).is_success
                await expect(line).to_have_text(f"1: {status}")
        await page.close()

        board = await browser.new_page()
        await board.goto(shop.url)
        await board.get_by_label("name").fill("kim")
        await board.get_by_label("Password").fill(PASSWORD)
        await board.get_by_role("button", name="Sign in").click()
        await board.get_by_role("link", name="The board").click(timeout=PATIENCE)
        await expect(board.locator("body")).to_contain_text("Ready")
    assert faults == []
