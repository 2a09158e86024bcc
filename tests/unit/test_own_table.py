"""A shop's own table: within the shop's transactions, and what is refused in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, DateTime, Integer, SmallInteger, String, Table, create_engine, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from ordercast import Ordercast, open_orders, open_orders_sync
from ordercast.config import Settings
from ordercast.errors import (
    Invalid,
    NotFound,
    OrderExists,
    SettingsError,
    StorageError,
    StorageInDoubt,
    TransitionNotAllowed,
)
from ordercast.orders.kept import Kept
from ordercast.orders.models import EventKind, NewOrder, OrderQuery
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage.own import Field, OwnTable, instant, number, scaled, words
from tests.contract.keepers import own_table, table
from tests.contract.support import all_of, create, noting, whole
from tests.harness import SECRET

SHOP = Principal("shop", Role.SERVICE)


class Open:
    """A table that is open, and its transactions."""

    def __init__(self, shop: OwnTable, orders: Table, kept: Kept) -> None:
        self.shop = shop
        self.table = orders
        self.kept = kept
        self.service = OrderService(kept.orders, load_workflow())

    async def rows(self) -> list[tuple[Any, ...]]:
        async with self.shop.engine.connect() as connection:
            columns = (self.table.c.nr, self.table.c.state, self.table.c.points)
            return [tuple(row) for row in await connection.execute(select(*columns).order_by(self.table.c.nr))]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of the shop's, with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    found: str = request.getfixturevalue("empty_postgres_url")
    return found


@pytest.fixture
async def shop(url: str) -> AsyncIterator[Open]:
    orders = table()
    own = own_table(url, orders)
    async with own.engine.begin() as connection:
        await connection.run_sync(orders.metadata.create_all)
    async with own.opened(Settings(), 1e6, 1e6) as kept:
        yield Open(own, orders, kept)
    await own.engine.dispose()


# -- within the shop's own transaction ----------------------------------------------------------------------


async def test_it_is_all_or_nothing(shop: Open) -> None:
    await create(shop.kept.orders, "1")
    woken: list[int] = []
    shop.kept.log.subscribe(lambda: woken.append(1))
    paid = shop.table.update().values(points=7)

    async def fail() -> None:
        async with shop.shop.begin() as connection:
            await connection.execute(paid)
            orders = shop.service.over(shop.shop.on(connection))
            assert (await orders.change_status("1", "accepted", updated_by="till")).version == 2
            assert (await orders.get("1", SHOP)).status == "accepted"  # its own view
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await shop.rows() == [("1", "DEVIECER", 0)]
    await whole(shop.kept.orders, shop.kept.log, 1)
    assert woken == []

    async with shop.shop.begin() as connection:
        await connection.execute(paid)
        orders = shop.service.over(shop.shop.on(connection))
        await orders.change_status("1", "accepted", updated_by="till")
        await orders.create(NewOrder(order_id="2", customer_id="43"), SHOP)
        await orders.change_status("1", "preparing", updated_by="till")
        assert woken == []
        assert (await shop.service.get("1", SHOP)).version == 1  # nobody else's, yet
    assert woken
    assert await shop.rows() == [("1", "GNIRAPERP", 7), ("2", "DEVIECER", 0)]
    await whole(shop.kept.orders, shop.kept.log, 4)
    assert [event.order_id for event in await all_of(shop.kept.log)] == ["1", "1", "2", "1"]


async def test_in_a_session_of_the_shops(shop: Open) -> None:
    await create(shop.kept.orders, "1")
    heard = asyncio.Event()
    shop.kept.log.subscribe(heard.set)
    async with AsyncSession(shop.shop.engine) as session:
        await session.execute(shop.table.update().values(points=5))
        orders = shop.service.over(shop.shop.on(await session.connection()))
        await orders.change_status("1", "accepted", updated_by="till")
        await session.rollback()
        orders = shop.service.over(shop.shop.on(await session.connection()))
        await orders.change_status("1", "cancelled", updated_by="till")
        await session.commit()
    assert not heard.is_set()
    await shop.shop.committed()
    assert heard.is_set()
    assert await shop.rows() == [("1", "DELLECNAC", 0)]
    await whole(shop.kept.orders, shop.kept.log, 2)


async def test_what_is_refused_leaves_the_shops_transaction_as_it_was(shop: Open) -> None:
    await create(shop.kept.orders, "1")
    async with shop.shop.begin() as connection:
        orders = shop.service.over(shop.shop.on(connection))
        with pytest.raises(TransitionNotAllowed):
            await orders.change_status("1", "delivered", updated_by="till")
        with pytest.raises(OrderExists):
            await orders.create(NewOrder(order_id="1", customer_id="43"), SHOP)
        await connection.execute(shop.table.update().values(points=3))
        await orders.change_status("1", "accepted", updated_by="till")
    assert await shop.rows() == [("1", "DETPECCA", 3)]
    await whole(shop.kept.orders, shop.kept.log, 2)


async def test_an_order_that_the_shop_has_made_by_itself(shop: Open) -> None:
    row = shop.table.insert().values(nr="s1", buyer="42", state="DEVIECER", placed_at=text("'2026-01-02 03:04:05+00'"))
    if shop.shop.engine.dialect.name == "sqlite":
        row = row.values(placed_at=text("'2026-01-02 03:04:05.000000'"))
    async with shop.shop.begin() as connection:
        await connection.execute(row)
        order = await shop.shop.placed(connection, "s1", updated_by=42)
        with pytest.raises(OrderExists):
            await shop.shop.placed(connection, "s1", updated_by=42)
        for nothing in ("s2", "", -1):
            with pytest.raises(NotFound):
                await shop.shop.placed(connection, nothing, updated_by=42)
    assert (order.order_id, order.status, order.version) == ("s1", "received", 1)
    assert await shop.kept.orders.get("s1") == order
    (event,) = await all_of(shop.kept.log)
    assert (event.kind, event.customer_id, event.updated_by) == (EventKind.CREATED, "42", "42")
    await whole(shop.kept.orders, shop.kept.log, 1)

    # And one of which nobody said a word: it is there, without a history.
    async with shop.shop.begin() as connection:
        await connection.execute(row.values(nr="s2"))
    assert (await shop.service.get("s2", SHOP)).version == 1
    assert (await shop.kept.orders.find(OrderQuery(text="s2"))).orders == []
    assert (await shop.kept.orders.change("s2", noting("x"))).order.version == 2
    assert [order.order_id for order in (await shop.kept.orders.find(OrderQuery(text="s2"))).orders] == ["s2"]
    async with shop.shop.begin() as connection:
        with pytest.raises(OrderExists):
            await shop.shop.placed(connection, "s2", updated_by=42)


async def test_a_change_waits_for_the_shops_own_and_sees_what_it_did(shop: Open) -> None:
    """The row is locked by the shop's transaction, and what is beside it is read only after that."""
    await create(shop.kept.orders, "1")
    async with shop.shop.begin() as connection:
        await shop.shop.on(connection).change("1", noting("first"))
        later = asyncio.create_task(shop.kept.orders.change("1", noting("second")))
        if shop.shop.engine.dialect.name == "postgresql":
            await waiting(shop.shop.engine)
    assert (await later).order.version == 3
    await whole(shop.kept.orders, shop.kept.log, 3)


