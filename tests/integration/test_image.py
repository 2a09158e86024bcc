"""What the image runs, without a container: its health check. `test_wheel.py` builds from the files that it copies."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
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
