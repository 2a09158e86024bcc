"""The schema's revisions, by the names of their files: asking Alembic would mean to import it at every start."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ordercast.errors import StorageError

MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def known() -> tuple[str, ...]:
    """All of them, the oldest first."""
    return tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def newest() -> str:
    """The one that this version of Ordercast needs."""
    return known()[-1]


def refuse_newer(name: str, revision: str | None) -> None:
    """Raises `StorageError` for a revision that we do not know."""
    if revision is not None and revision not in known():
        raise StorageError(
            f"The database {name} is at schema {revision}, which this version of Ordercast does not know: "
            "run the newer one that made it."
        )
