"""How much an import stores at once: much where nobody waits for it, little beside a server, and never much memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import Problem
from ordercast.importing import run
from ordercast.importing.run import Import
from ordercast.orders.models import NewOrder, Written
from ordercast.orders.principal import Principal
from ordercast.orders.service import OrderService
from ordercast.storage import file_lock

SIZE = 600


async def commits(settings: Settings, lines: Sequence[bytes], monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many orders were stored together, one commit after the other."""
    sizes: list[int] = []
    put_all = OrderService.put_all

    async def counted(
        orders: OrderService, told: Iterable[tuple[NewOrder, Mapping[str, Any]]], by: Principal
    ) -> Sequence[Written | Problem]:
        told = [*told]
        sizes.append(len(told))
        return await put_all(orders, told, by)

    monkeypatch.setattr(OrderService, "put_all", counted)
    tally = await Import(settings, io.BytesIO(b"\n".join(lines)), None, print, lambda tally: None).run()
    assert (tally.created, tally.refused) == (len(lines), 0)
    return sizes


def order(n: int, note: str = "") -> bytes:
    return json.dumps({"orderId": n, "customerId": 42, "items": [note]}).encode()


@pytest.mark.parametrize(("beside", "wanted"), [(False, [SIZE]), (True, [256, 256, 88])])
async def test_beside_a_server_from_the_first_on(
    beside: bool, wanted: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db")
    with file_lock.held(tmp_path / "orders.db") if beside else nullcontext():
        assert await commits(settings, [order(n) for n in range(SIZE)], monkeypatch) == wanted


async def test_long_lines_make_small_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_BYTES", 10_000)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db")
    lines = [order(n, "x" * (4_000 if n < 6 else 1)) for n in range(20)]
    assert await commits(settings, lines, monkeypatch) == [3, 3, 14]
