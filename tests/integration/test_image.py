"""What the image runs, without a container: its health check, and its build from the files that it copies."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.harness import ROOT, ServerProcess

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()


def health_check(port: int) -> int:
    """The exit code of the image's own command."""
    found = re.search(r"^HEALTHCHECK .* CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    command = [sys.executable, *json.loads(found[1])[1:]]
    environment = {**os.environ, "ORDERCAST_PORT": str(port)}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def test_health_check(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        port = server.port
        assert health_check(port) == 0
    assert health_check(port) == 1


def test_what_is_copied_is_enough_to_build(tmp_path: Path) -> None:
    """The wheel, pages included, from the files that the Dockerfile copies and git has."""
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        listed = subprocess.run(["git", "ls-files", *sources], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in listed.stdout.splitlines():
            (tmp_path / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / "src" / name)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path,
         tmp_path / "src"],
        check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"ordercast/web/board.html", "ordercast/web/track.html", "ordercast/web/socket.io/socket.io.js"} <= set(
        names
    )
