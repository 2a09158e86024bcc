"""A shop's own table as shops have them: odd columns and rows, engines, and databases that fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    delete,
    insert,
    select,
    text,
)
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast.config import Settings
from ordercast.errors import Invalid, OrderExists, SettingsError, StorageError, StorageInDoubt
from ordercast.orders.kept import Kept
from ordercast.orders.models import NewOrder, OrderQuery
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage.own import OwnTable
from ordercast.storage.own_orders import OwnOrders
from ordercast.storage.own_writer import OwnWriter
from ordercast.testing.recovery import MemoryRevocations
from tests.contract.support import create, whole

SHOP = Principal("shop", Role.SERVICE)


class Odd:
    """A table whose columns are to be changed, and its engine."""

    def __init__(self, url: str, engine: dict[str, Any] | None = None, **columns: Column[Any]) -> None:
        usual: dict[str, Column[Any]] = {
            "order_id": Column("nr", Integer, primary_key=True),
            "customer_id": Column("customer", String(64)),
            "status": Column("state", String(20)),
            "created_at": Column("placed", DateTime),
        }
        keeps = usual | columns
        self.table = Table("orders", MetaData(), *keeps.values())
        self.engine = create_async_engine(url, **(engine or {}))
        self.own = OwnTable(self.engine, self.table, keeps)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[tuple[Kept, OrderService]]:
        try:
            async with self.engine.begin() as connection:
                await connection.run_sync(self.table.metadata.create_all)
            async with self.own.opened(Settings(), 1e6, 1e6) as kept:
                yield kept, OrderService(kept.orders, load_workflow())
        finally:
            await self.engine.dispose()

    async def do(self, *statements: Any) -> None:
        async with self.engine.begin() as connection:
            for statement in statements:
                await connection.execute(statement)

    async def beside(self) -> list[Any]:
        async with self.engine.connect() as connection:
            return [row[0] for row in await connection.execute(text("SELECT order_id FROM ordercast_orders"))]


def writer(kept: Kept) -> OwnWriter:
    assert isinstance(kept.orders, OwnOrders)
    assert isinstance(kept.orders._writer, OwnWriter)
    return kept.orders._writer


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/shop.db"


@pytest.fixture
def postgres(empty_postgres_url: str) -> str:
    return Settings(database_url=empty_postgres_url).database_url


async def pages(kept: Kept) -> list[str]:
    """All orders, one a page."""
    query, found = OrderQuery(limit=1), []
    for _ in range(10):
        page = await kept.orders.find(query)
        found += [order.order_id for order in page.orders]
        if page.next is None:
            return found
        query = replace(query, after=page.next)
    raise AssertionError(f"no end: {found}")


# -- what is committed --------------------------------------------------------------------------------------


async def test_what_is_committed_is_not_told_to_have_failed(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Odd(url)
    async with odd.open() as (kept, _):
        told: list[int] = []
        kept.told.append(lambda: told.append(1))

        async def away() -> NoReturn:
            raise StorageError("away")

        monkeypatch.setattr(kept.log, "catch_up", away)
        async with odd.own.begin() as connection:
            await create(odd.own.on(connection), "1")
            assert told == []
        assert told == [1]
        assert await kept.orders.get("1") is not None


async def test_a_block_that_fails_closes_the_table(url: str) -> None:
    odd = Odd(url)

    async def fail() -> None:
        async with odd.open():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await odd.own.committed()
    async with odd.engine.connect() as connection:
        with pytest.raises(RuntimeError, match="not open"):
            odd.own.on(connection)
    await odd.engine.dispose()


async def test_a_time_limit_within_the_commit(postgres: str) -> None:
    """Whether it took place is not known."""
    odd = Odd(postgres, {"connect_args": {"command_timeout": 2}}, created_at=Column("placed", DateTime(timezone=True)))
    async with odd.open() as (kept, _):
        await odd.do(
            text(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'"
            ),
            text(
                "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION slow()"
            ),
        )
        with pytest.raises(StorageInDoubt):
            await create(kept.orders, "1")


# -- engines ------------------------------------------------------------------------------------------------


def test_one_connection_for_all() -> None:
    with pytest.raises(SettingsError, match="a connection for each transaction"):
        Odd("sqlite+aiosqlite://")


async def test_an_engine_without_transactions(url: str) -> None:
    with pytest.raises(SettingsError, match="AUTOCOMMIT"):
        await Odd(url, {"isolation_level": "AUTOCOMMIT"}).open().__aenter__()


# -- columns ------------------------------------------------------------------------------------------------


async def test_customers_whose_ids_the_column_takes_for_one(url: str) -> None:
    odd = Odd(url, customer_id=Column("customer", String(64, collation="NOCASE")))
    async with odd.open() as (kept, service):
        await service.create(NewOrder(order_id="1", customer_id="Bob", note="mine"), SHOP)
        for n in range(2, 4):
            await service.create(NewOrder(order_id=str(n), customer_id="bob", note="gate"), SHOP)
        for name, ids in (("Bob", ["1"]), ("bob", ["3", "2"])):
            page = await service.find(OrderQuery(), Principal(name, Role.CUSTOMER))
            assert [order.order_id for order in page.orders] == ids
        assert [
            order.order_id for order in (await kept.orders.find(OrderQuery(customer_id="Bob", limit=1))).orders
        ] == ["1"]
        async with asyncio.timeout(60):
            await Privacy(kept.orders, kept.personal, MemoryRevocations()).anonymise("Bob", SHOP)
        orders = [await kept.orders.get(str(n)) for n in range(1, 4)]
        assert [order.note for order in orders if order] == [None, "gate", "gate"]


async def test_an_amount_in_a_numeric_column(url: str) -> None:
    odd = Odd(url, total=Column("total", Numeric(10, 2)))
    async with odd.open() as (kept, service):
        await service.create(NewOrder(order_id="1", customer_id="42", total=12.35), SHOP)
        order = await kept.orders.get("1")
        assert order is not None
        assert (order.total, type(order.total)) == (12.35, float)
        with pytest.raises(Invalid, match="total: must have at most 2 digits"):
            await service.create(NewOrder(order_id="2", customer_id="42", total=12.345), SHOP)
        async with odd.engine.connect() as connection:
            assert (await connection.execute(select(odd.table.c.total))).scalar_one() == Decimal("12.35")


async def test_ids_that_are_uuids(url: str) -> None:
    odd = Odd(url, order_id=Column("nr", Uuid, primary_key=True))
    async with odd.open() as (kept, service):
        ids = [str(uuid4()) for _ in range(3)]
        for id in ids:
            await service.create(NewOrder(order_id=id, customer_id="42"), SHOP)
        assert sorted(await pages(kept)) == sorted(ids)
        with pytest.raises(Invalid, match="must be a UUID"):
            await service.create(NewOrder(order_id="7", customer_id="42"), SHOP)
        assert [event.order_id for event in await kept.orders.history(ids[0])] == [ids[0]]


async def test_times_without_a_fraction(url: str) -> None:
    odd = Odd(url)
    async with odd.open() as (kept, _):
        await odd.do(
            *(text(f"INSERT INTO orders VALUES ({n}, '42', 'received', '2026-01-01 12:00:00')") for n in range(3))
        )
        assert await pages(kept) == ["2", "1", "0"]


async def test_too_long_a_value(postgres: str) -> None:
    time = Column("placed", DateTime(timezone=True))
    odd = Odd(postgres, created_at=time, reference=Column("ref", String(4)))
    async with odd.open() as (_, service):
        with pytest.raises(Invalid, match="does not fit"):
            await service.create(NewOrder(order_id="1", customer_id="42", reference="12345"), SHOP)
        one = {"status": None, "updated_by": None, "reason": None}
        orders = [(NewOrder(order_id=str(n), customer_id="42", reference="1" * n), one) for n in (4, 5)]
        kept, refused = await service.put_all(orders, SHOP)
        assert not isinstance(kept, Invalid)
        assert isinstance(refused, Invalid)


# -- rows ---------------------------------------------------------------------------------------------------


async def test_what_was_beside_a_row_that_the_shop_has_removed(url: str) -> None:
    odd = Odd(url)
    async with odd.open() as (kept, service):
        for id in ("7", "8"):
            await service.create(NewOrder(order_id=id, customer_id="42", note="gate code"), SHOP)
        await odd.do(delete(odd.table).where(odd.table.c.nr == 7))
        await writer(kept).forget()
        assert await odd.beside() == [7, 8]  # whose events are kept
        await odd.do(text("DELETE FROM ordercast_order_events"))
        await writer(kept).forget()
        assert await odd.beside() == [8]
        await odd.do(
            insert(odd.table).values(nr=7, customer="99", state="received", placed=text("'2026-01-01 12:00:00'"))
        )
        order = await kept.orders.get("7")
        assert order is not None
        assert (order.customer_id, order.note, order.version) == ("99", None, 1)


async def test_one_that_breaks_a_constraint_stops_no_other(url: str) -> None:
    odd = Odd(url, reference=Column("ref", String(9), CheckConstraint("ref <> 'bad'"), unique=True))
    async with odd.open() as (kept, service):
        one: Any = {"status": None, "updated_by": None, "reason": None}
        references = ["a", "bad", "c", "a"]
        orders = [(NewOrder(order_id=str(n), customer_id="42", reference=r), one) for n, r in enumerate(references, 1)]
        outcomes = await service.put_all(orders, SHOP)
        assert [isinstance(outcome, Invalid) for outcome in outcomes] == [False, True, False, True]
        assert await pages(kept) == ["3", "1"]
        await whole(kept.orders, kept.log, 2)


async def test_constraints_within_the_shops_own_transaction(url: str) -> None:
    odd = Odd(url, reference=Column("ref", String(9), CheckConstraint("ref <> 'bad'"), unique=True))
    async with odd.open() as (kept, service):
        async with odd.own.begin() as connection:
            orders = service.over(odd.own.on(connection))
            for n, reference in enumerate(("a", "bad", "a", "c"), 1):
                new = NewOrder(order_id=str(n), customer_id="42", reference=reference)
                if n in (2, 3):
                    with pytest.raises(Invalid, match="constraints"):
                        await orders.create(new, SHOP)
                else:
                    await orders.create(new, SHOP)
        assert await pages(kept) == ["4", "1"]
        await whole(kept.orders, kept.log, 2)


async def test_the_same_new_id_in_two_transactions_of_the_shops(postgres: str) -> None:
    odd = Odd(postgres, created_at=Column("placed", DateTime(timezone=True)))
    async with odd.open() as (kept, service):

        async def other() -> None:
            async with odd.own.begin() as connection:
                await service.over(odd.own.on(connection)).create(NewOrder(order_id="1", customer_id="43"), SHOP)

        async with odd.own.begin() as connection:
            await service.over(odd.own.on(connection)).create(NewOrder(order_id="1", customer_id="42"), SHOP)
            later = asyncio.create_task(other())
            some = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            async with asyncio.timeout(60), odd.engine.connect() as looking:
                while not (await looking.execute(some)).scalar_one():
                    await looking.rollback()
                    await asyncio.sleep(0.01)
        with pytest.raises(OrderExists):
            await later
        await whole(kept.orders, kept.log, 1)


async def test_odd_rows_stop_no_other(url: str) -> None:
    odd = Odd(url, fulfilment=Column("kind", String(9)))
    async with odd.open() as (kept, service):
        rows = "INSERT INTO orders VALUES ({}, {}, 'received', '2026-01-01 12:00:00', {})"
        await odd.do(
            text(rows.format(1, "NULL", "NULL")),
            text(rows.format(2, "42", "'post'")),
            text(rows.format(3, "42", "NULL")),
        )
        await writer(kept).adopt()
        assert await odd.beside() == [2, 3]
        assert (await service.get("2", SHOP)).fulfilment == "delivery"
        await service.update("2", SHOP, status="accepted")
        async with odd.engine.connect() as connection:
            assert (
                await connection.execute(select(odd.table.c.kind).where(odd.table.c.nr == 2))
            ).scalar_one() == "post"


async def test_a_new_order_holds_nothing_while_it_waits_for_its_turn(postgres: str) -> None:
    """Else a transaction that has the turn, and makes the same order, waits for it forever."""
    odd = Odd(postgres, created_at=Column("placed", DateTime(timezone=True)))
    waiting = text(
        "SELECT l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE a.wait_event_type = 'Lock' AND l.relation = 'ordercast_orders'::regclass"
    )
    some = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with odd.open() as (kept, _):
        await create(kept.orders, "1")
        async with odd.own.begin() as connection:
            await create(odd.own.on(connection), "2")
            later = asyncio.create_task(create(kept.orders, "3"))
            async with asyncio.timeout(60), odd.engine.connect() as looking:
                while not (await looking.execute(some)).scalar_one():
                    await looking.rollback()
                    await asyncio.sleep(0.01)
                assert "RowExclusiveLock" not in (await looking.execute(waiting)).scalars().all()
        await later
        await whole(kept.orders, kept.log, 3)
