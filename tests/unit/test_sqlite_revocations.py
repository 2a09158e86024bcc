"""Revoked tokens in a file: other processes, restarts, and their end. The rest is the contract's."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.orders.principal import Principal, Role
from ordercast.storage.database import open_storage
from tests.contract.support import Clock, create, held, stop_clocks, written_through

NEVER = 1e6  # s between looks that are not to come


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}", jwt_max_lifetime=1_000)


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


async def test_they_outlast_a_restart(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await storage.revocations.revoke_token("t")
        await storage.revocations.revoke_user("42")
    now = clock.time.timestamp()
    async with open_storage(settings) as storage:
        assert storage.revocations.is_revoked(token("t"))
        assert storage.revocations.is_revoked(user("42", now))
        assert not storage.revocations.is_revoked(user("42", now + 1))
        assert not storage.revocations.is_revoked(token("u"))


async def test_what_another_process_revokes_is_found_by_looking(settings: Settings, clock: Clock) -> None:
    heard: list[bool] = []
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        here.revocations.subscribe(lambda: heard.append(here.revocations.is_revoked(token("t"))))
        await here.revocations.look()
        await there.revocations.revoke_token("t")
        await there.revocations.revoke_user("42")
        assert not here.revocations.is_revoked(token("t"))
        assert heard == []
        await here.revocations.look()
        assert here.revocations.is_revoked(token("t"))
        assert here.revocations.is_revoked(user("42"))
        assert heard == [True]
        await here.revocations.look()  # nothing new
        await here.revocations.revoke_token("u")
        assert heard == [True, True]
        await here.revocations.look()  # only what is known
        assert heard == [True, True]


async def test_what_another_process_revokes_is_found_without_asking(settings: Settings) -> None:
    heard = asyncio.Event()
    async with open_storage(settings, look_every=0.001) as here, open_storage(settings) as there:
        here.revocations.subscribe(heard.set)
        await there.revocations.revoke_user("42")
        async with asyncio.timeout(30):
            await heard.wait()
        assert here.revocations.is_revoked(user("42"))


@pytest.mark.parametrize("back", [0.0, 0.001, 5.0, 100_000.0])
async def test_a_clock_that_is_set_back_hides_none(settings: Settings, clock: Clock, back: float) -> None:
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        await there.revocations.revoke_token("first")
        await here.revocations.look()
        clock.tick(-back)
        await there.revocations.revoke_token("second")
        await there.revocations.revoke_user("42")
        await here.revocations.look()
        assert here.revocations.is_revoked(token("second"))
        assert here.revocations.is_revoked(user("42", clock.time.timestamp()))


async def test_many_at_once_from_two_processes(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        revoked = [(storage, f"{n} {name}") for n in range(150) for storage, name in ((here, "here"), (there, "there"))]

        async def look() -> None:
            for _ in range(20):
                await here.revocations.look()
                await there.revocations.look()

        await asyncio.gather(look(), *(storage.revocations.revoke_token(name) for storage, name in revoked))
        for storage in (here, there):
            await storage.revocations.look()
            assert all(storage.revocations.is_revoked(token(name)) for _, name in revoked)


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
