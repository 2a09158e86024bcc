"""All keepers of the ports of `ordercast.orders.ports`, one after the other, with a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.orders.ports import EventLog, Figures, OrderRepository, Revocations, Targets, Watches
from ordercast.storage.database import open_storage
from ordercast.testing import memory_storage
from tests.contract.support import TTL, Clock, Ports, retention, stop_clocks


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def keeper(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; none for what is in memory."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/orders.db" if request.param == "sqlite" else ""


@pytest.fixture
async def ports(keeper: str, clock: Clock) -> AsyncIterator[Ports]:
    if not keeper:
        memory = memory_storage(idempotency_ttl=TTL, recovery_ttl=TTL)

        async def forget(seconds: float) -> None:
            memory.log.remove_before(clock.time - timedelta(seconds=seconds))

        keepers = (memory.orders, memory.log, memory.watches, memory.revocations, memory.figures, memory.targets)
        yield Ports(*keepers, memory.personal, memory.requests, forget)
    else:
        settings = Settings(database_url=keeper, idempotency_ttl=TTL, recovery_ttl=TTL)
        async with open_storage(settings) as storage:

            async def remove(seconds: float) -> None:
                await retention(storage, seconds).remove_old()

            yield Ports(
                storage.orders,
                storage.log,
                storage.watches,
                storage.revocations,
                storage.figures,
                storage.targets,
                storage.personal,
                storage.requests,
                remove,
            )


@pytest.fixture
def orders(ports: Ports) -> OrderRepository:
    return ports.orders


@pytest.fixture
def log(ports: Ports) -> EventLog:
    return ports.log


@pytest.fixture
def watches(ports: Ports) -> Watches:
    return ports.watches


@pytest.fixture
def revocations(ports: Ports) -> Revocations:
    return ports.revocations


@pytest.fixture
def figures(ports: Ports) -> Figures:
    return ports.figures


@pytest.fixture
def targets(ports: Ports) -> Targets:
    return ports.targets
