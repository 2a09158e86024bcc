"""Databases as earlier versions left them: `tests/data/schemas/` has one of each schema and kind, as SQL.

They stay as they are, whatever becomes of the migrations that made them. After a new migration::

    .venv/bin/python -m tests.schemas

adds the newest, from the one before with some rows more.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast.storage.schema import alembic_config, upgrade
from tests.harness import ROOT
from tests.postgres import PostgresServer, program

FOLDER = ROOT / "tests" / "data" / "schemas"
REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]

ROWS = {
    "0001": (
        "INSERT INTO orders (order_id, customer_id, shop_id, reference, fulfilment, status, version, items, total, "
        "currency, note, contact, expected_at, claimed_by, first_contact_at, created_at, updated_at) VALUES "
        "('1', '42', NULL, NULL, 'delivery', 'received', 1, '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
        "1767225600000, 1767225600000), "
        "('a.b:c-1_2', 'cust-7', 'north', '№ 7', 'pickup', 'ready', 3, '[{\"name\":\"Döner 🥙\",\"count\":2}]', 12.34, "
        "'EUR', 'ring\ntwice; it''s loud', '{\"name\":\"José\",\"phone\":\"+49 30 1\"}', 1767229200000, 'ana', "
        "1767226200000, 1767225601000, 1767226800000)",
        "INSERT INTO order_events (position, order_id, version, kind, status, previous_status, fields, customer_id, "
        "shop_id, updated_by, reason, forced, at) VALUES "
        "(1, '1', 1, 'created', 'received', NULL, '[]', '42', NULL, 'shop', NULL, false, 1767225600000), "
        "(2, 'a.b:c-1_2', 1, 'created', 'received', NULL, '[]', 'cust-7', 'north', 'shop', NULL, "
        "false, 1767225601000), "
        "(3, 'a.b:c-1_2', 2, 'contacted', 'received', NULL, '[\"first_contact_at\"]', 'cust-7', 'north', 'ana', NULL, "
        "false, 1767226200000), "
        "(4, 'a.b:c-1_2', 3, 'status_changed', 'ready', 'received', '[\"note\"]', 'cust-7', 'north', 'shop', "
        "'the till''s word', true, 1767226800000)",
        "UPDATE log_head SET n = 4, last_order_number = 1",
        "INSERT INTO meta (key, value) VALUES ('log_id', 'log-of-0001'), ('secret_key', 'a secret of a test, 48 long')",
        "INSERT INTO idempotency_keys (scope, key, fingerprint, order_id, body, created_at) VALUES "
        "('service:shop: POST /api/orders', 'k1', 'f', '1', {bytes}, 1767225600000)",
    ),
    "0002": (
        "INSERT INTO watches (pid, order_id, user_id, at) VALUES ('pid', '1', '42', 1767225600000)",
        "INSERT INTO revocations (kind, value, at, expires_at) VALUES ('user', '9', 1767225600000, 4102444800000)",
        "DELETE FROM order_events WHERE position = 1",
        "UPDATE log_head SET floor = 1",
    ),
    "0003": (
        "INSERT INTO nodes (name, run, address, beat, connections, online) VALUES "
        "('n1', 'run', 'http://127.0.0.1:1', 1767225600000, 0, '[]')",
        "INSERT INTO fences (user_id, newest, at) VALUES ('42', 1, 1767225600000)",
        "INSERT INTO logins (user_id, number, run, socket, at, evicted) VALUES "
        "('42', 1, 'run', 's', 1767225600000, true)",
    ),
    "0004": (
        "INSERT INTO logins (user_id, number, run, socket, client, at, evicted) VALUES "
        "('42', 1, 'run', 's', 'c', 1767225600000, false)",
    ),
    "0005": ("INSERT INTO targets (status, seconds) VALUES ('received', 60), ('ready', NULL)",),
    "0006": (
        "INSERT INTO webhooks (id, url, description, events, shops, secrets, enabled, problem, cursor, revision, "
        "created_at, lease_run, lease_until) VALUES ('wh_1', 'https://shop.example/hook', '', '[]', NULL, '[]', true, "
        "NULL, 4, 1, 1767225600000, NULL, NULL)",
        "INSERT INTO webhook_messages (webhook_id, position, rank, order_id, at, attempts, due, status, reason, "
        "answer, state) VALUES ('wh_1', 4, 0, 'a.b:c-1_2', 1767226800000, 1, 1767226900000, 500, 'no', '', 'waiting')",
        "INSERT INTO hook_messages (source, id, fingerprint, done, at) VALUES ('till', 'm1', 'f', true, 1767225600000)",
    ),
}
"""What is put into a database of each schema, besides what the one before has."""

_NOISE = re.compile(r"(SET |SELECT pg_catalog|--|\\|CREATE SCHEMA|COMMENT ON SCHEMA).*")


def dump_of(revision: str, kind: str) -> Path:
    """Where a database of that schema and kind is."""
    return FOLDER / f"{revision}.{kind}.sql"


def load_sqlite(revision: str, path: Path) -> None:
    """Makes that database."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript(dump_of(revision, "sqlite").read_text("utf-8"))


async def load_postgres(revision: str, server: PostgresServer, name: str) -> None:
    """Puts that database into an empty one."""
    connection = await asyncpg.connect(server.url(name))
    try:
        await connection.execute(dump_of(revision, "postgresql").read_text("utf-8"))
    finally:
        await connection.close()


def _move_on(url: URL | str, revision: str, bytes_: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        upgrade(connection, "a test's", revision)
        for sql in ROWS.get(revision, ()):
            connection.exec_driver_sql(sql.replace("{bytes}", bytes_))
    engine.dispose()


def _write_sqlite(revision: str, before: str | None, folder: Path) -> None:
    path = folder / f"{revision}.db"
    if before is not None:
        load_sqlite(before, path)
    _move_on(URL.create("sqlite", database=str(path)), revision, "x'00ff'")
    with closing(sqlite3.connect(path)) as db:
        dump_of(revision, "sqlite").write_text("\n".join(db.iterdump()) + "\n", "utf-8")


async def _make_postgres(revision: str, before: str | None, server: PostgresServer) -> str:
    name = await server.create()
    if before is not None:
        await load_postgres(before, server, name)
    engine = create_async_engine(server.url(name, scheme="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: upgrade(sync, "a test's", revision))
        for sql in ROWS.get(revision, ()):
            await connection.exec_driver_sql(sql.replace("{bytes}", "'\\x00ff'"))
    await engine.dispose()
    return name


def _write_postgres(revision: str, before: str | None, server: PostgresServer) -> None:
    url = server.url(asyncio.run(_make_postgres(revision, before, server)))
    command = [program("pg_dump"), "--no-owner", "--no-privileges", "--no-comments", "--inserts", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in said.stdout.splitlines() if line and not _NOISE.fullmatch(line)]
    dump_of(revision, "postgresql").write_text("\n".join(lines) + "\n", "utf-8")


def main() -> None:
    """Writes those that are not there."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with PostgresServer() as server, tempfile.TemporaryDirectory() as folder:
        for before, revision in zip([None, *REVISIONS], REVISIONS, strict=False):
            if not dump_of(revision, "sqlite").exists():
                _write_sqlite(revision, before, Path(folder))
                _write_postgres(revision, before, server)
                sys.stdout.write(f"{revision}\n")


if __name__ == "__main__":
    main()
