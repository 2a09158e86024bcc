"""Looks at webhooks without changing anything, for ``ordercast check``."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import asyncpg

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.storage import postgres, sqlite
from ordercast.storage.database import database_path
from ordercast.storage.driver import Row

_LOOK = (
    "SELECT id, url, enabled, problem, (SELECT count(*) FROM webhook_messages WHERE webhook_id = id AND state = "
    "'waiting'), (SELECT count(*) FROM webhook_messages WHERE webhook_id = id AND state = 'dead') FROM webhooks "
    "ORDER BY created_at, id"
)


def look(settings: Settings) -> tuple[int, list[str]]:
    """How many webhooks there are, and a sentence for each thing that is not well. Raises `StorageError`."""
    rows = asyncio.run(_of_postgres(settings)) if postgres.is_postgres(settings) else _of_file(settings)
    return len(rows), [sentence for row in rows for sentence in _sentences(*row)]


def _of_file(settings: Settings) -> Sequence[Row]:
    path = database_path(settings)
    if not path.exists():
        return ()
    db = sqlite.connect(path, as_it_is=True)
    try:
        there = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'webhook_messages'").fetchone()
        return db.execute(_LOOK).fetchall() if there else ()
    except sqlite3.Error as error:
        raise StorageError(f"The database {path} cannot be read: {error}.") from None
    finally:
        db.close()


async def _of_postgres(settings: Settings) -> Sequence[Any]:
    address = postgres.address_of(settings)
    connection = await postgres.connect(address)
    try:
        return [tuple(row) for row in await connection.fetch(_LOOK)]
    except asyncpg.UndefinedTableError:  # before 'ordercast migrate', of which the look at the database tells
        return ()
    except postgres.FAILURES as error:
        raise StorageError(f"The database {address.name} cannot be read: {error}.") from None
    finally:
        await connection.close()


def _sentences(id: str, url: str, enabled: bool, problem: str | None, waiting: int, dead: int) -> list[str]:
    said = []
    if not enabled:
        why = f": {problem}" if problem else "."
        said.append(f"Webhook {id} to {url} is disabled{why} 'ordercast webhook enable {id}' has it go on.")
    elif problem:
        said.append(f"Webhook {id} to {url}: {problem}")
    if waiting:
        said.append(f"Webhook {id} to {url} fails: {waiting} messages wait for another attempt.")
    if dead:
        said.append(f"Webhook {id} has {dead} dead messages: 'ordercast webhook dead {id}' lists them with reasons.")
    return said
