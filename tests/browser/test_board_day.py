"""A morning at two boards, with a customer who looks on: all three agree, and with the server."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.boards import NAME, Board, new_order, open_orders, working
from tests.browser.pages import PATIENCE
from tests.harness import Api, Json, ServerProcess

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

# What a shift announces is counted: notes that sound, and notifications, which come while nobody looks.
EARS = """
window.notes = 0;
window.notified = [];
window.AudioContext = class {
  currentTime = 0;
  destination = {};
  state = "suspended";
  resume() { this.state = "running"; return Promise.resolve(); }
  close() { return Promise.resolve(); }
  createGain() {
    const gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
    return { gain, connect() {} };
  }
  createOscillator() { return { frequency: {}, connect() {}, start() { window.notes += 1; }, stop() {} }; }
};
window.Notification = class {
  static permission = "granted";
  constructor(title, { body }) { window.notified.push(`${title}: ${body}`); }
  close() {}
};
let away = false;
Object.defineProperty(document, "hidden", { get: () => away });
Object.defineProperty(document, "visibilityState", { get: () => (away ? "hidden" : "visible") });
window.look = (here) => { away = !here; document.dispatchEvent(new Event("visibilitychange")); };
"""
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A shop whose day begins here."""
    with ServerProcess(tmp_path_factory.mktemp("shop"), shop_name=NAME) as server:
        yield server


async def test_a_morning_of_two_operators_and_a_customer(shop: ServerProcess, browser: Browser) -> None:
    async with (
        shop.api() as api,
        working(browser, shop, "ana", script=EARS) as ana,
        working(browser, shop, "ben", **PHONE) as ben,
    ):
        await ana.page.get_by_role("button", name="Start shift").click()
        pizza = await new_order(api, fulfilment="delivery")
        customer = await (await browser.new_context()).new_page()
        await customer.goto(await api.share(pizza["orderId"]))
        await is_announced(ana, 1)
        rung = await ana.page.evaluate("window.notes")
        assert rung > 0
        assert rung % 2 == 0, "two notes each time"
        await is_announced(ben, 1)
        await ben.card(pizza).get_by_role("button", name="Claim").tap()
        await is_announced(ana, 0)
        await expect(ana.card(pizza).locator(".holder")).to_contain_text("ben")

        await ana.page.evaluate("window.look(false)")
        soup = await new_order(api, fulfilment="pickup")
        await ana.page.wait_for_function("() => window.notified.length === 1", timeout=PATIENCE)
        told = await ana.page.evaluate("window.notified")
        assert told == [f"New order #{soup['orderId']}: 2 × <b>Pizza</b>, Limonata"]
        assert await ana.page.evaluate("window.notes") > rung
        await ana.page.evaluate("window.look(true)")

        # By keyboard at one board, by tap at the other, by drag, and the customer hears of each.
        await customer_sees(customer, "Received")
        await ana.has(soup, "received")
        await ana.card(soup).focus()
        await ana.page.keyboard.press("n")
        await is_announced(ana, 0)
        await ben.card(pizza).get_by_role("button", name="Accepted").tap()
        await ana.has(pizza, "accepted")
        await customer_sees(customer, "Accepted")
        await drag(ana, pizza, "preparing")
        await customer_sees(customer, "Preparing")
        await ben.has(pizza, "preparing")
        await ben.choose(pizza, "Customer contacted")
        await expect(ana.card(pizza).locator(".contact")).to_contain_text("contacted")

        # Ready too early, taken back with a reason that both can read; the customer sees where it is.
        await ana.card(pizza).get_by_role("button", name="Ready").click()
        await ben.has(pizza, "ready")
        await ana.choose(pizza, "Preparing …")
        await ana.page.get_by_role("button", name="Not ready yet").click()
        await ben.has(pizza, "preparing")
        await customer_sees(customer, "Preparing")
        await ben.choose(pizza, "Details")
        dialog = ben.page.get_by_role("dialog", name=f"Order #{pizza['orderId']}")
        await expect(dialog.locator(".timeline")).to_contain_text("by ana, after")
        await expect(dialog.locator(".timeline")).to_contain_text("“Not ready yet”")
        await dialog.get_by_role("button", name="Close", exact=True).tap()
        await expect(dialog).to_have_count(0)

        for status in ("Ready", "Out for delivery", "Delivered"):
            await ben.card(pizza).get_by_role("button", name=status, exact=True).tap()
            await customer_sees(customer, status)
        await new_order(api)
        await new_order(api, "accepted", "preparing")
        cancelled = await new_order(api)
        await ana.has(cancelled, "received")
        await ana.choose(cancelled, "Cancelled …")
        await ana.page.get_by_role("button", name="The customer asked for it").click()
        await expect(ben.card(cancelled)).to_have_count(0)

        left = await open_orders(api)
        assert len(left) == 3
        for board in (ana, ben):
            await board.shows(left)
            await counts(board, left)
        await figures_are_right(ana, api, pizza, left)
        history = (await api.get(f"/api/orders/{pizza['orderId']}/events"))["events"]
        assert [(e["status"], e["updatedBy"]) for e in history if e["kind"] == "status_changed"] == [
            ("accepted", "ben"),
            ("preparing", "ana"),
            ("ready", "ana"),
            ("preparing", "ana"),
            ("ready", "ben"),
            ("out_for_delivery", "ben"),
            ("delivered", "ben"),
        ]
        await customer.context.close()


