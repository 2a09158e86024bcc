"""What several nodes need of each other: who is there, and whose login is the newest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_WORD = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "nodes",
        sa.Column("name", _WORD, nullable=False),
        sa.Column("run", _WORD, nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("connections", sa.Integer, nullable=False),
        sa.Column("online", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_nodes"),
    )
    op.create_table(
        "fences",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("newest", sa.BigInteger, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_fences"),
    )
    op.create_index("ix_fences_at", "fences", ["at"])
    op.create_table(
        "logins",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("run", _WORD, nullable=False),
        sa.Column("socket", _WORD, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("evicted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "number", name="pk_logins"),
    )
    op.create_index("ix_logins_run_evicted", "logins", ["run", "evicted"])
