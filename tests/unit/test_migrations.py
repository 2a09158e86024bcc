"""The schema: what the tables say, reached from every version before, whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.models import NewOrder, OrderQuery
from ordercast.storage.database import check, migrate, open_storage
from ordercast.storage.revisions import known, newest
from ordercast.storage.rows import to_ms
from ordercast.storage.schema import alembic_config
from ordercast.storage.sqlite import connect
from ordercast.storage.tables import metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}")


def described(engine: Engine) -> dict[str, Any]:
    """What an inspector sees, in an order of its own."""
    found: dict[str, Any] = {}
    inspector = inspect(engine)
    for table in inspector.get_table_names():
        if table != "alembic_version":
            found[table] = {
                "columns": [column | {"type": str(column["type"])} for column in inspector.get_columns(table)],
                "primary key": inspector.get_pk_constraint(table),
                "unique": sorted(inspector.get_unique_constraints(table), key=str),
                "checks": sorted(inspector.get_check_constraints(table), key=str),
                "indexes": sorted(map(_index, inspector.get_indexes(table)), key=str),
            }
    return found


def _index(found: Any) -> dict[str, Any]:
    """With its condition, if it has one, as text."""
    options = found.get("dialect_options", {})
    return {**found, "dialect_options": {name: str(value) for name, value in options.items()}}


def test_the_revisions_are_those_that_alembic_knows() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert known() == tuple(sorted(script.revision for script in scripts.walk_revisions()))
    assert newest() == scripts.get_current_head()


def test_migrations_make_what_the_tables_say(settings: Settings, path: Path, tmp_path: Path) -> None:
    migrate(settings)
    migrated = create_engine(f"sqlite:///{path}")
    made = create_engine(f"sqlite:///{tmp_path}/made.db")
    metadata.create_all(made)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    assert described(migrated) == described(made)
    assert described(made).keys() == metadata.tables.keys()
    for engine in (migrated, made):
        engine.dispose()


def test_migrating_twice_changes_nothing(settings: Settings, path: Path) -> None:
    assert migrate(settings) == (None, "0006")
    with sqlite3.connect(path) as db:
        before = list(db.iterdump())
    assert migrate(settings) == ("0006", "0006")
    assert list(db.iterdump()) == before
    db.close()


def test_a_migration_that_breaks_off_leaves_nothing_half_done(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_table = op.create_table

    def break_off(name: str, *columns: Any) -> Any:
        if name == "meta":
            raise ZeroDivisionError
        return create_table(name, *columns)

    with monkeypatch.context() as patch:
        patch.setattr(op, "create_table", break_off)
        with pytest.raises(ZeroDivisionError):
            migrate(settings)
    assert check(settings) == f"{path} is at schema none, 'ordercast migrate' brings it to 0006"
    assert migrate(settings) == (None, "0006")


async def test_a_database_of_the_first_version_keeps_what_it_has(settings: Settings, path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    db = sqlite3.connect(path)
    for id in ("1", "a"):
        db.execute(
            "INSERT INTO orders (order_id, customer_id, fulfilment, status, version, items, created_at, updated_at) "
            "VALUES (?, '42', 'pickup', 'received', 1, '[]', 7, 7)",
            (id,),
        )
    db.execute(
        "INSERT INTO order_events (position, order_id, version, kind, status, fields, customer_id, forced, at) "
        "VALUES (1, '1', 1, 'created', 'received', '[]', '42', 0, 7), "
        "(2, 'a', 1, 'created', 'received', '[]', '42', 0, 7)"
    )
    db.execute("UPDATE log_head SET n = 2, last_order_number = 1")
    db.execute("INSERT INTO meta (key, value) VALUES ('log_id', 'old'), ('secret_key', 'secret')")
    db.execute("INSERT INTO idempotency_keys VALUES ('s', 'k', 'f', '1', 'body', 7)")
    db.commit()
    tables = ("orders", "order_events", "meta", "idempotency_keys")
    columns = [", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})")) for table in tables]
    select = [f"SELECT {names} FROM {table}" for names, table in zip(columns, tables, strict=True)]
    before = [db.execute(sql).fetchall() for sql in select]
    assert migrate(settings) == ("0001", "0006")
    assert [db.execute(sql).fetchall() for sql in select] == before
    assert db.execute("SELECT id, n, last_order_number, floor FROM log_head").fetchall() == [(1, 2, 1, 0)]
    db.close()
    async with open_storage(settings.model_copy(update={"log_retention": 0.0})) as storage:
        assert (storage.log.log_id, storage.log.floor, storage.secret_key) == ("old", 0, "secret")
        assert [event.order_id for event in await storage.log.after(0, 10)] == ["1", "a"]
        written = await storage.orders.create(NewOrder(customer_id="42"), "received", "shop")
        assert written.event is not None
        assert (written.order.order_id, written.event.position) == ("2", 3)


def test_a_migration_to_the_second_version_that_breaks_off(
    settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    before = described(engine)
    with monkeypatch.context() as patch:
        patch.setattr(op, "add_column", break_off)
        with pytest.raises(ZeroDivisionError):
            migrate(settings)
    assert check(settings) == f"{path} is at schema 0001, 'ordercast migrate' brings it to 0006"
    assert described(engine) == before
    assert migrate(settings) == ("0001", "0006")
    engine.dispose()


async def test_orders_from_before_the_board_are_found_and_say_since_when(settings: Settings, path: Path) -> None:
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    engine.dispose()
    orders = [(f"{n:04}", None, None) for n in range(2_500)] + [("z", "Été 7", '{"name": "José", "phone": 4930}')]
    events = [
        # position, order, version, kind, status before, at; the order "0001" has lost its beginning, "0000" all.
        (1, "z", 1, "created", None, 100),
        (2, "z", 2, "status_changed", "received", 200),
        (3, "z", 3, "changed", None, 300),
        (4, "0001", 7, "changed", None, 400),
    ]
    db = sqlite3.connect(path)
    db.executemany(
        "INSERT INTO orders (order_id, reference, contact, customer_id, fulfilment, status, version, items, "
        "created_at, updated_at) VALUES (?, ?, ?, '42', 'pickup', 'accepted', 3, '[]', 7, 300)",
        orders,
    )
    db.executemany(
        "INSERT INTO order_events (position, order_id, version, kind, previous_status, at, status, fields, "
        "customer_id, forced) VALUES (?, ?, ?, ?, ?, ?, 'accepted', '[]', '42', 0)",
        events,
    )
    db.execute("UPDATE log_head SET n = 4")
    db.commit()
    db.close()
    assert migrate(settings) == ("0004", "0006")
    async with open_storage(settings.model_copy(update={"log_retention": 0.0})) as storage:
        for text, found in (("ETE", ["z"]), ("jose", ["z"]), ("4930", ["z"]), ("1000", ["1000"])):
            page = await storage.orders.find(OrderQuery(text=text))
            assert [order.order_id for order in page.orders] == found
        for id, since in (("z", 200), ("0001", 300), ("0000", 300)):
            order = await storage.orders.get(id)
            assert order is not None
            assert to_ms(order.status_since) == since


async def test_a_database_of_a_newer_version_is_left_alone(settings: Settings, path: Path) -> None:
    migrate(settings)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    before = list(db.iterdump())
    for use in (check, migrate):
        with pytest.raises(StorageError, match="at schema 9999, which this version of Ordercast does not know"):
            use(settings)
    with pytest.raises(StorageError, match="run the newer one"):
        async with open_storage(settings):
            pass
    assert list(db.iterdump()) == before
    db.close()


def test_a_database_that_another_program_holds(settings: Settings, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlalchemy.create_engine", lambda url: create_engine(url, connect_args={"timeout": 0}))
    connect(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match=r"could not be brought to the current schema.*locked"):
        migrate(settings)
    other.execute("ROLLBACK")
    other.close()
    assert migrate(settings) == (None, "0006")
