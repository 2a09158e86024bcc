"""Nothing is left to be made when the first request comes: everyone would wait for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pydantic
import pytest

from tests.harness import Api, api_at
from tests.inside import ordercast, serving


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Validators, as they are made."""
    made: list[object] = []
    make = pydantic.TypeAdapter.__init__

    def counted(self: Any, *args: Any, **options: Any) -> None:
        made.append(args)
        make(self, *args, **options)

    monkeypatch.setattr(pydantic.TypeAdapter, "__init__", counted)
    return made


async def asked(api: Api) -> None:
    """What a board asks for."""
    assert (await api.get("/api/workflow"))["initial"] == "received"
    assert (await api.get("/api/orders"))["orders"] == []
    assert (await api.send("GET", "/board")).status_code == 200


async def test_the_first_requests_make_no_validators_and_import_nothing(tmp_path: Path, made: list[object]) -> None:
    async with serving(ordercast(tmp_path)) as port, api_at(f"http://127.0.0.1:{port}") as api:
        await api.send("GET", "/socket.io/")  # what the client and uvicorn need, past all routes
        assert made != [], "they are counted"
        made.clear()
        before = set(sys.modules)
        await asked(api)
        assert made == []
        imported = set(sys.modules) - before
        assert [name for name in imported if name.startswith(("fastapi", "starlette", "anyio"))] == []


async def test_nor_do_those_after_a_reload(tmp_path: Path, made: list[object]) -> None:
    app = ordercast(tmp_path)
    async with serving(app) as port, api_at(f"http://127.0.0.1:{port}") as api:
        await asked(api)
        made.clear()
        await app.reload(lambda: app.settings.model_copy(update={"max_body": 12_345}))
        assert made != [], "all routes are new"
        made.clear()
        await asked(api)
        assert made == []
