"""The shop's own test that its table keeps what Ordercast promises for it.

pip install pytest pytest-asyncio
python -m pytest examples/own_tables
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from shop_table import metadata, own_table
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast import Settings
from ordercast.orders.kept import Kept
from ordercast.testing.contract import FigureContract, OrderContract, ProcessContract


class Empty:
    """The shop's table in a database of its own, with nothing in it at first."""

    def __init__(self, url: str) -> None:
        self.url = url

    @asynccontextmanager
    async def opened(self, settings: Settings) -> AsyncIterator[Kept]:
        engine = create_async_engine(self.url)
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        async with own_table(engine).opened(settings) as kept:
            yield kept
        await engine.dispose()


class TestOurTable(OrderContract, FigureContract, ProcessContract):
    """Numbers for orders and customers, and a price for each order: the rest is as Ordercast has it."""

    def order_id(self, n: int) -> str:
        return str(n + 1)

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Empty:
        return Empty(f"sqlite+aiosqlite:///{tmp_path}/shop.db")

    @pytest.fixture
    def another(self, storage: Empty) -> Empty:
        return Empty(storage.url)
