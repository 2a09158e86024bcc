"""Closed orders that have become too old: they go with all that names them, and nobody who reads the log misses one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import NotFound
from ordercast.orders.models import IdempotencyKey, NewOrder
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Row, Statement
from ordercast.storage.order_retention import OrderRetention
from tests.contract.support import Clock, create, noting, positions, retention

DAY = 86_400.0
NEVER = 1e6  # s between looks that are not to come
BY = Principal("shop", Role.SERVICE)
CLOSED = ("delivered", "cancelled")


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/orders.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    # The housekeeping's own first round may come late, and finds nothing.
    return Settings(database_url=url, log_retention=0, recovery_ttl=10_000 * DAY, idempotency_ttl=10_000 * DAY)


@pytest.fixture
async def storage(settings: Settings, clock: Clock) -> AsyncIterator[Storage]:
    async with open_storage(settings, tidy_every=NEVER) as storage:
        yield storage


def closed(storage: Storage, days: float, log_days: float = 1) -> OrderRetention:
    """What removes orders that have been closed for longer."""
    writer, readers = storage.orders._writer, storage.orders._readers
    return OrderRetention(writer, readers, CLOSED, days * DAY, log_days * DAY)


async def left(storage: Storage, table: str = "orders") -> list[str]:
    rows = await storage.orders._readers.fetch(f"SELECT order_id FROM {table} ORDER BY order_id")
    return [row[0] for row in rows]


async def tidy(storage: Storage, days: float, log_days: float = 1) -> int:
    """Removes old events, then old orders, as the housekeeping does; returns how many orders went."""
    await retention(storage, log_days * DAY).remove_old()
    keep = closed(storage, days, log_days)
    await keep.remove_old()
    return keep.removed


async def test_an_age_that_is_taken_back_keeps_what_is_left_by_then(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordercast.storage.order_retention.BATCH", 2)
    for id in "abcdef":
        await create(storage.orders, id, status="delivered")
    clock.tick(10 * DAY)
    await retention(storage, DAY).remove_old()
    keep = closed(storage, 9)
    run = keep._writer.run

    async def taken_back(*statements: Statement, alone: bool = False) -> Any:
        keep.adopt(CLOSED, 0, DAY)
        return await run(*statements, alone=alone)

    monkeypatch.setattr(keep._writer, "run", taken_back)
    await keep.remove_old()
    assert len(await left(storage)) == 4


async def test_other_ages_and_statuses_are_taken_up(storage: Storage, clock: Clock) -> None:
    for id, status in (("a", "delivered"), ("b", "cancelled")):
        await create(storage.orders, id, status=status)
    clock.tick(10 * DAY)
    await retention(storage, DAY).remove_old()
    keep = closed(storage, 0)
    await keep.remove_old()
    assert await left(storage) == ["a", "b"]
    keep.adopt({"cancelled"}, 9 * DAY, DAY)
    await keep.remove_old()
    assert await left(storage) == ["a"]
    keep.adopt(CLOSED, 11 * DAY, DAY)
    await keep.remove_old()
    assert await left(storage) == ["a"]
    keep.adopt(CLOSED, 9 * DAY, DAY)
    await keep.remove_old()
    assert await left(storage) == []


async def test_what_is_closed_and_old_goes_and_nothing_else(storage: Storage, clock: Clock) -> None:
    for id, status in (("a", "delivered"), ("b", "cancelled"), ("c", "received"), ("d", "no longer known")):
        await create(storage.orders, id, status=status)
    clock.tick(5 * DAY)
    await create(storage.orders, "e", status="delivered")
    clock.tick(5 * DAY - 0.001)
    assert await tidy(storage, 10) == 0
    clock.tick(0.002)
    assert await tidy(storage, 10) == 2
    assert await left(storage) == ["c", "d", "e"]
    clock.tick(1000 * DAY)
    assert await tidy(storage, 10) == 1
    assert await left(storage) == ["c", "d"]


async def test_all_that_names_it_goes_with_it(storage: Storage, clock: Clock) -> None:
    for id in ("gone", "kept"):
        key = IdempotencyKey("service:shop: POST /api/orders", id, "f" * 64)
        new = NewOrder(order_id=id, customer_id="42", contact={"name": "Ana"})
        await storage.orders.create(new, "delivered" if id == "gone" else "ready", "shop", key, lambda order: b"Ana")
        await storage.watches.save("pid", "42", id)
        add = "INSERT INTO webhook_messages VALUES ('w', ?, 0, ?, 0, 9, 0, NULL, 'no', '', 'dead')"
        await storage.orders._writer.run(Statement(add, (1 if id == "gone" else 2, id)))
    clock.tick(20 * DAY)
    assert await tidy(storage, 10) == 1
    for table in ("orders", "idempotency_keys", "watches", "webhook_messages"):
        assert await left(storage, table) == ["kept"], table
    assert await left(storage, "order_events") == []
    service = OrderService(storage.orders, load_workflow())
    with pytest.raises(NotFound):
        await service.get("gone", BY)
    with pytest.raises(NotFound):
        await service.update("gone", BY, status="ready")


async def test_it_stays_while_the_log_tells_of_it(storage: Storage, clock: Clock) -> None:
    await create(storage.orders, "a", status="delivered")
    await create(storage.orders, "b", status="delivered")
    clock.tick(9.5 * DAY)
    await storage.orders.change("b", noting("a late word"))
    clock.tick(0.6 * DAY)
    keep = closed(storage, 10)
    await keep.remove_old()  # the log has all of it still, since nobody removed that
    assert await left(storage) == ["a", "b"]
    assert await tidy(storage, 10) == 1
    assert await left(storage) == ["b"]
    assert await positions(storage.log, storage.log.floor) == [3]
    clock.tick(DAY)
    assert await tidy(storage, 10) == 1


async def test_what_was_imported_counts_from_when_it_was_closed(storage: Storage, clock: Clock) -> None:
    service = OrderService(storage.orders, load_workflow())
    long_ago = clock.time
    clock.tick(1000 * DAY)
    old = NewOrder(order_id="old", customer_id="42", created_at=long_ago)
    await service.put(old, BY, status="delivered", imported=True)
    assert await tidy(storage, 10) == 0
    clock.tick(1.1 * DAY)
    assert await tidy(storage, 10) == 1


async def test_its_id_may_come_again_and_its_number_does_not(storage: Storage, clock: Clock) -> None:
    number = (await create(storage.orders, status="delivered")).order.order_id
    await create(storage.orders, "mine", status="delivered")
    clock.tick(20 * DAY)
    assert await tidy(storage, 10) == 2
    assert (await create(storage.orders)).order.order_id == str(int(number) + 1)
    again = (await create(storage.orders, "mine", note="new")).order
    assert (again.version, again.note) == (1, "new")
    assert [event.version for event in await storage.orders.history("mine")] == [1]
    assert await positions(storage.log, storage.log.floor) == [3, 4]


async def test_one_that_is_changed_meanwhile_stays(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("a", "b"):
        await create(storage.orders, id, status="delivered")
    clock.tick(20 * DAY)
    await retention(storage, DAY).remove_old()
    readers = storage.orders._readers

    class Slow:
        async def fetch(self, sql: str, *parameters: Any) -> Any:
            found = await readers.fetch(sql, *parameters)
            await storage.orders.change("b", noting("now"))
            return found

    keep = OrderRetention(storage.orders._writer, Slow(), CLOSED, 10 * DAY, DAY)
    await keep.remove_old()
    assert (keep.removed, await left(storage)) == (1, ["b"])


async def test_in_small_batches_by_one_at_a_time(
    storage: Storage, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ordercast.storage.order_retention.BATCH", 4)
    await asyncio.gather(*(create(storage.orders, f"x{n}", status="cancelled") for n in range(21)))
    clock.tick(20 * DAY)
    await retention(storage, DAY).remove_old()
    sizes: list[int] = []
    run = storage.orders._writer.run

    async def counted(*statements: Statement, alone: bool = False) -> list[Any]:
        assert alone
        rows: list[Any] = list(await run(*statements, alone=alone))
        sizes.append(len(rows[0]))
        return rows

    monkeypatch.setattr(storage.orders._writer, "run", counted)
    two = [closed(storage, 10) for _ in range(2)]
    await asyncio.gather(*(one.remove_old() for one in two), *(create(storage.orders) for _ in range(20)))
    assert max(sizes) <= 4
    assert sum(sizes) == sum(one.removed for one in two)
    assert len(await left(storage)) == 20


async def test_it_is_off_until_it_is_asked_for_and_then_done_by_itself(settings: Settings, clock: Clock) -> None:
    assert settings.order_retention == 0
    async with open_storage(settings) as storage:
        await create(storage.orders, "a", status="delivered")
        await create(storage.orders, "b", status="ready")
        clock.tick(1000 * DAY)
        asked: list[str] = []
        fetch = storage.orders._readers.fetch

        class Noting:
            async def fetch(self, sql: str, *parameters: Any) -> list[Row]:
                asked.append(sql)
                return list(await fetch(sql, *parameters))

        await OrderRetention(storage.orders._writer, Noting(), CLOSED, 0, 0).remove_old()
        await OrderRetention(storage.orders._writer, Noting(), (), DAY, DAY).remove_old()
        assert asked == []
        assert await left(storage) == ["a", "b"]
    kept = settings.model_copy(update={"order_retention": 90 * DAY, "log_retention": DAY})
    async with open_storage(kept, tidy_every=0.01) as storage, asyncio.timeout(60):
        while await left(storage) != ["b"]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        assert storage.closed.removed == 1
