"""A replay is whole: what it cannot say it passes over, and nothing of it is taken out for who reads slowly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ordercast.engineio import disconnects
from ordercast.errors import StorageError
from ordercast.orders.models import Order
from tests.fake_clients import settled
from tests.live import Heard, Live, living


def versions(heard: list[Heard]) -> list[tuple[int, int]]:
    """Order and version of each change of an order."""
    return [(data["orderId"], data["version"]) for event, data in heard if event.startswith("order:changed")]


def names(heard: list[Heard]) -> list[str]:
    return [event for event, _ in heard]


# -- what cannot be said -------------------------------------------------------------------------------------


def failing(live: Live, monkeypatch: pytest.MonkeyPatch, fails: Callable[[Any], bool], error: Exception) -> list[int]:
    """Has encoding an announcement fail; returns the positions that were tried."""
    root, tried = live.io.of("/"), []
    encode = type(root).encode_event

    def encode_event(self: Any, event: str, args: Any, *more: Any, **named: Any) -> Any:
        if event.startswith("order:"):
            tried.append(args[0]["position"])
            if fails(args[0]):
                raise error
        return encode(self, event, args, *more, **named)

    monkeypatch.setattr(type(root), "encode_event", encode_event)
    return tried


@pytest.mark.parametrize("feed_tries", [True, False])
async def test_an_event_that_cannot_be_said_is_passed_over(monkeypatch: pytest.MonkeyPatch, feed_tries: bool) -> None:
    monkeypatch.setattr("ordercast.live.feed._RETRY", 0)
    async with living() as live:
        if feed_tries:
            tried = failing(live, monkeypatch, lambda data: data.get("version") == 3, TypeError("JSON cannot hold it"))
        since = live.cursor
        await live.create("1")
        for text in "abc":
            await live.note("1", text)
        if not feed_tries:  # as after a restart: the feed began behind it
            live.restarted()
            tried = failing(live, monkeypatch, lambda data: data.get("version") == 3, TypeError("JSON cannot hold it"))
        before = len(tried)
        for _ in range(3):
            client = await live.come(since=since)
            heard = await client.told()
            assert versions(heard) == [(1, 2), (1, 4)]
            assert "caught_up" in names(heard)
            assert client.session.why is None
        assert tried[before:].count(3) == (0 if feed_tries else 1), "it is tried and logged once"


async def test_an_order_that_is_gone_leaves_a_replay_whole() -> None:
    async with living() as live:
        since = live.cursor
        await live.create("1")
        await live.create("2")
        await live.note("1", "x")
        live.restarted()
        del live.storage.orders._orders["1"]
        heard = await (await live.come(since=since)).told()
        assert [data["orderId"] for event, data in heard if event == "order:created"] == [2]
        assert versions(heard) == [(1, 2)]
        assert names(heard)[-2:] == ["caught_up", "position"]


async def test_while_the_database_cannot_be_read_the_client_is_sent_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passing over what could be said in a second would lose it."""
    async with living() as live:
        since = live.cursor
        await live.create("1")
        live.restarted()

        async def unreadable(order_id: str) -> Order:
            raise StorageError("not now")

        monkeypatch.setattr(live.storage.orders, "get", unreadable)
        client = await live.come(since=since)
        assert "caught_up" not in names(await client.told())
        assert client.session.why is disconnects.TRANSPORT_ERROR
        monkeypatch.undo()
        assert "order:created" in names(await (await live.come(since=since)).told())


# -- who reads slowly ----------------------------------------------------------------------------------------

MANY = 300
TEXT = "x" * 1_000  # so that all of them weigh five times what conflation begins at, and more than the queue's limit


@pytest.mark.parametrize("new", [0, 5])
async def test_a_large_replay_reaches_a_polling_client_whole(new: int) -> None:
    """Between two polls everything waits; what of it is the replay must not be taken for a backlog."""
    async with living(max_queue_bytes=200_000) as live:
        since = live.cursor
        await live.create("1")
        for number in range(MANY):
            await live.note("1", f"{TEXT} {number}")
        live.restarted()
        client = await live.come(since=since, polls=True)
        for number in range(new):
            await live.note("1", f"new {number}")
        heard = await client.told()
        for _ in range(3):
            client.poll()
            heard += await client.told()
        assert client.session.why is None
        assert versions(heard) == [(1, version) for version in range(2, MANY + new + 2)]
        assert names(heard).count("caught_up") == 1
        assert names(heard)[-1] == "position"
        assert live.io.engine.conflated == 0


async def test_what_comes_after_a_replay_still_is_a_backlog() -> None:
    async with living(max_queue_bytes=200_000) as live:
        since = live.cursor
        await live.create("1")
        for number in range(MANY):
            await live.note("1", f"{TEXT} {number}")
        live.restarted()
        client = await live.come(since=since, polls=True)
        heard = await client.told()
        for number in range(MANY):
            await live.note("1", f"{number} {TEXT}")
            await settled(live.io)
        client.poll()
        heard += await client.told()
        assert client.session.why is None
        got = [version for _, version in versions(heard)]
        assert got[:MANY] == [*range(2, MANY + 2)]
        assert got[MANY:] == sorted(got[MANY:])
        assert got[-1] == 2 * MANY + 1
        assert len(got) < 2 * MANY
        assert live.io.engine.conflated > MANY / 2
