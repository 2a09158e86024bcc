"""All who keep orders: memory, each database of ours, and a shop's own table in each database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast.config import Settings
from ordercast.orders.kept import Kept
from ordercast.orders.workflow import load_workflow
from ordercast.storage.database import open_storage
from ordercast.storage.housekeeping import LOOK_EVERY, TIDY_EVERY
from ordercast.storage.own import Field, OwnTable, scaled, words

WORDS = {status: status.upper()[::-1] for status in load_workflow().statuses}


@dataclass(frozen=True)
class Ours:
    """A database of Ordercast's own."""

    url: str

    @asynccontextmanager
    async def opened(self, settings: Settings) -> AsyncIterator[Kept]:
        async with open_storage(
            settings.model_copy(update={"database_url": Settings(database_url=self.url).database_url})
        ) as storage:
            yield Kept(
                storage.orders, storage.log, storage.figures, storage.personal, storage.log.catch_up, storage.told
            )


def table() -> Table:
    """A shop's table: other names, other types, its own words, and a column of which nobody knows."""
    return Table(
        "orders",
        MetaData(),
        Column("nr", String(64), primary_key=True),
        Column("buyer", Text, nullable=False),
        Column("state", String(20), nullable=False),
        Column("placed_at", DateTime(timezone=True), nullable=False, index=True),
        Column("lines", JSON),
        Column("cents", BigInteger),
        Column("points", Integer, nullable=False, server_default="0"),
    )


def own_table(url: str, orders: Table) -> OwnTable:
    """It, as Ordercast takes it."""
    engine = create_async_engine(Settings(database_url=url).database_url)
    number = select(literal("n") + func.cast(func.count() + 1, String)).select_from(orders)
    keeps: dict[str, Column[Any] | Field] = {
        "order_id": orders.c.nr,
        "customer_id": orders.c.buyer,
        "status": words(orders.c.state, WORDS),
        "created_at": orders.c.placed_at,
        "items": orders.c.lines,
        "total": scaled(orders.c.cents),
    }
    return OwnTable(engine, orders, keeps, next_id=number)


@dataclass(frozen=True)
class Own:
    """A shop's own table, made where it is not there."""

    url: str
    look_every: float = LOOK_EVERY

    @asynccontextmanager
    async def opened(self, settings: Settings) -> AsyncIterator[Kept]:
        orders = table()
        shop = own_table(self.url, orders)
        try:
            async with shop.engine.begin() as connection:
                await connection.run_sync(orders.metadata.create_all)
            async with shop.opened(settings, self.look_every, TIDY_EVERY) as kept:
                yield kept
        finally:
            await shop.engine.dispose()
