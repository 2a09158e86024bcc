"""Builds the pages into the package: a hatchling hook, and a program of its own (``python hatch_build.py``).

``npm ci`` and the build run only where the inputs have changed since, so that an editable install or a second
``make`` costs nothing. An sdist brings the pages along; building from it needs no Node.js.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run as a program, before anything is installed
    BuildHookInterface = object  # type: ignore[assignment,misc]

OLDEST_NODE = (20, 19)
_STAMP = ".built-from"
_MADE = {"node_modules", "dist", "generated", ".vitest"}  # folders of web/ that the build and the tests make
_HERE = Path(__file__).resolve().parent


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_pages(Path(self.root))


def build_pages(root: Path = _HERE) -> None:
    """Makes ``src/ordercast/web`` from ``web``. Exits with one sentence where Node.js is missing or too old."""
    web, out = root / "web", root / "src" / "ordercast" / "web"
    stamp = out / _STAMP
    fingerprint = _fingerprint(web)
    if stamp.is_file() and stamp.read_text() == fingerprint:
        return
    npm = _npm()
    print("Building the pages (npm ci, then the build) …", file=sys.stderr, flush=True)
    _run([npm, "ci", "--no-audit", "--no-fund"], web)
    _run([npm, "run", "build", "--silent", "--", str(out)], web)
    stamp.write_text(fingerprint)


def _fingerprint(web: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(web.rglob("*")):
        if path.is_file() and _MADE.isdisjoint(path.relative_to(web).parts):
            digest.update(str(path.relative_to(web)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _npm() -> str:
    node, npm = shutil.which("node"), shutil.which("npm")
    oldest = ".".join(map(str, OLDEST_NODE))
    if node is None or npm is None:
        sys.exit(f"Building Ordercast's pages needs Node.js {oldest} or newer with npm; install both and try again.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    match = re.match(r"v(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < OLDEST_NODE:
        sys.exit(f"Building Ordercast's pages needs Node.js {oldest} or newer; this one is {version}.")
    return npm


def _run(command: list[str], where: Path) -> None:
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"'{' '.join(command)}' failed in {where}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    build_pages()
