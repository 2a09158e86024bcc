"""What is watched outlasts the time it is kept for, while the connection does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ordercast.errors import StorageError
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from tests.fake_clients import settled
from tests.inside import ordercast, stop_all_clocks
from tests.visitor import Visitor


@pytest.mark.parametrize("renewed", [True, False])
async def test_a_watch_that_is_older_than_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renewed: bool
) -> None:
    clock = stop_all_clocks(monkeypatch)
    async with ordercast(tmp_path, recovery_ttl=100) as app:
        await app.orders.create(NewOrder(order_id="1", customer_id="42"), Principal("shop", Role.SERVICE))
        visitor = Visitor(app, 7, "operator")
        pid = (await visitor.come())["pid"]
        await visitor.call("watch:order", 1)
        clock.tick(80)
        if renewed:
            app.renewal.begin()
            await settled(app.io)
        clock.tick(80)
        assert await app.storage.watches.of(pid, "7") == ({"1"} if renewed else set())


async def test_a_database_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ordercast(tmp_path) as app:
        await app.orders.create(NewOrder(order_id="1", customer_id="42"), Principal("shop", Role.SERVICE))
        visitor = Visitor(app, 7, "operator")
        await visitor.come()
        await visitor.call("watch:order", 1)
        saved = []
        watches = type(app.storage.watches)

        async def save_all(self: object, *args: Any) -> None:
            saved.append(args)
            if len(saved) == 1:
                raise StorageError("away")

        monkeypatch.setattr(watches, "save_all", save_all)
        for _ in range(2):
            app.renewal.begin()
            app.renewal.begin()  # which is under way
            await settled(app.io)
        assert len(saved) == 2
