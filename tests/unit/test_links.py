"""Links of the pages outside docs/ lead to files, and to headings that are there; the others are the site's to check
(tests/browser/test_docs.py)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.code_blocks import pages
from tests.harness import ROOT

_FENCE = re.compile(r"^```.*?^```", re.M | re.S)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.M)

PAGES = [page for page in pages() if not page.startswith("docs/")]


def anchors(page: Path) -> set[str]:
    """What its headings are called in links, as GitHub calls them."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue  # elsewhere, which no test can ask
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{name}: {link}"


def test_there_are_pages_to_look_at() -> None:
    assert {"README.md", "examples/README.md"} < set(PAGES)
