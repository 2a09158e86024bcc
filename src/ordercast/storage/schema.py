"""Brings a schema to a revision (Alembic), by the same steps on every database."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from ordercast.storage.revisions import MIGRATIONS, refuse_newer


def alembic_config() -> Config:
    """Where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(connection: Connection, name: str, to: str = "head") -> tuple[str | None, str]:
    """Brings a database to the newest revision, or ``to`` another, within the connection's transaction; returns the
    revisions before and after. Raises `StorageError`."""
    before = MigrationContext.configure(connection).get_current_revision()
    refuse_newer(name, before)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return before, MigrationContext.configure(connection).get_current_revision() or ""
