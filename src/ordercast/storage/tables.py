"""The schema. Ids are text, times milliseconds since the epoch (UTC), JSON is text: the same on every database."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# In PostgreSQL ids sort by their bytes, as in SQLite and in Python, whatever the language of the database is.
Id = String(64).with_variant(String(64, collation="C"), "postgresql")
Word = String(64)

orders = Table(
    "orders",
    metadata,
    Column("order_id", Id, primary_key=True),
    Column("customer_id", Id, nullable=False),
    Column("shop_id", Id),
    Column("reference", String(128)),
    Column("fulfilment", Word, nullable=False),
    Column("status", Word, nullable=False),
    Column("version", Integer, nullable=False),
    Column("items", Text, nullable=False),
    Column("total", Float),
    Column("currency", String(3)),
    Column("note", Text),
    Column("contact", Text),
    Column("expected_at", BigInteger),
    Column("claimed_by", Id),
    Column("first_contact_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("status_since", BigInteger, nullable=False, server_default="0"),
    Column("search", Text),
    # A page of orders, newest first: of all, of one customer, of one shop, in one status. The text is in the first, so
    # that looking for one goes through this index alone.
    Index(None, "created_at", "order_id", "search"),
    Index(None, "customer_id", "created_at", "order_id"),
    Index(None, "shop_id", "created_at", "order_id"),
    Index(None, "status", "created_at", "order_id"),
)

"""``search``: what a text finds the order by (`ordercast.orders.search`)."""

order_events = Table(
    "order_events",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("order_id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Word, nullable=False),
    Column("status", Word, nullable=False),
    Column("previous_status", Word),
    Column("fields", Text, nullable=False),
    Column("customer_id", Id, nullable=False),
    Column("shop_id", Id),
    Column("updated_by", Id),
    Column("reason", Text),
    Column("forced", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("order_id", "version"),
    Index(None, "customer_id", "position"),
    # The events of a day (`figures.py`).
    Index(None, "at", "position"),
)
"""Audit trail and outbox in one (DESIGN, "Storage"): positions without a hole, from 1 or, where
old ones were removed, from the one after ``log_head.floor``."""

log_head = Table(
    "log_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, nullable=False),
    Column("last_order_number", BigInteger, nullable=False),
    Column("floor", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("id = 1", name="one_row"),
)
"""One row: the newest position, the newest number given to an order, the position up to which events were removed."""

meta = Table("meta", metadata, Column("key", Word, primary_key=True), Column("value", Text, nullable=False))
"""``log_id`` and ``secret_key``, made once; in PostgreSQL also each writer's newest commit (`postgres_writer.py`)."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", String(512), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("order_id", Id, nullable=False, index=True),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False, index=True),
)
"""What was answered to a request; ``order_id`` is empty where that was about no order."""

targets = Table(
    "targets",
    metadata,
    Column("status", Word, primary_key=True),
    Column("seconds", Integer),
)
"""How long an order may take in a status, as the board's admins set it; null: as long as it likes."""

watches = Table(
    "watches",
    metadata,
    Column("pid", String(512), primary_key=True),
    Column("order_id", Id, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""Which orders a connection watched, by its recovery id."""

revocations = Table(
    "revocations",
    metadata,
    Column("kind", Word, primary_key=True),
    Column("value", String(255), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False),
)
"""Tokens that count no more: of a ``user`` all that were issued up to ``at``, or the one ``token`` with this ``jti``;
until ``expires_at``, when they have ended by themselves."""

nodes = Table(
    "nodes",
    metadata,
    Column("name", Word, primary_key=True),
    Column("run", Word, nullable=False),
    Column("address", String(255), nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("connections", Integer, nullable=False),
    Column("online", Text, nullable=False),
)
"""The nodes of a PostgreSQL database. ``run`` is another after each start; ``address`` is where other nodes reach it;
``beat`` is when it last said that it is there, by the database's clock; ``online`` is JSON of the operators it has."""

fences = Table(
    "fences",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("newest", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""The number of each user's newest login: its row is locked while there is another, so that they have an order."""

logins = Table(
    "logins",
    metadata,
    Column("user_id", Id, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("run", Word, nullable=False),
    Column("socket", String(128), nullable=False),
    Column("client", Word, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("evicted", Boolean, nullable=False),
    Index(None, "run", postgresql_where=text("evicted"), sqlite_where=text("evicted")),
)
"""The connections of each user, where their number is limited: on which node's ``run``, as which client (a digest of
its recovery id), since when (by the database's clock), and whether a newer one has taken its place."""

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Word, primary_key=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("shops", Text),
    Column("secrets", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("problem", Text),
    Column("cursor", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("lease_run", Word),
    Column("lease_until", BigInteger),
)
"""Where messages go. ``secrets`` is JSON of ``[secret, until]``. In PostgreSQL the node's run that sends to it has the
lease, until then by the database's clock."""

webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("webhook_id", Word, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("order_id", Id, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("status", Integer),
    Column("reason", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("state", Word, nullable=False),
)
"""Messages that wait after a failure, or are dead: their event's position, and of which type (its place among those).
What they say is made from the log, which holds nothing personal."""

hook_messages = Table(
    "hook_messages",
    metadata,
    Column("source", Word, primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
"""The ids of signed messages that came in, for as long as they could be played again."""
