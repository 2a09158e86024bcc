"""Prints what each built page makes a browser fetch, and what an app gets with each package, compressed:
``.venv/bin/python -m scripts.sizes``."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
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


def package_sizes() -> dict[str, int]:
    """Bytes that an app gets with each of the built JavaScript packages, and with the Socket.IO client alone."""
    command = ["node", str(Path(__file__).with_suffix(".mjs"))]
    said = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - a script of ours
    sizes: dict[str, int] = json.loads(said.stdout)
    return sizes


if __name__ == "__main__":
    for page in PAGES:
        parts = ", ".join(f"{kind} {size / 1000:.1f} kB" for kind, size in sorted(sizes(page).items()))
        sys.stdout.write(f"/{page}: {parts} (gzip)\n")
    for name, size in package_sizes().items():
        sys.stdout.write(f"{name}: {size / 1000:.1f} kB (minified, gzip)\n")
