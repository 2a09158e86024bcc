"""A page whose socket waits, so that what a window needs for loading is no part of when it connects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from playwright.async_api import Page, Route


async def hold(page: Page) -> Callable[[], None]:
    """Keeps its first request for a socket waiting, until the function that it returns is called. It must poll at
    first, as the official client does."""
    may_connect = asyncio.Event()

    async def wait(route: Route) -> None:
        await may_connect.wait()
        await route.continue_()

    await page.route("**/socket.io/?*", wait)
    return may_connect.set
