"""What must not go through everything does not, as SQLite plans it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.orders.models import OrderQuery
from ordercast.storage import figures, log, queries
from ordercast.storage.database import migrate


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    migrate(Settings(database_url=f"sqlite:///{tmp_path}/orders.db"))
    db = sqlite3.connect(tmp_path / "orders.db")
    yield db
    db.close()


def plan(db: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> str:
    return "\n".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))


def test_a_days_figures_read_that_day_alone(db: sqlite3.Connection) -> None:
    first = plan(db, figures._FIRST, (1,))
    assert first == "SEARCH order_events USING COVERING INDEX ix_order_events_at_position (at>?)"
    facts = plan(db, figures._FACTS, (1, 1, 1))
    assert "SEARCH e USING INDEX sqlite_autoindex_order_events_1 (position>?)" in facts
    assert "SCAN e" not in facts
    assert "SCAN orders" not in facts
    assert "SEARCH orders USING INDEX ix_orders_status" in plan(db, figures._STANDING.format("?"), ("ready",))


def test_a_customers_events_are_found_without_the_others(db: sqlite3.Connection) -> None:
    theirs = "ix_order_events_customer_id_position (customer_id=?"
    by_version = "sqlite_autoindex_order_events_2 (order_id=? AND version=?)"
    for sql, first, second in (
        (
            log._SELECT_SINCE,
            "moved USING INDEX sqlite_autoindex_order_events_1 (position>?)",
            f"theirs USING INDEX {by_version}",
        ),
        (log._SELECT_FROM_FAR, f"theirs USING INDEX {theirs})", f"moved USING INDEX {by_version}"),
    ):
        found = plan(db, sql, ("42", 0, "42", 0, 10))
        assert f"SEARCH order_events USING INDEX {theirs} AND position>?)" in found
        assert f"SEARCH {first}" in found
        assert f"SEARCH {second}" in found


def test_a_text_is_looked_for_in_its_index_alone(db: sqlite3.Connection) -> None:
    found = plan(db, *queries.render(queries.page(OrderQuery(text="x"))))
    assert "SCAN orders USING COVERING INDEX ix_orders_created_at_order_id_search" in found
    whole = plan(db, *queries.render(queries.page(OrderQuery())))
    assert "SCAN orders USING INDEX ix_orders_created_at_order_id_search" in whole, "a page needs no sorting"
