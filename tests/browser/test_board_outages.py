"""Boards through what goes wrong: two who want the same, a server that is killed, a network that is away."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.boards import Board, new_order, open_orders, working
from tests.browser.pages import PATIENCE
from tests.harness import ServerProcess
from tests.proxy import Proxy

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


async def test_of_two_who_take_an_order_at_once_one_has_it(shop: ServerProcess, browser: Browser) -> None:
    async with shop.api() as api, working(browser, shop, "ana") as ana, working(browser, shop, "ben") as ben:
        order = await new_order(api)
        boards = {"ana": ana, "ben": ben}
        asked, both = list[Board](), asyncio.Event()
        for board in boards.values():

            async def hold(route: Route, board: Board = board) -> None:
                asked.append(board)
                if len(asked) == 2:
                    both.set()
                await both.wait()
                await route.continue_()

            await board.page.route(re.compile(rf"/api/orders/{order['orderId']}/claim$"), hold)
            await board.has(order, "received")
        await asyncio.gather(*(b.card(order).get_by_role("button", name="Claim").click() for b in boards.values()))
        await asyncio.wait_for(both.wait(), PATIENCE / 1000)
        problem = f".card[data-order-id='{order['orderId']}'] .problem"
        for board in boards.values():
            await expect(board.card(order).locator(".holder")).to_be_visible()
            await expect(board.card(order)).not_to_have_attribute("data-pending", "true")
        winner = (await api.get(f"/api/orders/{order['orderId']}"))["claimedBy"]
        loser = next(name for name in boards if name != winner)
        await expect(boards[loser].page.locator(problem)).to_contain_text(f"{winner.capitalize()} claimed it first.")
        await expect(boards[loser].card(order).locator(".holder")).to_contain_text(winner)
        await expect(boards[winner].card(order).locator(".holder")).to_contain_text("You")
        await expect(boards[winner].page.locator(problem)).to_have_count(0)
        left = await open_orders(api)
        for board in boards.values():
            await board.shows(left)
        events = (await api.get(f"/api/orders/{order['orderId']}/events"))["events"]
        assert [event["updatedBy"] for event in events][1:] == [winner]


async def test_the_server_is_killed_and_comes_back(shop: ServerProcess, browser: Browser) -> None:
    async with working(browser, shop, "ana") as ana, working(browser, shop, "ben") as ben:
        async with shop.api() as api:
            orders = [await new_order(api) for _ in range(3)]
        for order in orders:
            await ben.has(order, "received")
        first, second, third = orders
        await ana.card(first).get_by_role("button", name="Accepted").click()
        await expect(ana.page.locator(".toast")).to_contain_text(f"Order {first['orderId']} moved to Accepted")

        # Ben's step is made, and the server is gone before it can say so.
        async def cut_short(route: Route) -> None:
            await route.fetch()
            shop.kill()
            await route.abort()

        await ben.page.route(re.compile(rf"/api/orders/{second['orderId']}$"), cut_short, times=1)
        await ben.card(second).get_by_role("button", name="Accepted").click()
        for board in (ana, ben):
            await board.is_now("offline")
            await expect(board.page.locator(".banner")).to_contain_text(
                re.compile(r"The server cannot be reached.*what you see is [0-9]+ (s|min)")
            )
        await ana.card(third).get_by_role("button", name="Accepted").click()
        await expect(ana.card(third).locator(".problem")).to_contain_text("cannot be reached")
        await ana.has(third, "received")
        shop.start()
        async with shop.api() as api:
            left = await open_orders(api)
            at = {order["orderId"]: order["status"] for order in left}
            assert [at[order["orderId"]] for order in orders] == ["accepted", "accepted", "received"]
            for board in (ana, ben):
                await board.is_now("live")
                await board.shows(left)
            await ana.card(third).get_by_role("button", name="Accepted").click()
            await ben.has(third, "accepted")
            await expect(ana.card(third).locator(".problem")).to_have_count(0)
            for order, by in zip(orders, ("ana", "ben", "ana"), strict=True):
                events = (await api.get(f"/api/orders/{order['orderId']}/events"))["events"]
                assert [(event["status"], event["updatedBy"]) for event in events][1:] == [("accepted", by)]
            left = await open_orders(api)
        for board in (ana, ben):
            await board.shows(left)
            await expect(board.page.locator(".problem")).to_have_count(0)


async def test_offline_and_back(shop: ServerProcess, browser: Browser) -> None:
    async with (
        shop.api() as api,
        Proxy(shop.port) as proxy,
        working(browser, proxy.url, "ana") as ana,
        working(browser, shop, "ben") as ben,
    ):
        mine, his, both = [await new_order(api) for _ in range(3)]
        for order in (mine, his, both):
            await ana.has(order, "received")
        await ana.page.context.set_offline(True)
        proxy.cut_all()
        await ana.is_now("offline")
        await expect(ana.page.locator(".banner")).to_contain_text("You are offline")
        for order in (his, both):
            # By key: who presses again at the same place at once does not mean the next card.
            await ben.card(order).get_by_role("button", name="Accepted").press("Enter")
            await ben.has(order, "accepted")
        # What one tries meanwhile is refused at once, in words that stay.
        for order in (mine, both):
            await ana.card(order).get_by_role("button", name="Accepted").click()
            await expect(ana.card(order).locator(".problem")).to_contain_text("cannot be reached, so this was not done")
            await ana.has(order, "received")
        await ana.page.context.set_offline(False)
        await ana.is_now("live")
        for order in (his, both):
            await ana.has(order, "accepted")
        await expect(ana.card(mine).locator(".problem")).to_contain_text("Try again")
        left = await open_orders(api)
        for board in (ana, ben):
            await board.shows(left)
        await ana.card(mine).get_by_role("button", name="Accepted").click()
        await ben.has(mine, "accepted")
        await expect(ana.card(mine).locator(".problem")).to_have_count(0)
