"""What storage does by itself, beside retention: it goes on whatever fails, and removes what nobody reads any more."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.errors import StorageError
from ordercast.storage import housekeeping
from ordercast.storage.database import open_storage
from ordercast.storage.housekeeping import regularly
from tests.contract.support import stop_clocks


async def test_a_chore_that_fails_is_tried_again_and_holds_up_no_other() -> None:
    done: list[str] = []
    enough = asyncio.Event()

    async def fail() -> None:
        done.append("failed")
        raise StorageError("not now")

    async def work() -> None:
        done.append("done")
        if len(done) >= 6:
            enough.set()

    async with regularly(0.001, fail, work):
        await asyncio.wait_for(enough.wait(), 30)
    assert done[:6] == ["failed", "done"] * 3
    assert housekeeping.LOOK_EVERY <= 2


async def test_watches_are_removed_when_they_are_not_given_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = stop_clocks(monkeypatch)
    monkeypatch.setattr("ordercast.storage.purge.BATCH", 4)
    path = tmp_path / "orders.db"
    settings = Settings(database_url=f"sqlite:///{path}")

    def kept() -> int:
        db = sqlite3.connect(path)
        try:
            count: int = db.execute("SELECT count(*) FROM watches").fetchone()[0]
            return count
        finally:
            db.close()

    async with open_storage(settings) as storage:
        for n in range(13):
            await storage.watches.save("p", "42", str(n))
        clock.tick(1)
        await storage.watches.save("p", "42", "3")
        await storage.watches.save("q", "42", "20")
        clock.tick(settings.recovery_ttl - 1)
        await storage.watches.purge()
        assert kept() == 14
        clock.tick()
        await storage.watches.purge()
        assert kept() == 2
        assert await storage.watches.of("p", "42") == {"3"}
        assert await storage.watches.of("q", "42") == {"20"}
