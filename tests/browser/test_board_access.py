"""What a board shows to whom, with a sign-in of one shop or of all; and that one which ends loses nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.browser.boards import new_order, working
from tests.harness import Api, ServerProcess, token

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

SHORT = 15.0  # s that a token lasts which is to run out


async def test_an_operator_of_one_shop_sees_nothing_of_anothers(
    shop: ServerProcess, api: Api, browser: Browser
) -> None:
    secret = {"reference": "S-SECRET", "contact": {"name": "Sevda Secret", "phone": "+49 30 5550"}}
    north = await new_order(api, shopId="north", reference="N-1")
    south = await new_order(api, shopId="south", **secret)
    closed = await new_order(api, "cancelled", shopId="south", **secret)
    frames: list[str] = []
    async with (
        working(browser, shop, "nils", claims={"shops": ["north"]}) as nils,
        working(browser, shop, "sara", claims={"shops": ["south"]}) as sara,
        working(browser, shop, "ana") as ana,
    ):
        nils.page.on("response", lambda answer: frames.append(answer.url))
        nils.page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
        await nils.page.reload()
        await nils.page.evaluate("window.neverReloaded = true")
        await nils.is_now("live")
        await nils.shows([north])
        await sara.shows([south])
        await ana.shows([north, south])

        # What happens there meanwhile is not heard here; what happens here, afterwards, is.
        await sara.card(south).get_by_role("button", name="Accepted").click()
        await ana.has(south, "accepted")
        late = await new_order(api, shopId="south", **secret)
        await ana.has(late, "received")
        north = await api.patch(north["orderId"], status="accepted")
        await nils.shows([north])

        today = nils.page.get_by_role("region", name="Today")
        created = today.locator("dl > div", has=nils.page.get_by_text("New today", exact=True)).locator("dd")
        await expect(created).to_have_text("1")
        await nils.page.get_by_role("button", name="Filter").click()
        await expect(nils.page.get_by_role("radiogroup", name="Claimed by")).to_be_visible()
        await expect(nils.page.get_by_role("radiogroup", name="Shop")).to_have_count(0)
        await nils.page.keyboard.press("Escape")

        # Searching, closed orders and links find nothing of it.
        await nils.page.get_by_role("searchbox").fill("secret")
        await expect(nils.page.locator(".outcome")).to_contain_text("No order fits “secret”.")
        await expect(nils.page.locator(".others")).to_have_count(0)
        for order in (south, closed):
            await nils.page.goto(f"{shop.url}/board?closed=1&order={order['orderId']}")
            dialog = nils.page.get_by_role("dialog", name=f"Order #{order['orderId']}")
            await expect(dialog.get_by_role("alert")).to_have_text("There is no such order, or it is another shop's.")
        await nils.page.keyboard.press("Escape")
        await expect(nils.page.locator("#column-closed")).to_contain_text("No orders")
        content = await nils.page.content() + "".join(frames)
        assert [word for word in ("S-SECRET", "Sevda", "5550", "sara") if word in content] == []
        assert f'"orderId":{north["orderId"]}' in "".join(frames)
        told = [frame for frame in frames if f'"orderId":{south["orderId"]}' in frame]
        assert [frame for frame in told if not frame.startswith('42["watch:denied"')] == []
        await nils.page.evaluate("window.neverReloaded = true")

        # Who works for the same shop is seen, and nobody else.
        for board, names in ((nils, "ana"), (sara, "ana"), (ana, "nils sara")):
            said = f"{len(names.split())} other{'s' if ' ' in names else ''} online"
            await expect(board.page.locator(".online")).to_have_text(said)
            await board.page.locator(".online").click()
            people = board.page.get_by_role("dialog", name="Online").get_by_role("listitem")
            assert sorted((await people.all_inner_texts())[1:]) == names.split()


async def test_what_is_typed_outlives_a_sign_in(shop: ServerProcess, api: Api, browser: Browser) -> None:
    order = await new_order(api)
    async with working(browser, shop, "ana", claims={"lifetime": SHORT}) as ana:
        await ana.choose(order, "Details")
        dialog = ana.page.get_by_role("dialog", name=f"Order #{order['orderId']}")
        note = dialog.get_by_role("textbox", name="Note")
        await note.fill("ring at the back")
        again = ana.page.get_by_role("alertdialog", name="Sign in again")
        await expect(again).to_be_visible()
        await api.patch(order["orderId"], status="accepted")
        await again.get_by_label("Paste a link or a token").fill(f"{shop.url}/board#token={token('ana', 'operator')}")
        await ana.page.keyboard.press("Enter")
        await expect(again).to_have_count(0)
        await ana.is_now("live")
        await expect(note).to_have_value("ring at the back")
        await expect(dialog.locator(".standing")).to_contain_text("Accepted")
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog.get_by_text("Saved.")).to_be_visible()
        assert (await api.get(f"/api/orders/{order['orderId']}"))["note"] == "ring at the back"
