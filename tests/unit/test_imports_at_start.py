"""What a start imports: a server answers the sooner the less that is."""

from __future__ import annotations

import subprocess
import sys

import pytest

SERVER = {"fastapi", "sqlalchemy", "uvicorn"}
NOT_FOR_ALL = {"alembic", "aiohttp", "redis", "sqlalchemy.orm", "ordercast.api.event_schemas"}


@pytest.mark.parametrize(
    ("module", "without"),
    [("ordercast.cli", SERVER | NOT_FOR_ALL | {"jwt", "asyncpg"}), ("ordercast.serving", NOT_FOR_ALL)],
)
def test_what_is_not_needed_is_not_imported(module: str, without: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(sys.modules), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines())
    assert module in imported
    assert imported & without == set()
