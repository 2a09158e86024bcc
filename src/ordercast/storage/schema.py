"""The schema's versions (Alembic), the same steps on every database."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from ordercast.errors import StorageError

_MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def newest() -> str | None:
    """The revision that this version of Ordercast needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def upgrade(connection: Connection, name: str, to: str = "head") -> tuple[str | None, str]:
    """Brings a database to the newest revision, or ``to`` another, within the connection's transaction; returns the
    revisions before and after. Raises `StorageError`."""
    before = MigrationContext.configure(connection).get_current_revision()
    refuse_newer(name, before)
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    return before, MigrationContext.configure(connection).get_current_revision() or ""


def refuse_newer(name: str, revision: str | None) -> None:
    """Raises `StorageError` for a revision that we do not know."""
    known = [script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    if revision is not None and revision not in known:
        raise StorageError(
            f"The database {name} is at schema {revision}, which this version of Ordercast does not know: "
            "run the newer one that made it."
        )
