"""That one server at most has a database file: two would each tell only their own clients of their own changes."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ordercast.errors import StorageError
from ordercast.storage.sqlite import cannot_open

try:
    import fcntl
except ImportError:  # Windows, where nobody holds them apart
    fcntl = None  # type: ignore[assignment]


def lock_path(path: Path) -> Path:
    """The lock of a database file; the same one by whatever way the file is named."""
    path = path.resolve()
    return path.with_name(path.name + ".lock")


@contextmanager
def held(path: Path, advice: str | None = None) -> Iterator[None]:
    """Holds the database file's lock while the context is open. Raises `StorageError` where another server does, with
    ``advice`` where that is not for a server.

    The kernel releases it when a process ends, however that is. The lock file stays: who removed it might remove
    another's.
    """
    if fcntl is None:
        yield
        return
    try:
        lock = os.open(lock_path(path), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise cannot_open(path, sqlite3.OperationalError(error.strerror)) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # Any other is of a file system that has no locks: it served without them before.
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise StorageError(
                    advice
                    or f"Another server has the database {path} open: stop it, or give this one a DATABASE_URL of its "
                    "own. Several servers together need PostgreSQL."
                ) from None
        yield
    finally:
        os.close(lock)


def is_held(path: Path) -> bool:
    """Whether a server has the database file."""
    if fcntl is None:
        return False
    try:
        lock = os.open(lock_path(path), os.O_RDWR)
    except OSError:
        return False
    try:
        # Shared and at once given back: a server that starts at this very moment would be refused, and no other is.
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EWOULDBLOCK, errno.EACCES)
    finally:
        os.close(lock)
    return False