async def waiting(engine: AsyncEngine) -> None:
    """Until somebody waits for a lock."""
    some = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with asyncio.timeout(60), engine.connect() as connection:
        while not (await connection.execute(some)).scalar_one():
            await connection.rollback()
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("url", ["postgres"], indirect=True)  # a file has no connection to lose
async def test_a_connection_that_is_lost_within_the_commit(shop: Open) -> None:
    """Whether it took place is not known, and said to be so."""
    slow = (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END'",
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    async with shop.shop.engine.begin() as connection:
        for statement in slow:
            await connection.execute(text(statement))
    committing = asyncio.create_task(create(shop.kept.orders, "1"))
    end = text("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    async with asyncio.timeout(60), shop.shop.engine.connect() as connection:
        while not (await connection.execute(end)).scalar_one():
            await connection.rollback()
            await asyncio.sleep(0.01)
    with pytest.raises(StorageInDoubt):
        await committing
    async with shop.shop.engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER slow ON orders"))
    await create(shop.kept.orders, "1")
    await whole(shop.kept.orders, shop.kept.log, 1)


async def test_a_constraint_of_the_shops_is_told_to_who_broke_it(shop: Open) -> None:
    trigger = (
        "CREATE TRIGGER no BEFORE INSERT ON orders WHEN NEW.nr = 'x' BEGIN SELECT RAISE(ABORT, 'no x'); END"
        if shop.shop.engine.dialect.name == "sqlite"
        else "ALTER TABLE orders ADD CONSTRAINT no_x CHECK (nr <> 'x')"
    )
    async with shop.shop.engine.begin() as connection:
        await connection.execute(text(trigger))
    with pytest.raises(Invalid, match="constraints"):
        await create(shop.kept.orders, "x")
    with pytest.raises(Invalid, match="total: must have at most 2"):
        await create(shop.kept.orders, "y", total=1.005)
    await create(shop.kept.orders, "z")
    await whole(shop.kept.orders, shop.kept.log, 1)


# -- from other processes, and with a service around it -----------------------------------------------------


async def test_open_orders_takes_it_too(shop: Open) -> None:
    url = shop.shop.engine.url.render_as_string(hide_password=False)
    another = own_table(url, table())
    async with open_orders(Settings(), storage=another) as orders:
        await orders.create(NewOrder(order_id="1", customer_id="42"), SHOP)
    await another.engine.dispose()
    assert (await shop.service.get("1", SHOP)).version == 1


def test_and_so_does_plain_code(tmp_path: Path) -> None:
    orders = table()
    shop = own_table(f"sqlite:///{tmp_path}/shop.db", orders)

    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    orders.metadata.create_all(engine)
    engine.dispose()
    with open_orders_sync(Settings(), storage=shop) as plain:
        plain.create(NewOrder(order_id="1", customer_id="42"), SHOP)
        assert plain.change_status("1", "accepted", updated_by="till").version == 2
        plain.portal.call(shop.engine.dispose)


# -- what is refused at start -------------------------------------------------------------------------------


def fields(**more: Any) -> dict[str, Any]:
    c = table().c
    return {"order_id": c.nr, "customer_id": c.buyer, "status": c.state, "created_at": c.placed_at} | more


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f, t: f.pop("status"), "which column is status"),
        (lambda f, t: f.update(colour=t.c.lines), "no colour"),
        (lambda f, t: f.update(note=table().c.lines), "another table"),
    ],
)
def test_what_does_not_fit_together(change: Callable[[dict[str, Any], Table], Any], words: str) -> None:
    orders = table()
    keeps = {name: orders.c[column.name] for name, column in fields().items()}
    change(keeps, orders)
    with pytest.raises(SettingsError, match=words):
        OwnTable(create_async_engine("sqlite+aiosqlite:///x.db"), orders, keeps)


