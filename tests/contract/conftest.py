"""Both keepers of the ports of `ordercast.orders.ports`, one after the other, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.storage.database import open_storage
from ordercast.testing import memory_storage
from tests.contract.support import TTL, Clock, Ports


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("ordercast.testing.orders", "ordercast.storage.orders"):
        monkeypatch.setattr(f"{module}.now", clock)
    return clock


@pytest.fixture(params=["memory", "sqlite"])
async def ports(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[Ports]:
    if request.param == "memory":
        memory = memory_storage(idempotency_ttl=TTL)
        yield Ports(memory.orders, memory.log)
    else:
        settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db", idempotency_ttl=TTL)
        async with open_storage(settings) as storage:
            yield Ports(storage.orders, storage.log)


@pytest.fixture
def orders(ports: Ports) -> OrderRepository:
    return ports.orders


@pytest.fixture
def log(ports: Ports) -> EventLog:
    return ports.log
