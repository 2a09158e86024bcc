"""Remakes the pictures of the README from a running demo: ``.venv/bin/python scripts/pictures.py``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"


def main() -> None:
    """Starts the demo, lets it run for a while, and takes both pages."""
    with subprocess.Popen(
        [sys.executable, "-m", "ordercast", "demo", "--port", "0", "--speed", "3"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as demo:
        links: dict[str, str] = {}
        assert demo.stdout is not None
        for line in demo.stdout:
            if match := re.match(r"\s*(operator|customer)\s+(http\S+)", line):
                links[match[1]] = match[2]
            if len(links) == 2:
                break
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), chromium_sandbox=False)
            for name, width in (("operator", 900), ("customer", 420)):
                page = browser.new_page(viewport={"width": width, "height": 560}, device_scale_factor=1.5)
                page.goto(links[name])
                page.wait_for_timeout(5_000)
                page.screenshot(path=IMAGES / f"{name}.png")
            browser.close()
        demo.terminate()


if __name__ == "__main__":
    main()
