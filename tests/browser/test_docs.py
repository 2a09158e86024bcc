"""The documentation's site: it builds without a warning, and is read from its folder alone, by everybody."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from scripts.site.outside import kept
from tests.browser.test_board_axe import ALL, AXE, COLOURS
from tests.harness import ROOT, Json

pytestmark = pytest.mark.asyncio(loop_scope="session")  # as the browser

TYPICAL = ("index", "tutorial/react", "reference/commands", "source/deploy/systemd")
HANDED_OUT = "http://docs.test/"
MUST_BUILD = 300  # s; bounds a failure only. Alone it takes less than 20.


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``make docs`` builds it; a broken link, an anchor that is not there, a page that none lists are warnings."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-q", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*build, "docs", str(folder / "html")], cwd=ROOT, capture_output=True, text=True, timeout=MUST_BUILD
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page that may read files and nothing else."""
    page = await browser.new_page(viewport={"width": 1400, "height": 900})
    elsewhere: list[str] = []
    page.on("request", lambda asked: elsewhere.append(asked.url) if not _is_here(asked.url) else None)
    page.on("pageerror", lambda error: elsewhere.append(str(error)))
    yield page
    assert elsewhere == []


def _is_here(url: str) -> bool:
    return url.startswith(("file:", "data:", HANDED_OUT))


def links(site: Path) -> list[tuple[Path, str]]:
    """Each page's own, in order."""
    link = re.compile(r'\b(?:href|src)="(?![a-z]+:|#)([^"#?]+)')
    pages = sorted(site.rglob("*.html"))
    return [(page.relative_to(site), to) for page in pages for to in link.findall(page.read_text("utf-8"))]


async def test_every_page_is_there(site: Path) -> None:
    pages = [path for path in kept() if path.startswith("docs/") and path.endswith(".md")]
    assert len(pages) > 40
    assert [path for path in pages if not (site / path.removeprefix("docs/")).with_suffix(".html").is_file()] == []


async def test_every_link_of_every_page_leads_to_a_file_of_the_site(site: Path) -> None:
    """Also those of pages that Sphinx does not check: of files outside docs/, and of folders."""
    found = links(site)
    assert len(found) > 1_000
    assert [(str(page), link) for page, link in found if not (site / page).parent.joinpath(link).exists()] == []


async def test_what_is_made_from_the_code(site: Path) -> None:
    for page, says in (
        ("rest", ("PATCH /api/orders/{id}", "expectedVersion", "Idempotency-Key")),
        ("commands", ("ordercast serve", "--cors-origins", "ordercast webhook rotate", "--overlap")),
        ("metrics", ("ordercast_connections", "ordercast_sessions_closed_total")),
        ("errors", ("VersionConflict", "urn:ordercast:version-conflict")),
        ("python", ("change_status", "OrderRepository", "memory_storage", "OrdercastClient", "except_")),
        ("javascript", ("watchOrders", "useChangeStatus", "ordercastSlice")),
    ):
        text = re.sub(r"<[^>]+>", "", (site / "reference" / f"{page}.html").read_text("utf-8"))
        assert [one for one in says if one not in text] == [], page


@pytest.mark.parametrize("name", TYPICAL)
async def test_axe_finds_nothing(site: Path, page: Page, name: str) -> None:
    await page.goto((site / f"{name}.html").as_uri())
    await page.evaluate(AXE.read_text("utf-8"))
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert await found(page, ALL) == []
    await page.emulate_media(color_scheme="dark")
    assert await found(page, COLOURS) == []
    await page.set_viewport_size({"width": 360, "height": 800})
    assert await found(page, ALL) == []


def pages(site: Path) -> list[Path]:
    """Those of the documentation itself."""
    found = [path for path in sorted(site.rglob("*.html")) if "source" not in path.parts]
    assert len(found) > 40
    return found


async def test_nothing_is_too_wide_for_a_telephone(site: Path, page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 800})
    wide = []
    for path in pages(site):
        await page.goto(path.as_uri())
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(str(path.relative_to(site)))
    assert wide == []


async def found(page: Page, what: Json) -> list[tuple[str, list[str]]]:
    """What axe has against it."""
    # The last column of our tables, whose cells are remarks, needs no name.
    rules = {"runOnly": what, "rules": {"empty-table-header": {"enabled": False}}}
    said: Json = await page.evaluate("(rules) => axe.run(document, rules)", rules)
    assert said["passes"]
    return [(one["id"], [node["html"][:150] for node in one["nodes"]][:5]) for one in said["violations"]]


async def test_it_is_searched_with_what_is_in_its_folder(site: Path, page: Page) -> None:
    """As any web server hands it out: the lines that it shows of what it finds are fetched."""

    async def hand_out(route: Route) -> None:
        await route.fulfill(path=site / urlsplit(route.request.url).path.removeprefix("/"))

    await page.route(f"{HANDED_OUT}**", hand_out)
    await page.goto(f"{HANDED_OUT}index.html")
    await page.get_by_placeholder("Search").fill("backup")
    await page.keyboard.press("Enter")
    found = page.locator("#search-results li", has_text="Back up and restore").first
    await expect(found.locator(".context")).to_contain_text("backup")


async def test_from_the_start_page_to_a_file_of_the_repository(site: Path, page: Page) -> None:
    await page.goto((site / "index.html").as_uri())
    await page.get_by_role("main").get_by_role("link", name="From one process to many").click()
    await page.get_by_role("link", name=re.compile("nginx")).first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("deploy/nginx/ordercast.conf")
    await expect(page.get_by_text("upstream ordercast {")).to_be_visible()
