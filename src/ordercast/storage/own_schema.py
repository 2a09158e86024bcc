"""Ordercast's tables beside a shop's own orders, in the shop's database: what must be committed with an order's row."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, Connection, MetaData, Table, select, text

from ordercast.errors import StorageError
from ordercast.storage import tables

PREFIX = "ordercast_"

SCHEMA = "1"
"""Which form these tables have. Another one takes a migration here."""

_NAMES = re.compile(r"\b(order_events|log_head|idempotency_keys)\b")

metadata = MetaData()


def _ours(table: Table) -> Table:
    copy = table.to_metadata(metadata, name=PREFIX + table.name)
    named: list[Any] = [*copy.indexes, *copy.constraints]
    for one in named:
        if one.name is not None and PREFIX not in one.name:
            one.name = f"{PREFIX}{one.name}"
    return copy


events = _ours(tables.order_events)
head = _ours(tables.log_head)
answers = _ours(tables.idempotency_keys)
meta = _ours(tables.meta)


def beside(id_column: Column[Any]) -> Table:
    """What an order has besides what the shop's table keeps: a row for each, by the same id. Those that the shop keeps
    itself stay empty here."""
    rest = [Column(c.name, c.type) for c in tables.orders.columns if c.name != "order_id"]
    return Table(f"{PREFIX}orders", MetaData(), Column("order_id", id_column.type, primary_key=True), *rest)


@lru_cache(maxsize=64)
def in_theirs(sql: str) -> str:
    """Our SQL for a shop's database: our tables' names there, and parameters by name (``:p0``)."""
    parts = _NAMES.sub(rf"{PREFIX}\1", sql).split("?")
    return "".join(part + f":p{n}" for n, part in enumerate(parts[:-1])) + parts[-1]


def make(connection: Connection, rest: Table) -> str:
    """Makes the tables that are not there, and returns the log's id. Raises `StorageError` for those of a newer
    version."""
    if connection.dialect.name == "postgresql":  # one process after the other
        connection.execute(text("SELECT pg_advisory_xact_lock(726564)"))
    metadata.create_all(connection)
    rest.create(connection, checkfirst=True)
    found = dict(map(tuple, connection.execute(select(meta.c.key, meta.c.value)).all()))
    if found.get("schema", SCHEMA) != SCHEMA:
        raise StorageError(
            f"The tables {PREFIX}… are of a newer version of Ordercast (schema {found['schema']}, this one knows "
            f"{SCHEMA}): start that version."
        )
    wanted = {"schema": SCHEMA, "log_id": secrets.token_urlsafe(9)}
    for key in wanted.keys() - found.keys():
        connection.execute(meta.insert().values(key=key, value=wanted[key]))
    if connection.execute(select(head.c.id)).first() is None:
        connection.execute(head.insert().values(id=1, n=0, last_order_number=0, floor=0))
    return str(found.get("log_id", wanted["log_id"]))
