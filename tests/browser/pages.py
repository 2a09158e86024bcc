"""What the tests of pages have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playwright.async_api import Page, Route

PATIENCE = 60_000  # ms; bounds a failure only


async def hold(page: Page) -> Callable[[], None]:
    """Keeps the page's first request for a socket waiting until the returned function is called, so that the time it
    takes to load is no part of when it connects. It must poll at first, as the official client does."""
    may_connect = asyncio.Event()

    async def wait(route: Route) -> None:
        await may_connect.wait()
        await route.continue_()

    await page.route("**/socket.io/?*", wait)
    return may_connect.set
