"""Opening the file: its ids, and what is said where it does not open."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.orders.models import NewOrder
from ordercast.storage.database import check, database_path, migrate, open_storage
from ordercast.storage.sqlite import SqliteReaders, connect
from tests.contract.support import written_through


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}")


def names(folder: Path) -> list[str]:
    return [found.name for found in folder.iterdir()]


# -- connections --------------------------------------------------------------------------------------------


def pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_what_was_acknowledged_survives_a_power_cut(path: Path) -> None:
    db = connect(path)
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2  # FULL
    assert pragma(db, "foreign_keys") == 1
    assert pragma(db, "busy_timeout") == 5_000
    assert db.isolation_level is None
    db.close()


async def test_writer_and_readers_are_set_up_alike(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        readers = storage.orders._readers
        assert isinstance(readers, SqliteReaders)
        for db in (written_through(storage), await readers.run(lambda db: db)):
            assert (pragma(db, "journal_mode"), pragma(db, "synchronous")) == ("wal", 2)


# -- where --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///orders.db", "orders.db"),
        ("sqlite+aiosqlite:///a/b c.db", "a/b c.db"),
        ("sqlite:////var/lib/orders.db", "/var/lib/orders.db"),
        ("sqlite:///a%20b%3F.db", "a b?.db"),
    ],
)
def test_the_file_that_a_url_names(url: str, expected: str) -> None:
    assert database_path(Settings(database_url=url)) == Path(expected)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://", "orders need a file to survive in"),
        ("sqlite:///:memory:", "orders need a file to survive in"),
        ("sqlite://:x:y", "is no URL; write sqlite:///path/to/file.db"),
    ],
)
def test_urls_that_name_none(url: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        database_path(Settings(database_url=url))
    assert str(caught.value).startswith("ORDERCAST_DATABASE_URL: ")
    assert words in str(caught.value)


@pytest.mark.parametrize("name", ["my orders.db", "ü#&;.db", "50%.db", "a%41%s.db", "really?.db", "a=b&c"])
async def test_strange_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    settings = Settings(database_url=f"sqlite:///{quote(str(path))}")
    async with open_storage(settings) as storage:
        await storage.orders.create(NewOrder(customer_id="42"), "received", "shop")
    assert names(tmp_path) == [name]
    assert check(settings) == f"{path} holds 1 orders, log position 1, schema 0006"


def no_folder(path: Path) -> Path:
    return path.parent / "missing" / "orders.db"


def no_database(path: Path) -> Path:
    path.write_text("orders\n" * 1_000)
    return path


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (no_folder, "/missing does not exist; make it, or set ORDERCAST_DATABASE_URL to another place."),
        (no_database, "the file is not an SQLite database; set ORDERCAST_DATABASE_URL to another file."),
        (a_folder, "check that this user may write to the file and its folder."),
    ],
)
async def test_files_that_cannot_be_opened(path: Path, make: Any, words: str) -> None:
    path = make(path)
    settings = Settings(database_url=f"sqlite:///{path}")
    before = path.read_bytes() if path.is_file() else None
    for use in (lambda: connect(path), lambda: migrate(settings), lambda: check(settings)):
        with pytest.raises(StorageError) as caught:
            use()
        assert str(caught.value).startswith(f"The database {path} cannot be opened: ")
        assert words in str(caught.value)
    with pytest.raises(StorageError, match="cannot be opened"):
        async with open_storage(settings):
            pass
    assert (path.read_bytes() if path.is_file() else None) == before


# -- looking at it ------------------------------------------------------------------------------------------


def test_check_before_there_is_one(settings: Settings, path: Path) -> None:
    assert check(settings) == f"{path} does not exist yet; 'ordercast serve' will make it"
    assert not path.exists()
    path.touch()
    assert check(settings) == f"{path} is at schema none, 'ordercast migrate' brings it to 0006"
    assert path.stat().st_size == 0


async def test_check(settings: Settings, path: Path) -> None:
    async with open_storage(settings) as storage:
        assert check(settings) == f"{path} holds 0 orders, log position 0, schema 0006"
        for _ in range(2):
            await storage.orders.create(NewOrder(customer_id="42"), "received", "shop")
        await storage.orders.change("1", lambda order: None)
        assert check(settings) == f"{path} holds 2 orders, log position 2, schema 0006"
    assert check(settings) == f"{path} holds 2 orders, log position 2, schema 0006"


def test_checking_changes_nothing(settings: Settings, path: Path) -> None:
    """Not even the journal mode, which is kept in the file, of what may be another program's."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    assert "is at schema none" in check(settings)
    assert path.read_bytes() == before
    assert names(path.parent) == [path.name]


def test_check_of_a_damaged_file(settings: Settings, path: Path) -> None:
    migrate(settings)
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE log_head")
    db.close()
    with pytest.raises(StorageError, match=r"cannot be read: no such table: log_head"):
        check(settings)


# -- its ids ------------------------------------------------------------------------------------------------


async def test_ids_are_made_once(settings: Settings, tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        async with open_storage(settings) as storage:
            seen.append((storage.log.log_id, storage.secret_key))
    assert seen[0] == seen[1]
    log_id, secret_key = seen[0]
    assert len(secret_key) >= 32
    async with open_storage(Settings(database_url=f"sqlite:///{tmp_path}/other.db")) as other:
        assert other.log.log_id != log_id
        assert other.secret_key != secret_key


async def test_the_settings_key_comes_first_and_is_not_kept(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        made = storage.secret_key
    async with open_storage(settings.model_copy(update={"secret_key": "k" * 40})) as storage:
        assert storage.secret_key == "k" * 40
    async with open_storage(settings) as storage:
        assert storage.secret_key == made
