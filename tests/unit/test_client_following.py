"""The Python client follows the log: each event once, with its cursor, whatever passes meanwhile."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from ordercast.client.backoff import Backoff
from ordercast.client.errors import Problem, TokenError, Unreachable
from ordercast.client.following import Events
from ordercast.client.rest import Rest
from tests.fake_shop import AT_ONCE, WAIT, Shop, living, page, turn


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


async def test_it_gives_each_event_with_its_cursor_and_waits_out_what_passes(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    for answer in (
        page(2, 4, cursor=5),
        Unreachable("no"),
        Problem(503, {}),
        TokenError("no"),
        page(cursor=8),
        page(9, cursor=9),
    ):
        shop.pages.put_nowait(answer)
    assert events.cursor == "log.1"
    assert (await anext(events)).cursor == "log.2"
    assert events.cursor == "log.2", "the other one has not been given out"
    assert (await anext(events)).cursor == "log.4"
    assert events.cursor == "log.5", "what is between is not for this caller"
    assert (await anext(events)).cursor == "log.9"
    assert [asked["after"] for asked in shop.asked] == ["log.1", "log.5", "log.5", "log.5", "log.5", "log.8"]
    assert events.connection.status == "polling"


async def test_an_order_that_went_to_others_is_an_event_too(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    gone = page(2, cursor=3)
    gone["events"].append({"event": "order:gone", "data": {"orderId": 18, "version": 4, "position": 3}, "position": 3})
    shop.pages.put_nowait(gone)
    assert (await anext(events)).name == "order:updated"
    event = await anext(events)
    assert (event.name, event.order_id, event.version, event.cursor) == ("order:gone", 18, 4, "log.3")
    assert (event.status, event.changes, event.order) == (None, {}, None)


async def test_where_the_log_cannot_be_followed_it_says_so_with_where_to_go_on(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "old.1")
    gone = Problem(410, {"type": "urn:ordercast:cursor-gone", "title": "gone", "detail": "Fetch anew."})
    for answer in (gone, Unreachable("no"), page(cursor=7), page(8, cursor=8)):
        shop.pages.put_nowait(answer)
    with pytest.raises(Problem, match="Fetch anew") as caught:
        await anext(events)
    assert getattr(caught.value, "cursor", None) == events.cursor == "log.7"
    assert (await anext(events)).position == 8
    assert [asked["after"] for asked in shop.asked] == ["old.1", None, None, "log.7"]


async def test_a_410_that_is_not_the_logs_is_no_reason_to_hurry(shop: Shop) -> None:
    gone = Problem(410, {"type": "urn:ordercast:cursor-gone"})
    events = Events(cast("Rest", shop), AT_ONCE, "old.1")
    for answer in (gone, gone):
        shop.pages.put_nowait(answer)
    with pytest.raises(Problem):
        await anext(events)
    shop.answers = [Unreachable("no")] * 2
    for answer in (gone, gone, gone):
        shop.pages.put_nowait(answer)
    waits: list[int] = []

    class Counted(Backoff):
        def delay(self, failures: int, random: float) -> float:
            waits.append(failures)
            return 0.0 if failures < 3 else WAIT

    async with living(shop, since="old.1", backoff=Counted()) as it:
        it.live.connect()
        await turn()
        shop.pages.put_nowait(page(cursor=7))
        await it.until("polling")
        assert sorted(waits) == [1, 1, 2, 2], "two of them the socket's"


@pytest.mark.parametrize(
    ("status", "document"),
    [
        *((status, {"title": "Invalid token"}) for status in (400, 401, 403, 404, 410)),
        (429, {"type": "urn:ordercast:too-many-requests"}),
        (503, {"type": "urn:ordercast:unavailable"}),
    ],
)
async def test_what_is_said_before_the_server_and_what_it_says_for_a_while_pass(
    shop: Shop, status: int, document: dict[str, str]
) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    for answer in (Problem(status, document), page(2, cursor=2)):
        shop.pages.put_nowait(answer)
    assert (await anext(events)).position == 2
    assert [asked["after"] for asked in shop.asked] == ["log.1", "log.1"]


async def test_what_does_not_pass_is_raised(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    shop.pages.put_nowait(Problem(401, {"type": "urn:ordercast:unauthorized", "title": "Token expired"}))
    with pytest.raises(Problem):
        await anext(events)
    assert (events.connection.reason, events.connection.retrying) == ("token_expired", False)


async def test_giving_up_waiting_loses_nothing(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    waiting = asyncio.ensure_future(anext(events))
    await turn()
    waiting.cancel()
    await asyncio.wait([waiting])
    shop.pages.put_nowait(page(2, cursor=2))
    assert (await anext(events)).position == 2