async def test_a_status_without_a_word(tmp_path: Path) -> None:
    orders = table()
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    keeps = {name: orders.c[column.name] for name, column in fields().items()}
    own = OwnTable(engine, orders, keeps | {"status": words(orders.c.state, {"received": "NEW"})})
    with pytest.raises(SettingsError, match="cannot be accepted, preparing"):
        await own.opened(Settings()).__aenter__()


async def test_settings_that_are_read_again(shop: Open, tmp_path: Path) -> None:
    ours = Settings(jwt_secret=(SECRET,), database_url=f"sqlite:///{tmp_path}/ours.db")
    workflow = (files("ordercast.orders") / "workflow.toml").read_text("utf-8")
    (tmp_path / "more.toml").write_text(workflow.replace("failed_delivery", "lost"))
    own = own_table(shop.shop.engine.url.render_as_string(hide_password=False), table())
    async with Ordercast(ours, storage=own) as oc:
        await create(oc.kept.orders, "1")
        with pytest.raises(SettingsError, match="cannot be lost"):
            await oc.reload(lambda: ours.model_copy(update={"workflow": tmp_path / "more.toml", "log_retention": 1}))
        assert "lost" not in oc.workflow.statuses
        assert oc.settings.log_retention != 1
        await oc.reload(lambda: ours.model_copy(update={"log_retention": 1e-3}))
        assert oc.settings.log_retention == 1e-3
    await own.engine.dispose()


