"""Revoked tokens in a file: their end, and what fails. The rest is the contract's."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.principal import Principal, Role
from ordercast.storage.database import open_storage
from ordercast.storage.sqlite_writer import SqliteWriter
from tests.contract.support import Clock, create, held, stop_clocks, written_through

NEVER = 1e6  # s between looks that are not to come


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}", jwt_max_lifetime=1_000, share_lifetime=1_000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clocks(monkeypatch)


def token(token_id: str) -> Principal:
    return Principal("nobody", Role.CUSTOMER, token_id=token_id)


def user(user_id: str, issued_at: float | None = None) -> Principal:
    return Principal(user_id, Role.CUSTOMER, issued_at=issued_at)


def kept(path: Path) -> set[str]:
    db = sqlite3.connect(path)
    try:
        return {row[0] for row in db.execute("SELECT value FROM revocations")}
    finally:
        db.close()


async def test_lifetimes_that_become_shorter_do_not_end_them_before_what_was_made_until_then(
    settings: Settings, path: Path, clock: Clock
) -> None:
    async with open_storage(settings, tidy_every=NEVER) as storage:
        revocations = storage.revocations
        revocations.adopt(10)
        await revocations.revoke_token("made before")
        clock.tick(999)
        await revocations.purge()
        assert revocations.is_revoked(token("made before"))
    assert kept(path) == {"made before"}


async def test_they_end_with_the_last_token_they_reach(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings, tidy_every=NEVER) as storage:
        revocations = storage.revocations
        now = clock.time.timestamp()
        await revocations.revoke_user("42")
        await revocations.revoke_token("whole life")
        await revocations.revoke_token("half a life", now + 500)
        await revocations.revoke_token("said to live on", now + 5_000)
        await revocations.revoke_token("twice", now + 500)
        await revocations.revoke_token("twice")
        clock.tick(500)
        await revocations.purge()
        assert kept(path) == {"42", "whole life", "half a life", "said to live on", "twice"}
        clock.tick()
        await revocations.purge()
        assert kept(path) == {"42", "whole life", "said to live on", "twice"}
        assert not revocations.is_revoked(token("half a life"))
        clock.tick(499.998)
        await revocations.purge()
        assert all(revocations.is_revoked(token(id)) for id in ("whole life", "said to live on", "twice"))
        assert revocations.is_revoked(user("42", now))
        clock.tick(1)  # each of those revoked in one millisecond counts as a millisecond later than the one before
        await revocations.purge()
        assert (kept(path), len(revocations._revoked)) == (set(), 0)


async def test_revoking_again_makes_a_users_last_anew(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings, tidy_every=NEVER) as storage:
        await storage.revocations.revoke_user("42")
        clock.tick(900)
        await storage.revocations.revoke_user("42")
        clock.tick(900)
        await storage.revocations.purge()
        assert kept(path) == {"42"}
        assert storage.revocations.is_revoked(user("42"))


async def test_one_that_could_not_be_stored_is_none(settings: Settings, path: Path) -> None:
    """Whoever revokes hears that it failed, and no node disagrees with another."""
    async with open_storage(settings) as storage:
        heard: list[int] = []
        storage.revocations.subscribe(lambda: heard.append(1))
        db = written_through(storage)
        db.execute("CREATE TRIGGER fail BEFORE INSERT ON revocations BEGIN SELECT raise(FAIL, 'no'); END")
        with pytest.raises(StorageError, match="no"):
            await storage.revocations.revoke_token("t")
        assert not storage.revocations.is_revoked(token("t"))
        assert heard == []
        db.execute("DROP TRIGGER fail")
        await storage.revocations.revoke_token("t")
        assert storage.revocations.is_revoked(token("t"))


async def test_one_whose_asker_has_gone_counts_after_the_next_look(settings: Settings) -> None:
    async with open_storage(settings, look_every=NEVER) as storage:
        await create(storage.orders, "x")
        async with held(storage.orders):
            gone = asyncio.create_task(storage.revocations.revoke_token("t"))
            await asyncio.sleep(0)
            gone.cancel()
        await create(storage.orders)  # behind it
        await storage.revocations.look()
        assert gone.cancelled()
        assert storage.revocations.is_revoked(token("t"))


async def test_a_look_that_comes_between_tells_of_it_and_nobody_tells_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is read by itself now and then, also just after a commit whose maker has not gone on yet."""
    async with open_storage(settings, tidy_every=NEVER) as storage:
        heard: list[bool] = []
        storage.revocations.subscribe(lambda: heard.append(storage.revocations.is_revoked(token("t"))))
        run = SqliteWriter.run

        async def looked_at(writer: SqliteWriter, *statements: Any, **options: Any) -> Any:
            answer = await run(writer, *statements, **options)
            await storage.revocations.look()
            return answer

        monkeypatch.setattr(SqliteWriter, "run", looked_at)
        assert await storage.revocations.revoke_token("t")
        assert heard == [True]


async def test_they_outlive_share_links_too(settings: Settings, path: Path, clock: Clock) -> None:
    shares = settings.model_copy(update={"share_lifetime": 5_000.0})
    async with open_storage(shares, tidy_every=NEVER) as storage:
        await storage.revocations.revoke_token("a share link")
        clock.tick(4_999)
        await storage.revocations.purge()
        assert kept(path) == {"a share link"}
        assert storage.revocations.is_revoked(token("a share link"))
