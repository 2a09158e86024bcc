"""Logins know as whom a client comes back, and those that must go are found by their node. None are lost: nothing has
written any until now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")
_WORD = sa.String(64)
_EVICTED = sa.text("evicted")


def upgrade() -> None:
    op.drop_table("logins")
    op.create_table(
        "logins",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("run", _WORD, nullable=False),
        sa.Column("socket", sa.String(128), nullable=False),
        sa.Column("client", _WORD, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("evicted", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "number", name="pk_logins"),
    )
    op.create_index("ix_logins_run", "logins", ["run"], postgresql_where=_EVICTED, sqlite_where=_EVICTED)