async def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    own = own_table(f"sqlite:///{tmp_path}/shop.db", table())
    with pytest.raises(StorageError, match="'orders' cannot be used"):
        await own.opened(Settings()).__aenter__()
    await own.engine.dispose()


async def test_tables_of_a_newer_version(shop: Open) -> None:
    async with shop.shop.engine.begin() as connection:
        await connection.execute(text("UPDATE ordercast_meta SET value = '2' WHERE key = 'schema'"))
    url = shop.shop.engine.url.render_as_string(hide_password=False)
    another = own_table(url, table())
    with pytest.raises(StorageError, match="newer version"):
        await another.opened(Settings()).__aenter__()
    await another.engine.dispose()


async def test_a_log_that_is_to_begin_anew(shop: Open, url: str) -> None:
    """As docs/howto/own-tables.md says after a restore."""
    before = shop.kept.log.log_id
    await create(shop.kept.orders, "1")
    async with shop.shop.engine.begin() as connection:
        await connection.execute(text("DELETE FROM ordercast_meta WHERE key = 'log_id'"))
    again = own_table(url, table())
    async with again.opened(Settings()) as kept:
        assert kept.log.log_id != before
        assert await kept.log.head() == 1
    async with again.opened(Settings()) as once_more:
        assert once_more.log.log_id == kept.log.log_id
    await again.engine.dispose()


async def test_a_database_of_ours_that_has_orders(shop: Open, tmp_path: Path) -> None:
    settings = Settings(jwt_secret=(SECRET,), database_url=f"sqlite:///{tmp_path}/ours.db")
    async with Ordercast(settings) as oc:
        await create(oc.kept.orders, "1")
    with pytest.raises(StorageError, match="orders of its own"):
        await Ordercast(settings, storage=shop.shop).__aenter__()


# -- columns ------------------------------------------------------------------------------------------------


def test_numbers() -> None:
    for kind, most in ((SmallInteger, 2**15), (Integer, 2**31), (BigInteger, 2**63)):
        field = number(Column("n", kind))
        assert field.to_row("17") == 17
        assert field.to_row(str(most - 1)) == most - 1
        for bad in ("017", "-1", "1.0", "", "x", "١", str(most), "9" * 64):
            with pytest.raises(ValueError, match="whole number"):
                field.to_row(bad)


def test_words_and_amounts() -> None:
    field = words(Column("s", String), {"received": "NEW", "ready": "DONE"})
    assert (field.to_row("ready"), field.from_row("DONE"), field.from_row("LOST")) == ("DONE", "ready", "LOST")
    with pytest.raises(ValueError, match="one of received, ready"):
        field.to_row("DONE")
    with pytest.raises(ValueError, match="same word"):
        words(Column("s", String), {"received": "NEW", "ready": "NEW"})
    cents = scaled(Column("c", Integer))
    for amount in (0.1, 0.29, 12.34, 1e9 + 0.01):
        assert cents.from_row(cents.to_row(amount)) == amount
    with pytest.raises(ValueError, match="at most 2"):
        cents.to_row(1.005)
    trimmed = Field(Column("t", String), str.strip)
    with pytest.raises(ValueError, match="as it is"):
        trimmed.to_row(" x")
    assert instant(Column("t", DateTime)).to_row(None) is None
