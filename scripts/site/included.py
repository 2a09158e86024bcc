"""Pages that stand elsewhere in the repository, on the site: `<!-- site: page CHANGELOG.md -->` takes one without its
title, `<!-- site: part web/packages/client/README.md -->` with it, one level down. Links go on leading where they did.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

MARK = re.compile(r"^<!-- site: (page|part) (\S+) -->$", re.M)
_FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)
_LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+)")


@cache
def homes() -> dict[str, str]:
    """Where on the site each such file is: the page's name by the file's path in the repository."""
    return {
        path: page.relative_to(DOCS).with_suffix("").as_posix()
        for page in sorted(DOCS.rglob("*.md"))
        for _, path in MARK.findall(page.read_text("utf-8"))
    }


def taken(kind: str, path: str, page: str) -> str:
    """The file's text for that page of `docs/`."""
    text = (ROOT / path).read_text("utf-8")
    here = PurePosixPath("docs", page).parent

    def link(found: re.Match[str]) -> str:
        return found[1] + os.path.relpath(PurePosixPath(path).parent / found[2], here)

    def moved(prose: str) -> str:
        prose = _LINK.sub(link, prose)
        return re.sub(r"^# .*\n", "", prose, flags=re.M) if kind == "page" else re.sub(r"^#", "##", prose, flags=re.M)

    # Every second part is a block of code.
    return "".join(part if number % 2 else moved(part) for number, part in enumerate(_FENCE.split(text)))
