"""Nothing is left to be made when the first request comes: everyone would wait for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pydantic
import pytest

from tests.harness import api_at
from tests.inside import ordercast, serving


async def test_the_first_requests_make_no_validators_and_import_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    make = pydantic.TypeAdapter.__init__

    def counted(self: Any, *args: Any, **options: Any) -> None:
        made.append(args)
        make(self, *args, **options)

    monkeypatch.setattr(pydantic.TypeAdapter, "__init__", counted)
    async with serving(ordercast(tmp_path)) as port, api_at(f"http://127.0.0.1:{port}") as api:
        await api.send("GET", "/health/live")  # what this client and uvicorn need
        assert made != [], "they were counted as they were made"
        made.clear()
        before = set(sys.modules)
        assert (await api.get("/api/workflow"))["initial"] == "received"
        assert (await api.get("/api/orders"))["orders"] == []
        assert (await api.send("GET", "/board")).status_code == 200
        assert made == []
        imported = set(sys.modules) - before
        assert [name for name in imported if name.startswith(("fastapi", "starlette", "anyio"))] == []
