"""`Webhooks`: endpoints, what waits for them, and who may send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from ordercast.config import Settings
from ordercast.storage.database import open_storage
from ordercast.testing import memory_storage
from ordercast.webhooks.hooks import TOLERANCE
from ordercast.webhooks.models import TYPES, Delivery, Endpoint, Secret, Seen, Settled, Tally
from ordercast.webhooks.ports import Received, Webhooks
from tests.contract.support import Clock

ENDPOINT = Endpoint(
    id="wh_1",
    url="https://shop.example/päckchen?x=1",
    description="the till's",
    events=TYPES[:2],
    shops=frozenset({"north", "7"}),
    secrets=(Secret("whsec_new"), Secret("whsec_old", 9_000)),
    cursor=5,
    created_at=1_000,
)


@pytest.fixture
async def webhooks(keeper: str) -> AsyncIterator[Webhooks]:
    if not keeper:
        yield memory_storage().webhooks
    else:
        async with open_storage(Settings(database_url=keeper)) as storage:
            yield storage.webhooks


@pytest.fixture
async def held(webhooks: Webhooks) -> Webhooks:
    """With one endpoint, whose lease ``me`` has."""
    await webhooks.add(ENDPOINT)
    assert await webhooks.lease("wh_1", "me")
    return webhooks


def message(position: int, type: str = TYPES[1], **more: object) -> Delivery:
    one = Delivery(position=position, type=type, order_id="a", at=position * 10)
    for name, value in more.items():
        setattr(one, name, value)
    return one


async def test_what_was_added_is_given(webhooks: Webhooks) -> None:
    assert await webhooks.all() == []
    other = replace(ENDPOINT, id="wh_0", shops=None, enabled=False, problem="gone", created_at=2_000)
    await webhooks.add(other)
    await webhooks.add(ENDPOINT)
    assert await webhooks.all() == [ENDPOINT, other]
    assert await webhooks.get("wh_1") == ENDPOINT
    assert await webhooks.get("nobody") is None


async def test_a_change_of_what_was_changed_meanwhile_is_none(held: Webhooks) -> None:
    await held.settle("wh_1", "me", Settled(8))
    assert await held.replace(replace(ENDPOINT, url="https://a.example", enabled=False, cursor=1))
    assert not await held.replace(replace(ENDPOINT, url="https://b.example"))
    assert not await held.replace(replace(ENDPOINT, id="nobody"))
    changed = replace(ENDPOINT, url="https://a.example", enabled=False, cursor=8, revision=2)
    assert await held.get("wh_1") == changed


async def test_what_is_settled_is_kept(held: Webhooks) -> None:
    one = message(6, attempts=2, due=50, status=500, reason="It answered 500.", answer="ö\n")
    two, three = message(7), message(7, TYPES[2], state="dead", attempts=9)
    assert await held.settle("wh_1", "me", Settled(7, (three, two, one)))
    assert await held.deliveries("wh_1", "waiting", None, 9) == [one, two]
    assert await held.deliveries("wh_1", "waiting", None, 1) == [one]
    assert await held.deliveries("wh_1", "waiting", one.key, 9) == [two]
    assert await held.deliveries("wh_1", "dead", two.key, 9) == [three]
    assert await held.deliveries("wh_1", "dead", three.key, 9) == []
    assert await held.deliveries("wh_2", "dead", None, 9) == []
    assert await held.tallies() == {"wh_1": Tally(2, 1, 60)}
    again = replace(one, attempts=3, state="dead")
    assert await held.settle("wh_1", "me", Settled(9, (again,), (two.key,)))
    assert await held.tallies() == {"wh_1": Tally(0, 2, None)}
    found = await held.get("wh_1")
    assert found is not None
    assert found.cursor == 9


async def test_dead_ones_wait_anew(held: Webhooks) -> None:
    dead = [message(position, state="dead", attempts=9) for position in (6, 7, 8)]
    waiting = message(9, attempts=1, due=3)
    await held.settle("wh_1", "me", Settled(9, (*dead, waiting)))
    assert await held.resend("wh_1", [dead[1].key, waiting.key, (77, TYPES[0])], 100) == 1
    again = await held.deliveries("wh_1", "waiting", None, 9)
    assert again == [message(7, due=100), waiting]
    assert await held.resend("wh_1", None, 200) == 2
    assert await held.resend("wh_1", None, 200) == 0
    found = await held.get("wh_1")
    assert found is not None
    assert found.revision == 4


async def test_only_who_has_the_lease_writes(held: Webhooks) -> None:
    assert await held.lease("wh_1", "me")
    await held.release("wh_1", "me")
    await held.lease("wh_1", "me")
    assert await held.settle("wh_1", "me", Settled(6, (message(6),)))
    await held.trouble("wh_1", "me", "it is slow", disable=False)
    found = await held.get("wh_1")
    assert found == replace(ENDPOINT, cursor=6, problem="it is slow")
    await held.trouble("wh_1", "me", "it is gone", disable=True)
    assert await held.get("wh_1") == replace(ENDPOINT, cursor=6, problem="it is gone", enabled=False, revision=2)
    assert not await held.lease("nobody", "me")


async def test_another_cannot(held: Webhooks, keeper: str) -> None:
    if keeper.startswith("sqlite"):
        return  # a file has one server, which holds all leases
    assert not await held.lease("wh_1", "other")
    assert not await held.settle("wh_1", "other", Settled(6, (message(6),)))
    await held.trouble("wh_1", "other", "x", disable=True)
    await held.release("wh_1", "other")
    assert await held.get("wh_1") == ENDPOINT
    assert await held.tallies() == {}
    assert await held.settle("wh_1", "me", Settled(6, (message(6),)))
    assert not await held.settle("wh_1", "other", Settled(7, (), (message(6).key,)))
    assert await held.tallies() == {"wh_1": Tally(1, 0, 60)}
    await held.release("wh_1", "me")
    assert await held.lease("wh_1", "other")
    assert not await held.settle("wh_1", "me", Settled(9))


async def test_what_is_removed_is_gone(held: Webhooks) -> None:
    await held.settle("wh_1", "me", Settled(6, (message(6),)))
    assert await held.remove("wh_1")
    assert not await held.remove("wh_1")
    assert not await held.lease("wh_1", "me")
    assert not await held.settle("wh_1", "me", Settled(7, (message(7),)))
    assert await held.all() == []
    assert await held.tallies() == {}


@pytest.fixture
async def received(keeper: str) -> AsyncIterator[Received]:
    if not keeper:
        yield memory_storage().hooks
    else:
        async with open_storage(Settings(database_url=keeper)) as storage:
            yield storage.hooks


async def test_a_message_that_came_in_is_known_again(received: Received) -> None:
    assert await received.begin("till", "msg_ö", "a") is Seen.NEW
    assert await received.begin("till", "msg_ö", "a") is Seen.NEW  # it was not done
    assert await received.begin("till", "msg_ö", "b") is Seen.OTHER
    await received.done("till", "msg_ö")
    assert await received.begin("till", "msg_ö", "a") is Seen.DONE
    assert await received.begin("till", "msg_ö", "b") is Seen.OTHER
    assert await received.begin("oven", "msg_ö", "b") is Seen.NEW


async def test_it_is_kept_for_longer_than_it_could_be_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("ordercast.storage.hooks.now", clock)
    settings = Settings(database_url=f"sqlite:///{tmp_path}/orders.db", idempotency_ttl=1)
    async with open_storage(settings) as storage:
        await storage.hooks.begin("till", "1", "a")
        clock.tick(2 * TOLERANCE)
        await storage.hooks.purge()
        assert await storage.hooks.begin("till", "1", "b") is Seen.OTHER
        clock.tick(1)
        await storage.hooks.purge()
        assert await storage.hooks.begin("till", "1", "b") is Seen.NEW
