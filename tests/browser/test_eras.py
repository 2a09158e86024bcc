"""A page of 2016 and a page of today on one order, each with its own Socket.IO client, in one browser.

The pages come from another origin than the server, which says whom it lets in (CORS).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.harness import CLIENTS, ServerProcess, token

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

BUNDLE_1 = CLIENTS / "node_modules" / "sio-1.7" / "dist" / "socket.io.js"

# Socket.IO 1.x takes the token in the query, as it knows no `auth`.
PAGE = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>An order</title>
<p id="status"></p><p id="snapshot"></p><p id="refused"></p>
<script src="%(script)s"></script>
<script>
  const { url, token, orderId, transports } = %(given)s;
  const show = (id, data) => (document.getElementById(id).textContent = data);
  const socket = io(url, { %(credentials)s, transports });
  socket.on("connect", () => socket.emit("watch:order", orderId));
  socket.on("watching", (data) => show("snapshot", `${data.orderId} ${data.status} ${data.version}`));
  socket.on("order:updated", (data) => show("status", `${data.orderId} ${data.status} ${data.version}`));
  socket.on("error", (error) => show("refused", error));
  socket.on("connect_error", (error) => show("refused", error.message || error));
  const loaded = Math.random();
</script>"""


class Site:
    """A shop's web server with its two pages, at an origin of its own."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {"/socket.io-1.js": BUNDLE_1.read_bytes()}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.bodies.get(self.path.partition("?")[0])
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/javascript" if self.path.endswith(".js") else "text/html")
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def origin(self) -> str:
        """Where the pages come from."""
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def add(self, path: str, server: ServerProcess, order_id: int, transports: list[str]) -> str:
        """A page for this order; its address. ``/1`` has the client of 2016, every other one the server's own."""
        old = path.startswith("/1")
        given = {"url": server.url, "token": token(42), "orderId": order_id, "transports": transports}
        filled = PAGE % {
            "script": "/socket.io-1.js" if old else f"{server.url}/socket.io/socket.io.js",
            "credentials": "query: { token }" if old else "auth: { token }",
            "given": json.dumps(given),
        }
        self.bodies[path] = filled.encode()
        return self.origin + path


@contextmanager
def serving() -> Iterator[Site]:
    """The shop's web server, on a thread."""
    site = Site()
    thread = Thread(target=site.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.http.shutdown()
        site.http.server_close()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    """The shop's own web server."""
    with serving() as site:
        yield site


async def open_page(browser: Browser, url: str, faults: list[str]) -> Page:
    """Opens a page and collects what goes wrong on it."""
    page = await browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    return page


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids=" then ".join)
async def test_an_order_on_a_page_of_2016_and_on_one_of_today(
    site: Site, browser: Browser, tmp_path: Path, transports: list[str]
) -> None:
    faults: list[str] = []
    with ServerProcess(tmp_path, cors_origins=site.origin) as server:
        async with server.api() as api:
            id = (await api.create(customerId=42))["orderId"]
            pages = [await open_page(browser, site.add(path, server, id, transports), faults) for path in ("/1", "/4")]
            marks = []
            for page in pages:
                await expect(page.locator("#snapshot")).to_have_text(f"{id} received 1")
                marks.append(await page.evaluate("loaded"))
            versions = [await page.evaluate("socket.io.engine.transport.query.EIO") for page in pages]
            assert versions == [3, 4], "two protocols of Engine.IO"
            for version, status in enumerate(("accepted", "preparing", "ready"), start=2):
                await api.patch(id, status=status)
                for page in pages:
                    await expect(page.locator("#status")).to_have_text(f"{id} {status} {version}")
        for page, mark in zip(pages, marks, strict=True):
            assert await page.evaluate("loaded") == mark, "not reloaded"
            assert await page.evaluate("socket.io.engine.transport.name") == transports[-1]
            await expect(page.locator("#refused")).to_have_text("")
            await page.close()
    assert faults == []


@pytest.mark.parametrize("path", ["/1", "/4"])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_page_from_elsewhere_is_not_let_in(
    site: Site, browser: Browser, tmp_path: Path, path: str, transport: str
) -> None:
    with serving() as elsewhere, ServerProcess(tmp_path, cors_origins=site.origin) as server:
        async with server.api() as api:
            id = (await api.create(customerId=42))["orderId"]
        page = await open_page(browser, elsewhere.add(path, server, id, [transport]), [])
        # The browser tells the page no more than that it failed.
        error = f"{'xhr poll' if transport == 'polling' else 'websocket'} error"
        await expect(page.locator("#refused")).to_have_text(error)
        await expect(page.locator("#snapshot")).to_have_text("")
        await page.close()
