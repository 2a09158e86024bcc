"""The board: orders are found by a text and say since when they are in their status, a day's events are found by their
time, and there are targets."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from ordercast.orders.search import text_of

revision = "0005"
down_revision = "0004"

_BATCH = 1_000
_SINCE = (
    "UPDATE orders SET status_since = coalesce((SELECT at FROM order_events WHERE order_events.order_id = "
    "orders.order_id AND (previous_status IS NOT NULL OR order_events.version = 1) "
    "ORDER BY order_events.version DESC LIMIT 1), updated_at)"
)
_ORDERS = sa.table("orders", *map(sa.column, ("order_id", "reference", "contact", "search")))


def upgrade() -> None:
    op.add_column("orders", sa.Column("status_since", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(_SINCE)
    op.add_column("orders", sa.Column("search", sa.Text))
    _fill(op.get_bind())
    op.drop_index("ix_orders_created_at_order_id", "orders")
    op.create_index("ix_orders_created_at_order_id_search", "orders", ["created_at", "order_id", "search"])
    op.create_index("ix_order_events_at_position", "order_events", ["at", "position"])
    op.create_table(
        "targets",
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("seconds", sa.Integer),
        sa.PrimaryKeyConstraint("status", name="pk_targets"),
    )


def _fill(connection: sa.Connection) -> None:
    """What the orders that are there are found by. In batches, since there may be millions."""
    fill = _ORDERS.update().where(_ORDERS.c.order_id == sa.bindparam("id")).values(search=sa.bindparam("text"))
    page = sa.select(_ORDERS.c.order_id, _ORDERS.c.reference, _ORDERS.c.contact).order_by(_ORDERS.c.order_id)
    last = ""
    while rows := connection.execute(page.where(_ORDERS.c.order_id > last).limit(_BATCH)).all():
        found = [(id, text_of(id, reference, contact and json.loads(contact))) for id, reference, contact in rows]
        connection.execute(fill, [{"id": id, "text": text} for id, text in found])
        last = rows[-1].order_id
