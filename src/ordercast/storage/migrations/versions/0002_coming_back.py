"""What coming back needs: watches, revoked tokens, and where the log begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "watches",
        sa.Column("pid", sa.String(512), nullable=False),
        sa.Column("order_id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("pid", "order_id", name="pk_watches"),
    )
    op.create_index("ix_watches_at", "watches", ["at"])
    op.create_table(
        "revocations",
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", name="pk_revocations"),
    )
    op.create_index("ix_revocations_at", "revocations", ["at"])
    op.add_column("log_head", sa.Column("floor", sa.BigInteger, nullable=False, server_default="0"))
