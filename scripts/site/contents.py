"""What stands where in the navigation: as the start page lists it, so that there is one list."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scripts.site.included import DOCS

_SECTION = re.compile(r"^## (.+)$", re.M)
_ITEM = re.compile(r"^- \[[^\]]+\]\(([^)#\s]+)\.md\)", re.M)
_FOLDER = re.compile(r"^<!-- and: (\S+)/\* -->$", re.M)


def trees(page: str) -> str:
    """A hidden tree for each section of the page that lists pages."""
    _, *parts = _SECTION.split(page)
    sections = zip(parts[::2], parts[1::2], strict=True)
    return "\n".join(_tree(names, title) for title, text in sections if (names := _names(text)))


def _names(section: str) -> list[str]:
    """The pages that a section lists, then what else is in a folder that it names (`<!-- and: folder/* -->`)."""
    names = _ITEM.findall(section)
    for folder in _FOLDER.findall(section):
        there = sorted(f"{folder}/{path.stem}" for path in (DOCS / folder).glob("*.md"))
        names += [name for name in there if name not in names]
    return names


def folder(pattern: str) -> str:
    """A list of a folder's pages, by their titles."""
    return "\n".join(_directive(":glob:", ":titlesonly:", "", pattern))


def _tree(names: Iterable[str], title: str) -> str:
    return "\n".join(_directive(":hidden:", f":caption: {title}", "", *names))


def _directive(*lines: str) -> Iterator[str]:
    yield "```{toctree}"
    yield from lines
    yield "```\n"
