"""Signing in at the board, as its operator does it: by a link, at the shop, and again in place when it has run out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import PATIENCE
from tests.harness import ServerProcess, token

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

SHORT = 8.0  # s that a token lasts which is to run out


class Shop:
    """The shop's own server: who comes to its login is signed in as ana and sent back; it renews tokens, or refuses."""

    def __init__(self) -> None:
        self.renews = True
        self.forgets = False  # the way back, and knows the board's address alone
        self.asked: list[str] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.asked.append("login")
                back = parse_qs(urlsplit(self.path).query)["return"][0]
                board = back.partition("?")[0] if shop.forgets else back
                self.send_response(302)
                self.send_header("Location", f"{board}#token={token('ana', 'operator')}")
                self.end_headers()

            def do_POST(self) -> None:
                shop.asked.append("refresh")
                self.send_response(200 if shop.renews else 401)
                self.send_header("Access-Control-Allow-Origin", self.headers["Origin"])
                self.send_header("Access-Control-Allow-Credentials", "true")
                self.end_headers()
                if shop.renews:
                    self.wfile.write(f'{{"token": "{token("ana", "operator")}"}}'.encode())

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Shop:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The shop's own server."""
    with Shop() as shop:
        yield shop


@contextmanager
def board_of(folder: Path, **settings: Any) -> Iterator[ServerProcess]:
    """A server whose board knows where the shop's people sign in."""
    with ServerProcess(folder, shop_name="Trattoria Marea", **settings) as server:
        yield server


async def open_board(browser: Browser, url: str, faults: list[str]) -> Page:
    """A board that marks itself, so that a reload would show, and collects what goes wrong on it."""
    page = await browser.new_page(viewport={"width": 1200, "height": 800})
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
    await page.goto(url)
    await page.evaluate("window.neverReloaded = true")
    return page


async def live(page: Page) -> None:
    """It is live, and asks nothing."""
    await expect(page.locator("body")).to_have_attribute("data-connection", "live")
    await expect(page.get_by_role("alertdialog")).to_have_count(0)


async def test_a_link_signs_in_for_this_tab_alone(tmp_path: Path, browser: Browser) -> None:
    secret, faults = token("ana", "operator"), list[str]()
    with board_of(tmp_path) as server:
        page = await open_board(browser, f"{server.url}/board?late=1#token={secret}", faults)
        await live(page)
        assert page.url == f"{server.url}/board?late=1"
        await page.reload()
        await live(page)
        assert secret not in await page.evaluate("JSON.stringify(localStorage) + document.cookie")
        other = await open_board(browser, f"{server.url}/board", faults)
        asks = other.get_by_role("dialog", name="Sign in to Trattoria Marea")
        await expect(asks).to_be_visible()
        await other.get_by_label("Paste a link or a token").fill(f"{server.url}/board#token={secret}")
        await other.keyboard.press("Enter")
        await live(other)
        assert secret not in server.log
    assert faults == []


async def test_the_shops_login_leads_back(tmp_path: Path, browser: Browser, shop: Shop) -> None:
    faults = list[str]()
    with board_of(tmp_path, login_url=f"{shop.url}/login") as server:
        page = await open_board(browser, f"{server.url}/board?q=7", faults)
        await page.get_by_role("link", name="Sign in at Trattoria Marea").click(timeout=PATIENCE)
        await live(page)
        assert page.url == f"{server.url}/board?q=7"
    assert faults == []


@pytest.mark.parametrize("forgets", [False, True], ids=["by its way back", "by its name"])
async def test_what_has_run_out_is_renewed_in_place(
    tmp_path: Path, browser: Browser, shop: Shop, forgets: bool
) -> None:
    shop.forgets, faults = forgets, list[str]()
    with board_of(tmp_path, login_url=f"{shop.url}/login") as server:
        ends = token("ana", "operator", lifetime=SHORT)
        page = await open_board(browser, f"{server.url}/board#token={ends}", faults)
        typed = page.get_by_role("searchbox")
        await typed.fill("pizza", timeout=PATIENCE)
        await expect(page.get_by_role("alertdialog")).to_be_visible()
        async with server.api() as api:
            order = await api.create(items=[{"name": "Pizza"}])
        async with page.expect_popup(timeout=PATIENCE) as opened:
            await page.get_by_role("link", name=re.compile("Sign in at Trattoria Marea")).click()
        window = await opened.value
        await live(page)
        if not window.is_closed():
            await window.wait_for_event("close", timeout=PATIENCE)
        await expect(page.locator(f"[data-order-id='{order['orderId']}']").first).to_be_visible()
        assert await typed.input_value() == "pizza"
        assert await page.evaluate("window.neverReloaded")
        assert shop.asked == ["login"]
    assert faults == []


async def test_tokens_are_renewed_unseen(tmp_path: Path, browser: Browser, shop: Shop) -> None:
    faults = list[str]()
    with board_of(tmp_path, refresh_url=f"{shop.url}/token") as server:
        ends = token("ana", "operator", lifetime=SHORT)
        page = await open_board(browser, f"{server.url}/board#token={ends}", faults)
        await page.evaluate(
            "new MutationObserver(() => { window.asked ||= !!document.querySelector('[role=alertdialog]') })"
            ".observe(document.body, { childList: true, subtree: true })"
        )
        await page.wait_for_function(
            "(ends) => ![null, ends].includes(sessionStorage.getItem('ordercast.board.token'))",
            arg=ends,
            timeout=PATIENCE,
        )
        await live(page)
        assert not await page.evaluate("window.asked")
        assert shop.asked == ["refresh"]
    assert faults == []


async def test_a_shop_that_refuses_is_told(tmp_path: Path, browser: Browser, shop: Shop) -> None:
    shop.renews, faults = False, list[str]()
    with board_of(tmp_path, refresh_url=f"{shop.url}/token") as server:
        ends = token("ana", "operator", lifetime=SHORT)
        page = await open_board(browser, f"{server.url}/board#token={ends}", faults)
        await expect(page.get_by_role("alertdialog", name="Sign in again")).to_be_visible()
        await page.get_by_role("button", name="Not now").click()
        await expect(page.get_by_text("You are signed out")).to_be_visible()
        await page.get_by_role("button", name="Sign in again").click()
        await page.get_by_label("Paste a link or a token").fill(token("ana", "operator"))
        await page.get_by_role("button", name="Go on").click()
        await live(page)
        assert await page.evaluate("window.neverReloaded")
    assert faults == []
