"""Remakes the pictures of the README and the manuals from a running demo: ``.venv/bin/python scripts/pictures.py``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"

CUSTOMER: tuple[tuple[str, int, int, Literal["light", "dark"]], ...] = (
    ("customer", 420, 560, "light"),
    ("customer-dark", 420, 560, "dark"),
    ("customer-wide", 1000, 640, "light"),
    ("customer-wide-dark", 1000, 640, "dark"),
)
"""The customer's page: name, width and height in CSS pixels, colours."""

BOARD: tuple[tuple[str, int, int, Literal["light", "dark"], str], ...] = (
    ("operator", 1280, 720, "light", ""),
    ("operator-dark", 1280, 720, "dark", ""),
    ("operator-wall", 1920, 1080, "dark", "?wall"),
    ("operator-phone", 390, 844, "light", ""),
    ("operator-phone-dark", 390, 844, "dark", ""),
    ("operator-details", 1280, 720, "light", ""),
)
"""The operators' board: name, width and height in CSS pixels, colours, the URL's query."""


def main() -> None:
    """Starts the demo, lets it run for a while, and takes both pages."""
    with subprocess.Popen(
        [sys.executable, "-m", "ordercast", "demo", "--port", "0", "--speed", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as demo:
        try:
            _take(_links(demo))
        finally:
            demo.terminate()


def _links(demo: subprocess.Popen[str]) -> dict[str, str]:
    """The operator's and the customer's page, as the demo says."""
    links: dict[str, str] = {}
    assert demo.stdout is not None
    for line in demo.stdout:
        if match := re.match(r"\s*(operator|customer)\s+(http\S+)", line):
            links[match[1]] = match[2]
        if len(links) == 2:
            break
    return links


def _take(links: dict[str, str]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=False)
        _customer(browser, links["customer"])
        _board(browser, links["operator"])
        browser.close()


def _board(browser: Browser, link: str) -> None:
    """Takes all of them at one moment, once there is something in each column."""
    pages = []
    for name, width, height, colours, query in BOARD:
        page = browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=1.5,
            color_scheme=colours,
            reduced_motion="reduce",
            locale="en-GB",
        )
        page.goto(link.replace("/board#", f"/board{query}#"))
        pages.append((name, page))
    first = pages[0][1]
    first.wait_for_function(
        "() => [...document.querySelectorAll('.column[data-drop]:not([data-quiet])')]"
        ".every((column) => column.querySelector('.card') !== null)",
        timeout=60_000,
    )
    for name, page in pages:
        page.bring_to_front()  # a page behind others is not laid out
        page.evaluate(_SETTLED)
        if name == "operator-details":
            page.locator(".column:not([data-quiet]) .card .number").nth(1).click()
            page.locator(".details .facts").wait_for()
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
        page.close()


_SETTLED = """async () => {
  for (let frame = 0; frame < 10; frame += 1) await new Promise((done) => requestAnimationFrame(done));
}"""
"""Some frames: cards are measured in one and placed in the next."""


def _customer(browser: Browser, link: str) -> None:
    """Takes all of them at one moment: the order on its way, nothing passing by."""
    pages = []
    for name, width, height, colours in CUSTOMER:
        page = browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=1.5,
            color_scheme=colours,
            reduced_motion="reduce",
            locale="en-GB",
        )
        page.goto(link)
        pages.append((name, page))
    for _, page in pages:
        page.locator("#order[data-status=out_for_delivery]").wait_for(timeout=180_000)
    for name, page in pages:
        page.evaluate("document.querySelector('#toast').remove()")
        page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")
        page.close()


if __name__ == "__main__":
    main()
