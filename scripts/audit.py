"""Asks the advisory services whether what Ordercast ships with has known holes.

Exits with 1 where something has. Where a service cannot be asked, or does not know a package, that is said and nothing
is claimed: a check that fails without a network is one that people learn to skip.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TIMEOUT = 120.0
"""s for each service: a network that swallows what is sent is no reason to wait for ever."""

_PIP_AUDIT = (
    *(sys.executable, "-m", "pip_audit", "--requirement", "requirements/runtime.lock", "--require-hashes"),
    *("--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"),
)
_NPM_AUDIT = ("npm", "audit", "--json", "--omit", "dev", "--fetch-retries", "0", "--fetch-timeout", "10000")


@dataclass(frozen=True, slots=True)
class Report:
    """What a service said: a sentence for each hole, what it did not look at, and how many it did."""

    holes: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)
    asked: int = 0


def read_pip_audit(said: Any) -> Report:
    """Of the document of ``pip-audit --format json``. Raises ``LookupError``, ``TypeError`` for any other."""
    holes, unasked, asked = [], [], 0
    for package in said["dependencies"]:
        if "skip_reason" in package:
            unasked.append(package["name"])
            continue
        asked += 1
        for hole in package["vulns"]:
            fixed = ", ".join(hole["fix_versions"]) or "no version yet"
            holes.append(f"{package['name']} {package['version']}: {hole['id']}, mended in {fixed}")
    return Report(holes, unasked, asked)


def read_npm_audit(said: Any) -> Report:
    """Of the document of ``npm audit --json``. Raises as `read_pip_audit`, also for one that tells of an error."""
    holes = []
    for name, found in said["vulnerabilities"].items():
        why = ", ".join(via if isinstance(via, str) else via["title"] for via in found["via"])
        holes.append(f"{name} {found['range']}: {why} ({found['severity']})")
    return Report(holes, asked=said["metadata"]["dependencies"]["prod"])


def ask(command: Sequence[str], folder: Path, read: Callable[[Any], Report]) -> Report | str:
    """Runs an auditor; why it could not be asked, where it could not."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False)  # noqa: S603 - commands of ours
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT:g} s"
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    try:
        return read(json.loads(done.stdout))
    except (ValueError, LookupError, TypeError, AttributeError):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return lines[-1 if command is _PIP_AUDIT else 0].strip() if lines else f"it ended with {done.returncode}"


def summary(name: str, report: Report | str) -> list[str]:
    """What to print of it."""
    if isinstance(report, str):
        return [f"NOT CHECKED  {name}: the advisory service could not be asked ({report})"]
    lines = [f"HOLE         {hole}" for hole in report.holes]
    if report.unasked:
        shown = ", ".join(report.unasked[:3]) + (" …" if len(report.unasked) > 3 else "")
        lines.append(f"NOT CHECKED  {name}: the service could not tell of {len(report.unasked)} packages ({shown})")
    if report.asked:
        lines.append(f"checked      {name}: {report.asked} packages, {len(report.holes)} known holes")
    return lines


def main() -> int:
    """Asks both; the exit status."""
    asked = {
        "Python": ask(_PIP_AUDIT, ROOT, read_pip_audit),
        "JavaScript": ask(_NPM_AUDIT, ROOT / "web", read_npm_audit),
    }
    for name, report in asked.items():
        sys.stdout.write("\n".join(summary(name, report)) + "\n")
    return int(any(isinstance(report, Report) and report.holes for report in asked.values()))


if __name__ == "__main__":
    sys.exit(main())
