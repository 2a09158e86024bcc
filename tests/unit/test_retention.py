"""Removing old events from a file: while it is read and written, by several processes, over restarts, by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Statement
from tests.contract.support import Clock, create, held, noting, positions, retention, stop_clocks, written_through

DAY = 86_400.0
NEVER = 1e6  # s between looks that are not to come


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.db"


@pytest.fixture
def settings(path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{path}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("purge", "retention"):
        monkeypatch.setattr(f"ordercast.storage.{module}.BATCH", 4)


async def fill(storage: Storage, clock: Clock, events: int) -> None:
    """So many events of one order, a second apart; the newest is of now."""
    await create(storage.orders, "x")
    for n in range(1, events):
        clock.tick(1)
        await storage.orders.change("x", noting(str(n)))


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what a background task does."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)


def stored(path: Path) -> tuple[list[int], int]:
    """The positions in the file, and its floor."""
    db = sqlite3.connect(path)
    try:
        found = [row[0] for row in db.execute("SELECT position FROM order_events ORDER BY position")]
        return found, db.execute("SELECT floor FROM log_head").fetchone()[0]
    finally:
        db.close()


# -- how ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_batches")
async def test_an_age_that_is_taken_back_keeps_what_is_left_by_then(
    settings: Settings, path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 12)
        keep = retention(storage, 0.5)
        run = keep._writer.run

        async def taken_back(*statements: Statement) -> Any:
            keep.adopt(0)
            return await run(*statements)

        monkeypatch.setattr(keep._writer, "run", taken_back)
        await keep.remove_old()
    assert stored(path) == (list(range(5, 13)), 4)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("old", [0, 1, 3, 4, 5, 8, 11, 12])
async def test_in_small_batches(settings: Settings, path: Path, clock: Clock, old: int) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 12)
        clock.tick(0.5)
        asked: list[str] = []
        written_through(storage).set_trace_callback(asked.append)
        await retention(storage, 12.25 - old).remove_old()
        written_through(storage).set_trace_callback(None)
        assert storage.log.floor == old
        assert stored(path) == ([*range(old + 1, 13)], old)
        # A batch removes four at most, and the last one may find nothing.
        assert sum(sql == "COMMIT" for sql in asked) == (0 if old == 0 else old // 4 + 1)


async def test_of_nothing_nothing_is_written(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        asked: list[str] = []
        written_through(storage).set_trace_callback(asked.append)
        await retention(storage, 1).remove_old()
        clock.tick(DAY)
        for chore in (storage.watches.purge, storage.revocations.purge):
            await chore()
        assert asked == []
        await fill(storage, clock, 3)
        asked.clear()
        for seconds in (0, 10):
            await retention(storage, seconds).remove_old()
        assert asked == []


@pytest.mark.usefixtures("small_batches")
async def test_changes_go_on_between_batches(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 50)
        clock.tick(DAY)
        await asyncio.gather(
            retention(storage, 10).remove_old(),
            retention(storage, 20).remove_old(),
            *(storage.orders.change("x", noting(f"new {n}")) for n in range(100)),
            *(create(storage.orders) for _ in range(100)),
        )
        assert stored(path) == ([*range(51, 251)], 50)
        assert (storage.log.floor, await storage.log.head()) == (50, 250)
        order = await storage.orders.get("x")
        assert order is not None
        assert order.version == 150


async def test_one_that_fails_removes_nothing(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 5)
        clock.tick(DAY)
        db = written_through(storage)
        for failing, statement in (("DELETE", "order_events"), ("UPDATE", "log_head")):
            db.execute(f"CREATE TRIGGER fail BEFORE {failing} ON {statement} BEGIN SELECT raise(FAIL, 'no'); END")
            with pytest.raises(StorageError, match="no"):
                await retention(storage, 1).remove_old()
            db.execute("DROP TRIGGER fail")
            assert (storage.log.floor, stored(path)) == (0, ([1, 2, 3, 4, 5], 0))
        await retention(storage, 1).remove_old()
        assert (storage.log.floor, stored(path)) == (5, ([], 5))


async def test_one_in_a_batch_with_a_change(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 3)
        keep = retention(storage, 1)
        clock.tick(DAY)
        async with held(storage.orders):
            change = asyncio.create_task(storage.orders.change("x", noting("now")))
            remove = asyncio.create_task(keep.remove_old())
            await asyncio.sleep(0)
        await asyncio.gather(change, remove)
        assert stored(path) == ([4], 3)
        assert await positions(storage.log, 3) == [4]


# -- who reads meanwhile ------------------------------------------------------------------------------------


@pytest.mark.parametrize("from_memory", [True, False])
@pytest.mark.parametrize("step", [1, 3, 5, 20])
async def test_a_reader_in_the_middle_is_told_what_it_misses(
    settings: Settings, clock: Clock, step: int, from_memory: bool
) -> None:
    """Every position is either seen or, after the look that passed over it, below the floor."""
    async with open_storage(settings) as storage:
        await fill(storage, clock, 20)
        if from_memory:
            await read_while_removing(storage, storage, clock, step)
    if not from_memory:
        # One process removes, another reads, which hears of it only by reading.
        async with open_storage(settings, look_every=NEVER) as here, open_storage(settings) as there:
            await read_while_removing(here, there, clock, step)


async def read_while_removing(here: Storage, there: Storage, clock: Clock, step: int) -> None:
    newest = clock.time
    at, missed = 0, []
    for rounds in count(1):
        found = await positions(here.log, at, step)
        if at < here.log.floor:
            missed += [*range(at + 1, found[0] if found else 21)]
        else:
            assert found == [*range(at + 1, at + 1 + len(found))]
        if not found:
            break
        at = found[-1]
        clock.time = newest
        await retention(there, 20 - min(4 * rounds, 19)).remove_old()
    assert at == 20
    assert bool(missed) == (step < 4)
    assert all(position <= here.log.floor for position in missed)


async def test_a_look_that_has_begun_sees_what_was_there(settings: Settings, path: Path, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 5)
        clock.tick(DAY)
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        assert reader.execute("SELECT floor FROM log_head").fetchone() == (0,)
        await retention(storage, 1).remove_old()
        assert reader.execute("SELECT count(*) FROM order_events").fetchone() == (5,)
        reader.execute("COMMIT")
        assert reader.execute("SELECT floor, (SELECT count(*) FROM order_events) FROM log_head").fetchone() == (5, 0)
        reader.close()


# -- who knows ----------------------------------------------------------------------------------------------


async def test_the_floor_is_known_after_a_restart(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await fill(storage, clock, 5)
        await retention(storage, 2).remove_old()
        name = storage.log.log_id
    async with open_storage(settings) as storage:
        assert (storage.log.floor, storage.log.log_id) == (2, name)
        assert await positions(storage.log, 2) == [3, 4, 5]
        assert [await storage.log.at(position) is None for position in (1, 2, 3, 5, 6)] == [
            *(True, True, False, False, True)
        ]


@pytest.mark.parametrize("look", ["head", "after"])
async def test_another_process_hears_of_it_by_looking(settings: Settings, clock: Clock, look: str) -> None:
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings) as there:
        await fill(here, clock, 5)
        await retention(there, 2).remove_old()
        assert (here.log.floor, there.log.floor) == (0, 2)
        await (here.log.head() if look == "head" else here.log.after(5, 1))
        assert here.log.floor == 2
        assert await positions(here.log) == [3, 4, 5]


async def test_another_process_hears_of_it_by_itself(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings, look_every=0.001) as here, open_storage(settings) as there:
        await fill(here, clock, 5)
        await retention(there, 2).remove_old()
        await until(lambda: here.log.floor == 2)


# -- by itself ----------------------------------------------------------------------------------------------


async def test_it_is_done_at_the_start_and_now_and_then(settings: Settings, path: Path, clock: Clock) -> None:
    settings = settings.model_copy(update={"log_retention": DAY})
    async with open_storage(settings) as storage:
        await fill(storage, clock, 5)
        await storage.watches.save("p", "42", "x")
        await storage.revocations.revoke_token("t")
    clock.tick(DAY - 1.5)
    async with open_storage(settings, tidy_every=NEVER) as storage:
        await until(lambda: storage.log.floor == 3)
        assert await storage.watches.of("p", "42") == {"x"}
    async with open_storage(settings, tidy_every=0.001) as storage:
        assert storage.log.floor == 3
        clock.tick(settings.jwt_max_lifetime)
        await until(lambda: storage.log.floor == 5)
        await until(lambda: rows(path) == (0, 0))
        await until(lambda: len(storage.revocations._revoked) == 0)  # after its row


def rows(path: Path) -> tuple[int, int]:
    db = sqlite3.connect(path)
    try:
        found: tuple[int, int] = db.execute(
            "SELECT (SELECT count(*) FROM watches), (SELECT count(*) FROM revocations)"
        ).fetchone()
        return found
    finally:
        db.close()


async def test_all_is_kept_where_the_setting_says_so(settings: Settings, path: Path, clock: Clock) -> None:
    forever = settings.model_copy(update={"log_retention": 0.0})
    async with open_storage(forever) as storage:
        await fill(storage, clock, 3)
        clock.tick(1000 * DAY)
        await retention(storage, forever.log_retention).remove_old()
        assert stored(path) == ([1, 2, 3], 0)
