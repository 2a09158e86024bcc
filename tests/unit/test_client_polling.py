"""REST in the place of a socket, in the Python client: when it begins, and how one goes back."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.client import link
from ordercast.client.backoff import Backoff
from ordercast.client.engine import Closed
from ordercast.client.errors import Problem, Unreachable
from tests.fake_shop import WAIT, Shop, living, page, shown, turn, updated
from tests.harness import Json


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


async def test_it_polls_after_two_failed_tries_and_goes_back(shop: Shop) -> None:
    heard: list[int] = []
    async with living(shop, since="log.1") as it:
        it.live.on("order:updated", lambda data: heard.append(data["version"]))
        shop.answers = [Unreachable("no")] * 2
        page = {
            "events": [{"event": "order:updated", "data": updated(2), "position": 2}],
            "cursor": "log.2",
            "position": 2,
        }
        shop.pages.put_nowait(page)
        await it.until("polling")
        socket = await shop.socket()
        assert socket.auth["since"] in ("log.1", "log.2")
        await turn()
        assert it.live.connection.status == "polling", "which is up to date until the socket is"
        socket.coming.put_nowait(("order:updated", [updated(2)]))
        socket.coming.put_nowait(("order:updated", [updated(3)]))
        socket.coming.put_nowait(("caught_up", [{"position": 3}]))
        await it.until("live")
        assert heard == [2, 3]
        assert shop.asked[0] == {"after": "log.1", "wait": None}


async def test_connections_that_are_cut_as_soon_as_they_are_there_count_as_none(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[int] = []

    class Counted(Backoff):
        def delay(self, failures: int, random: float) -> float:
            waits.append(failures)
            return 0.0

    async with living(shop, backoff=Counted()) as it:
        it.live.connect()
        for _ in range(3):
            socket = await shop.socket()
            socket.coming.put_nowait(("caught_up", [{"position": 1}]))
            await it.until("live")
            socket.coming.put_nowait(Closed())
            await it.until("resuming")
        socket = await shop.socket()
        assert waits == [1, 2, 3]
        assert shop.asked, "REST is asked, as where no connection can be had"
        monkeypatch.setattr(link, "SETTLED", 0.0)
        socket.coming.put_nowait(Closed())
        await shop.socket()
        assert waits == [1, 2, 3, 1], "one that has lasted is another matter"


async def test_who_begins_to_poll_hurries_nothing_unless_it_was_offline(shop: Shop) -> None:
    shop.answers = [Unreachable("no")] * 3
    async with living(shop, since="log.1", backoff=Backoff(0.001, WAIT * 2)) as it:
        hurried: list[str] = []
        it.live._link.hurry = lambda: hurried.append(shown(it.live.connection))  # type: ignore[method-assign]
        it.live.connect()
        for answer in (page(cursor=1), Unreachable("no"), page(cursor=1)):
            before = len(it.states)
            shop.pages.put_nowait(answer)
            async with asyncio.timeout(WAIT):
                while len(it.states) == before or len(it.states) < 2:
                    await it.live.changes.after(it.live.changes.count)
        assert it.states == ["resuming", "polling", "offline unreachable", "polling"]
        assert hurried == ["polling"]


async def test_who_polls_hears_that_all_begins_anew_as_by_socket(shop: Shop) -> None:
    shop.answers = [Unreachable("no"), Unreachable("no")]
    for answer in (Problem(410, {"type": "urn:ordercast:cursor-gone", "title": "gone"}), page(cursor=7)):
        shop.pages.put_nowait(answer)
    told: list[Json] = []
    async with living(shop, since="old.1") as it:
        it.live._emitter.on("resync", told.append)
        it.live.connect()
        await it.until("polling")
        assert told == [{"position": 7}]
        assert it.live.cursor == "log.7"


async def test_without_fallback_it_is_offline_and_goes_on_trying(shop: Shop) -> None:
    async with living(shop, fallback=False) as it:
        shop.answers = [Unreachable("no")] * 3
        it.live.connect()
        await it.until("live")
        assert it.states[:2] == ["resuming", "offline unreachable"]
        assert shop.asked == []
