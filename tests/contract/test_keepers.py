"""The contract that ships with the package, held by all who keep orders."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ordercast.orders.kept import Kept, OwnStorage
from ordercast.storage.log import SqlLog
from ordercast.storage.orders import SqlOrders
from ordercast.storage.retention import Retention
from ordercast.testing import MemoryLog, memory_storage
from ordercast.testing.contract import (
    FigureContract,
    NumberContract,
    OrderContract,
    PersonalDataContract,
    ProcessContract,
    RetentionContract,
)
from ordercast.testing.contract.kit import TTL, Clock
from tests.contract.keepers import Ours, Own


class TestKeepers(OrderContract, NumberContract, RetentionContract, FigureContract, PersonalDataContract):
    # The example's own tests have the same of its table in SQLite: tests/integration/test_own_tables_howto.py.
    @pytest.fixture(params=["memory", "sqlite", "postgres", "own postgres"])
    def storage(self, request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> OwnStorage:
        self.clock_of_memory = clock
        if request.param == "memory":
            return memory_storage(idempotency_ttl=TTL)
        return two_of(request, tmp_path)[0]

    async def retain(self, kept: Kept, seconds: float) -> None:
        if isinstance(kept.log, MemoryLog):
            kept.log.remove_before(self.clock_of_memory.time - timedelta(seconds=seconds))
            return
        assert isinstance(kept.orders, SqlOrders)
        assert isinstance(kept.log, SqlLog)
        await Retention(kept.orders._writer, kept.orders._readers, kept.log, seconds).remove_old()


class TestProcesses(ProcessContract):
    @pytest.fixture(params=["sqlite", "postgres", "own sqlite", "own postgres"])
    def both(self, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[OwnStorage, OwnStorage]:
        return two_of(request, tmp_path)

    @pytest.fixture
    def storage(self, both: tuple[OwnStorage, OwnStorage]) -> OwnStorage:
        return both[0]

    @pytest.fixture
    def another(self, both: tuple[OwnStorage, OwnStorage]) -> OwnStorage:
        return both[1]


def two_of(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[OwnStorage, OwnStorage]:
    """One storage, twice."""
    own, _, kind = request.param.rpartition(" ")
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/shop.db"
    else:
        url = request.getfixturevalue("empty_postgres_url" if own else "postgres_url")
    return (Own(url), Own(url)) if own else (Ours(url), Ours(url))
