"""A database file's schema: which revision it is at, and how it comes to the newest one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ordercast.errors import StorageError
from ordercast.storage.revisions import newest
from ordercast.storage.sqlite import connect


def revision_of(db: sqlite3.Connection) -> str | None:
    """The revision that the file is at; ``None`` for an empty one."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
        return None
    row = db.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def migrate_sqlite(path: Path) -> tuple[str | None, str]:
    """See `database.migrate`."""
    with closing(connect(path)) as db:  # opens it first, for errors in our own words
        try:
            revision = revision_of(db)
        except sqlite3.Error as error:
            raise StorageError(f"The database {path} cannot be read: {error}.") from None
    if revision == newest():
        return revision, revision
    return _upgrade(path)


def _upgrade(path: Path) -> tuple[str | None, str]:
    from sqlalchemy import URL, create_engine
    from sqlalchemy.exc import SQLAlchemyError

    from ordercast.storage.schema import upgrade  # Alembic, which few starts need

    engine = create_engine(URL.create("sqlite", database=str(path)))  # in an URL's text, % and ? would mean more
    try:
        with engine.begin() as connection:
            # The driver begins none before a CREATE TABLE, and half a schema could never be completed.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return upgrade(connection, str(path))
    except SQLAlchemyError as error:
        raise StorageError(f"The database {path} could not be brought to the current schema: {error}") from error
    finally:
        engine.dispose()
