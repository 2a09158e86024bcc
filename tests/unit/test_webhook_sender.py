"""Senders over a log in memory: what becomes of endpoints that change, leases that end and events that are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ordercast.errors import StorageError
from ordercast.orders.models import EventKind, NewOrder, OrderEvent, now
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.testing import MemoryStorage, memory_storage
from ordercast.webhooks import sender as sender_module
from ordercast.webhooks.messages import body_of, types_of
from ordercast.webhooks.models import TYPES, Answer, Delivery, Endpoint, Settled, new_secret
from ordercast.webhooks.runner import Line
from ordercast.webhooks.sender import Sender

WAIT = 60.0  # s that only bound a failure
SHOP = Principal("shop", Role.SERVICE)
WORKFLOW = load_workflow()
ENDPOINT = Endpoint(id="wh_1", url="https://a.example/", secrets=(new_secret(),), cursor=0, created_at=0)


class Receiver:
    """Takes what comes, once it is open."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any, str, Any]] = []  # url, order, type, version
        self.open = asyncio.Event()
        self.open.set()

    async def check(self, url: str) -> None:
        pass

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        await self.open.wait()
        message = msgspec.json.decode(body)
        data = message["data"]
        self.got.append((endpoint.url, data["orderId"], message["type"], data["version"]))
        return Answer(204)


class World:
    def __init__(self) -> None:
        self.storage: MemoryStorage = memory_storage()
        self.orders = OrderService(self.storage.orders, WORKFLOW)
        self.receiver = Receiver()

    @asynccontextmanager
    async def sender(self, run: str = "me") -> AsyncIterator[Sender]:
        storage = self.storage
        step, client = WORKFLOW.step, self.receiver
        sender = Sender(Line(run, storage.webhooks, storage.log, storage.orders, step, client, (0.01,) * 50))
        async with sender.running():
            yield sender

    async def create(self, order_id: str, **more: Any) -> None:
        await self.orders.create(NewOrder(customer_id="42", order_id=order_id, **more), SHOP)

    async def cursor(self) -> int:
        found = await self.storage.webhooks.get("wh_1")
        assert found is not None
        return found.cursor


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT):
        while not done():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(sender_module, "LOOK", 0.02)
    world = World()
    await world.storage.webhooks.add(ENDPOINT)
    return world


async def test_whoever_stops_has_written_down_how_far_it_came(world: World) -> None:
    async with world.sender() as sender:
        for n in range(20):
            await world.create(str(n))
        await until(lambda: len(world.receiver.got) == 20)
        assert (sender.behind, sender.oldest_age) == (0, 0.0)
    assert await world.cursor() == 20
    async with world.sender("another"):
        await world.create("20")
        await until(lambda: len(world.receiver.got) == 21)


async def test_a_change_counts_for_what_comes_after_it(world: World) -> None:
    async with world.sender() as sender:
        await world.create("1")
        await until(lambda: len(world.receiver.got) == 1)
        assert await world.storage.webhooks.replace(replace(ENDPOINT, url="https://b.example/"))
        await until(lambda: [one.endpoint.url for one in sender._runners.values()] == ["https://b.example/"])
        await world.create("2")
        await until(lambda: ("https://b.example/", 2, TYPES[0], 1) in world.receiver.got)
        world.receiver.open.clear()
        await world.create("3")
        assert await world.storage.webhooks.remove("wh_1")
        await until(lambda: not named("ordercast webhook wh_1"))
    assert len([one for one in world.receiver.got if one[1] == 3]) <= 1


def named(name: str) -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task.get_name() == name}


async def test_two_senders_send_each_message_once(world: World) -> None:
    async with world.sender("a"), world.sender("b"):
        for n in range(10):
            await world.create(str(n))
        await until(lambda: len(world.receiver.got) == 10)
    assert len(world.receiver.got) == 10


