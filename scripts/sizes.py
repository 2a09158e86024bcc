"""Prints what each built page makes a browser fetch, compressed: ``.venv/bin/python -m scripts.sizes``."""

from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

WEB = Path(__file__).parent.parent / "src" / "ordercast" / "web"
PAGES = ("board", "track")

# What a page names, and what a module imports before it runs.
_NAMED = re.compile(r"""(?:(?:src|href)=|\bfrom ?|\bimport ?)["']\./((?:assets/)?[\w.-]+\.(js|css))["']""")


def gzipped(data: bytes) -> int:
    """Bytes after gzip."""
    return len(gzip.compress(data, 9))


def sizes(page: str, size: Callable[[bytes], int] = gzipped) -> Counter[str]:
    """Bytes by kind: ``js`` and ``css``."""
    found: Counter[str] = Counter()
    seen: set[Path] = set()
    waiting = [WEB / f"{page}.html"]
    while waiting:
        text = (path := waiting.pop()).read_text("utf-8")
        for name, kind in _NAMED.findall(text):
            asset = path.parent / name
            if asset not in seen:
                seen.add(asset)
                found[kind] += size(asset.read_bytes())
                waiting += [asset] if kind == "js" else []
    return found


if __name__ == "__main__":
    for page in PAGES:
        parts = ", ".join(f"{kind} {size / 1000:.1f} kB" for kind, size in sorted(sizes(page).items()))
        sys.stdout.write(f"/{page}: {parts} (gzip)\n")
