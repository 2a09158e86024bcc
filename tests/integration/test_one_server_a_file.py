"""A database file has one server. Commands beside it are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.storage.database import check, migrate, open_storage
from ordercast.storage.file_lock import lock_path
from tests.harness import ServerProcess


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/orders.db")


async def test_a_second_server_is_refused(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "linked.db").symlink_to(tmp_path / "orders.db")
    linked = Settings(database_url=f"sqlite:///{tmp_path}/linked.db")
    for _ in range(2):  # and again, once the first has closed it
        async with open_storage(settings, serves=True):
            for other in (settings, linked):
                with pytest.raises(StorageError, match=r"Another server has the database .* PostgreSQL"):
                    async with open_storage(other, serves=True):
                        pass
    async with open_storage(linked, serves=True):
        pass


async def test_other_files_and_what_does_not_serve(settings: Settings, tmp_path: Path) -> None:
    other = Settings(database_url=f"sqlite:///{tmp_path}/other.db")
    async with open_storage(settings, serves=True), open_storage(other, serves=True), open_storage(settings):
        migrate(settings)
        assert "holds 0 orders" in check(settings)


async def test_a_server_that_fails_to_open_keeps_nothing(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "orders.db").write_bytes(b"not a database, but long enough to be looked at as one" * 100)
    with pytest.raises(StorageError, match="not an SQLite database"):
        async with open_storage(settings, serves=True):
            pass
    (tmp_path / "orders.db").unlink()
    async with open_storage(settings, serves=True):
        pass


async def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"folder .* does not exist; make it"):
        async with open_storage(Settings(database_url=f"sqlite:///{tmp_path}/no/orders.db"), serves=True):
            pass
    assert not (tmp_path / "no").exists()


def test_a_killed_server_holds_nothing(tmp_path: Path) -> None:
    with ServerProcess(tmp_path) as server:
        command = [sys.executable, "-m", "ordercast", "serve", "--port", "0"]
        done = subprocess.run(
            command, env=server.environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "Another server has the database" in done.stderr
        server.kill()
        assert lock_path(tmp_path / "orders.db").exists()
        server.start()