async def test_who_loses_the_lease_writes_no_more_and_the_other_sends_again(world: World) -> None:
    world.receiver.open.clear()
    async with world.sender("a") as a:
        await world.create("1")
        await until(lambda: a.behind == 1)
        (task,) = named("ordercast webhook wh_1")
        task.add_done_callback(lambda _: world.receiver.open.set())
        world.storage.webhooks.expire("wh_1")
        assert await world.storage.webhooks.lease("wh_1", "b")
        async with asyncio.timeout(WAIT):
            await world.receiver.open.wait()
    assert world.receiver.got == []
    assert await world.cursor() == 0
    await world.storage.webhooks.release("wh_1", "b")
    async with world.sender("c"):
        await until(lambda: len(world.receiver.got) == 1)


async def test_who_has_not_heard_that_the_lease_is_gone_learns_it_when_it_writes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "LOOK", 1e6)
    world.receiver.open.clear()
    async with world.sender("a") as a:
        await world.create("1")
        await until(lambda: a.behind == 1)
        world.storage.webhooks.expire("wh_1")
        assert await world.storage.webhooks.lease("wh_1", "b")
        world.receiver.open.set()
        await until(lambda: not named("ordercast webhook wh_1"))
    assert len(world.receiver.got) == 1
    assert await world.cursor() == 0


async def test_a_database_that_is_away_delays_and_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = world.storage.webhooks
    settle, failures = store.settle, [StorageError("away")] * 2

    async def failing(id: str, run: str, settled: Settled) -> bool:
        if failures:
            raise failures.pop()
        return await settle(id, run, settled)

    monkeypatch.setattr(store, "settle", failing)
    monkeypatch.setattr("ordercast.webhooks.runner._RETRY", 0.01)
    async with world.sender():
        await world.create("1")
        await world.create("2")
        await until(lambda: not failures and len(world.receiver.got) >= 2)
    assert await world.cursor() == 2


async def test_events_that_are_gone_are_told_of(world: World) -> None:
    for n in range(3):
        await world.create(str(n))
    world.storage.log.remove_before(now() + timedelta(days=1))
    await world.create("3")
    async with world.sender():
        await until(lambda: len(world.receiver.got) == 1)
    found = await world.storage.webhooks.get("wh_1")
    assert found is not None
    assert found.problem is not None
    assert "events 1 to 3 were older than ORDERCAST_LOG_RETENTION" in found.problem
    assert found.cursor == 4


async def test_a_message_whose_event_is_gone_is_dead(world: World) -> None:
    await world.create("1")
    kept = Delivery(position=1, type=TYPES[0], order_id="1", at=0, attempts=2)
    await world.storage.webhooks.lease("wh_1", "x")
    await world.storage.webhooks.settle("wh_1", "x", Settled(1, (kept,)))
    await world.storage.webhooks.release("wh_1", "x")
    world.storage.log.remove_before(now() + timedelta(days=1))
    async with world.sender() as sender:
        await until(lambda: sender.outcomes.get("dead") == 1)
    (dead,) = await world.storage.webhooks.deliveries("wh_1", "dead", None, 9)
    assert dead.reason == "Its event is older than ORDERCAST_LOG_RETENTION keeps."


async def test_what_events_say(world: World) -> None:
    await world.create("1", shop_id="north")
    await world.orders.update("1", SHOP, status="accepted", fields={"note": "x"})
    order = await world.storage.orders.get("1")
    created, moved = await world.storage.orders.history("1")
    assert [*types_of(created)] == [TYPES[0]]
    assert [*types_of(moved)] == [*TYPES[1:]]
    assert [*types_of(replace(created, kind=EventKind.IMPORTED))] == []  # an import is quiet
    both: list[OrderEvent] = [created, moved]
    for event in both:
        south = replace(ENDPOINT, shops=frozenset({"south"}))
        assert order is not None
        assert body_of(south, types_of(event)[0], event, order, WORKFLOW.step) is None
        elsewhere = replace(order, shop_id="south")
        north = replace(ENDPOINT, shops=frozenset({"north"}))
        assert body_of(north, types_of(event)[0], event, elsewhere, WORKFLOW.step) is None
        assert body_of(south, types_of(event)[0], event, elsewhere, WORKFLOW.step) is not None
    assert body_of(ENDPOINT, TYPES[0], created, None, WORKFLOW.step) is None