async def is_announced(board: Board, orders: int) -> None:
    """The title says how many new orders nobody has taken."""
    words = {0: "", 1: "(1) New order · "}.get(orders, f"({orders}) New orders · ")
    await expect(board.page).to_have_title(words + NAME)


async def customer_sees(page: Page, label: str) -> None:
    await expect(page.locator("#now")).to_have_text(label)


async def drag(board: Board, order: Json, status: str) -> None:
    await board.card(order).hover()
    await board.page.mouse.down()
    box = await board.column(status).bounding_box()
    assert box is not None
    for step in range(3):
        await board.page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + 60 + step)
    await expect(board.column(status)).to_have_attribute("data-over", "true")
    await board.page.mouse.up()
    await board.has(order, status)


async def counts(board: Board, orders: list[Json]) -> None:
    """The columns' headings say how many there are."""
    for status, count in Counter(order["status"] for order in orders).items():
        await expect(board.column(status).locator("h2 .count")).to_have_text(str(count))


async def figures_are_right(board: Board, api: Api, contacted: Json, left: list[Json]) -> None:
    """The figures of the day, at a glance and in full, are those of this morning: five orders, one delivered, one
    cancelled, and one customer contacted."""
    bar = board.page.get_by_role("region", name="Today")
    for name, value in (("New today", "5"), ("Done today", "1")):
        await expect(figure(bar, name)).to_have_text(value)
    order = await api.get(f"/api/orders/{contacted['orderId']}")
    created, first = (datetime.fromisoformat(order[name]) for name in ("createdAt", "firstContactAt"))
    minutes, seconds = divmod(int((first - created).total_seconds() + 0.5), 60)
    waited = (f"{minutes} min " if minutes else "") + (f"{seconds} s " if seconds or not minutes else "")
    await expect(figure(bar, "First contact")).to_have_text(f"{waited}(9 of 10 within {waited[:-1]})")
    await expect(figure(bar, "Update latency")).to_contain_text(re.compile(r"^[0-9.]+ m?s"))
    await bar.get_by_role("button", name="Figures").click()
    panel = board.page.get_by_role("dialog", name="Today")
    for name, value in (("Not contacted yet", "3"), ("Cancelled or failed today", "1")):
        await expect(figure(panel, name)).to_have_text(value)
    rows = await panel.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    now = Counter(order["status"] for order in left) + Counter(["delivered", "cancelled"])
    labels = {status["label"]: status["name"] for status in (await api.get("/api/workflow"))["statuses"]}
    assert {labels[row[0]]: int(row[1]) for row in rows if row[1] != "0"} == now
    await board.page.keyboard.press("Escape")


def figure(within: Locator, name: str) -> Locator:
    """What is said under this name."""
    return within.locator("dl > div", has=within.page.get_by_text(name, exact=True)).locator("dd")
