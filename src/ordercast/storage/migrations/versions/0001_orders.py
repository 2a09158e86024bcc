"""Orders and their log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "orders",
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("shop_id", _ID),
        sa.Column("reference", sa.String(128)),
        sa.Column("fulfilment", _WORD, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("items", sa.Text, nullable=False),
        sa.Column("total", sa.Float),
        sa.Column("currency", sa.String(3)),
        sa.Column("note", sa.Text),
        sa.Column("contact", sa.Text),
        sa.Column("expected_at", sa.BigInteger),
        sa.Column("claimed_by", _ID),
        sa.Column("first_contact_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("order_id", name="pk_orders"),
    )
    for first in ((), ("customer_id",), ("shop_id",), ("status",)):
        columns = [*first, "created_at", "order_id"]
        op.create_index(f"ix_orders_{'_'.join(columns)}", "orders", columns)
    op.create_table(
        "order_events",
        sa.Column("position", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("previous_status", _WORD),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("customer_id", _ID, nullable=False),
        sa.Column("shop_id", _ID),
        sa.Column("updated_by", _ID),
        sa.Column("reason", sa.Text),
        sa.Column("forced", sa.Boolean, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_order_events"),
        sa.UniqueConstraint("order_id", "version", name="uq_order_events_order_id_version"),
    )
    op.create_index("ix_order_events_customer_id_position", "order_events", ["customer_id", "position"])
    head = op.create_table(
        "log_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("last_order_number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_log_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_log_head_one_row")),
    )
    op.bulk_insert(head, [{"id": 1, "n": 0, "last_order_number": 0}])
    op.create_table(
        "meta",
        sa.Column("key", _WORD, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.String(512), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_idempotency_keys"),
    )
    for column in ("order_id", "created_at"):
        op.create_index(f"ix_idempotency_keys_{column}", "idempotency_keys", [column])
