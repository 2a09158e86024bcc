"""What is written down of the server's schemas is the server's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.openapi import written

WRITTEN = written()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: Path(path).name)
def test_what_is_written_down_is_current(path: Path) -> None:
    assert path.read_text("utf-8") == WRITTEN[path], "run: .venv/bin/python -m scripts.openapi"


def test_what_is_written_down() -> None:
    assert {path.name for path in WRITTEN} == {"openapi.json", "asyncapi.json", "events.md", "settings.md"}
