"""Debian's Chromium, driven by Playwright; and a shop to look at."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.boards import NAME
from tests.browser.pages import PATIENCE
from tests.harness import Api, ServerProcess

expect.set_options(timeout=PATIENCE)

# A browser that asks nobody but the server under test.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A headless browser for all tests of this process: it takes longer to start than many of them."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "Chromium is missing: 'make test' installs it, or name it to your package manager"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS, chromium_sandbox=False)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """The browser, in which a test's pages are its own."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A shop, whose orders the tests of this file share."""
    with ServerProcess(tmp_path_factory.mktemp("shop"), shop_name=NAME) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def api(shop: ServerProcess) -> AsyncIterator[Api]:
    """The shop's backend."""
    async with shop.api() as api:
        yield api
