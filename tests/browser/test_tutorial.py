"""docs/tutorial/react.md, as its reader goes through it: an empty folder, three terminals, two windows."""

from __future__ import annotations

import json
import re
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.pages import PATIENCE
from tests.harness import ROOT
from tests.manual import Block, Terminal, blocks

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


async def opened(browser: Browser, url: str, faults: list[str]) -> Page:
    """A window that collects what goes wrong in it."""
    page = await browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: faults.append(str(error)))
    await page.goto(url)
    return page


async def test_from_an_empty_react_app_to_a_live_order(tmp_path: Path, browser: Browser) -> None:
    ours, vite = str(free_port()), str(free_port())
    (tmp_path / "ordercast").symlink_to(ROOT)
    serve, order, create, app, dev, patch, kitchen, main, again, build, snippet = blocks(
        "tutorial/react.md", _3001=ours, _5173=vite
    )
    assert [block.place for block in (serve, order, create, dev, patch, again, build)] == [
        f"terminal {number}" for number in (1, 2, 2, 2, 3, 1, 3)
    ]

    def write(block: Block) -> None:
        (tmp_path / "shop" / block.place).write_text(block.text)

    async with AsyncExitStack() as stack:
        one, two, three = [await stack.enter_async_context(Terminal(tmp_path)) for _ in range(3)]
        listens = rf"listens on http://127\.0\.0\.1:{ours}"
        await one.leave_running(f"export ORDERCAST_PORT={ours}\n{serve.text}", listens)
        answer = json.loads((await two.run(order.text)).strip())
        assert (answer["orderId"], answer["status"]) == (17, "received")
        await two.run(create.text)
        write(app)
        started = f"{dev.text.rstrip()} -- --port {vite} --strictPort"
        await two.leave_running(started, rf"http://localhost:{vite}")

        faults: list[str] = []
        mine = await opened(browser, f"http://localhost:{vite}", faults)
        await expect(mine.get_by_role("status")).to_have_text("received")
        await expect(mine.locator("small")).to_have_text("live")
        await three.run(patch.text)
        await expect(mine.get_by_role("status")).to_have_text("accepted")

        write(kitchen)
        write(main)
        theirs = await opened(browser, f"http://localhost:{vite}/kitchen", faults)
        await theirs.get_by_role("button", name="preparing").click()
        await expect(mine.get_by_role("status")).to_have_text("preparing")

        await one.interrupt()
        await expect(mine.locator("small")).to_have_text(re.compile("resuming|offline"))
        await expect(mine.get_by_role("status")).to_have_text("preparing")
        await one.leave_running(again.text, listens)
        await expect(mine.locator("small")).to_have_text("live")
        await theirs.get_by_role("button", name="ready").click()
        await expect(mine.get_by_role("status")).to_have_text("ready")
        assert faults == []

        await three.run(build.text)
        # The last block as well: its function for a token has the type that the provider wants.
        function, provider = snippet.text.strip().split("\n\n")
        used = app.text.replace(re.search(r"<OrdercastProvider url.*>", app.text)[0], provider)  # type: ignore[index]
        assert used != app.text
        (tmp_path / "shop" / "src" / "App.tsx").write_text(f"{used}\n{function}\n")
        await three.run("npm run build")
