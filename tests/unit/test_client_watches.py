"""A watched order of the Python client: what could not be had is had later, what is denied is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ordercast.client.engine import Closed
from ordercast.client.errors import Ended, Problem, Unreachable, is_passing
from ordercast.client.order_watch import OrderWatch
from ordercast.client.sockets import Refused
from tests.fake_shop import NOT_FOUND, WAIT, FakeSocket, Seen, Shop, living, order, turn, updated
from tests.harness import Json

REFUSED = Problem(401, {"type": "urn:ordercast:unauthorized", "title": "Invalid token"})
WATCHING = {"orderId": 17, "status": "received", "version": 1, "position": 1}
DENIED = {"orderId": 17, "error": "not_found"}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


async def had(watch: OrderWatch) -> None:
    """Waits until it is there, whole."""
    async with asyncio.timeout(WAIT):
        while watch.order is None or not watch.complete:
            await watch._watched.changes.after(watch._watched.changes.count)
    assert watch.error is None


async def lost(watch: OrderWatch, status: int = 404) -> None:
    """Waits until it cannot be had."""
    async with asyncio.timeout(WAIT):
        while watch.error is None:
            await watch._watched.changes.after(watch._watched.changes.count)
    assert isinstance(watch.error, Problem)
    assert (watch.error.status, watch.order, watch.complete) == (status, None, False)


def by_event(socket: FakeSocket) -> None:
    socket.coming.put_nowait(("order:updated", [updated(2)]))


def by_a_new_order(socket: FakeSocket) -> None:
    socket.coming.put_nowait(("order:created", [{**order(), "position": 1}]))


def by_being_watched(socket: FakeSocket) -> None:
    socket.coming.put_nowait(("watching", [WATCHING]))


def by_another_connection(socket: FakeSocket) -> None:
    socket.coming.put_nowait(Closed())


@pytest.mark.parametrize("how", [by_event, by_a_new_order, by_being_watched, by_another_connection])
@pytest.mark.parametrize("error", [NOT_FOUND, REFUSED])
async def test_what_could_not_be_had_is_fetched_again(
    shop: Shop, error: Problem, how: Callable[[FakeSocket], None]
) -> None:
    shop.order = error
    async with living(shop) as it:
        watch = it.live.watch(17)
        socket = await shop.socket()
        await lost(watch, error.status)
        await turn()
        assert watch.error is error, "and not asked for again and again"
        shop.order = order()
        how(socket)
        if how is by_another_connection:
            (await shop.socket()).coming.put_nowait(("caught_up", [{"position": 1}]))
        await asyncio.wait_for(until_had(watch), WAIT)


async def until_had(watch: OrderWatch) -> None:
    async for seen in watch:
        assert seen.order_id == 17
        break


async def test_with_a_new_token_what_was_refused_is_fetched_again(shop: Shop) -> None:
    shop.order = REFUSED
    async with living(shop) as it:
        watch = it.live.watch(17)
        await lost(watch, 401)
        shop.order = order()
        await it.live.refresh("new")
        await had(watch)


async def test_who_connects_again_is_not_told_what_was_before(shop: Shop) -> None:
    shop.order, shop.answers = REFUSED, [Refused("Invalid token")]
    async with living(shop) as it:
        watch = it.live.watch(17)
        await it.until("offline unauthorized")
        with pytest.raises((Problem, Ended)):
            await watch.changed()
        shop.order = order()
        await it.live.refresh("new")
        it.live.connect()
        await had(watch)
        assert shop.tries[-1]["token"] == "new"


async def test_a_reconnect_out_of_a_listener_is_told_no_end(shop: Shop) -> None:
    async with living(shop) as it:
        watch = it.live.watch(17)
        again: list[Any] = []

        def connect(state: Any) -> None:
            if state.reason == "closed" and not again:
                again.append(state)
                it.live.connect()

        it.live.on("connection", connect)
        await it.until("live")
        await had(watch)
        await it.live.disconnect()
        (await shop.socket()), (await shop.socket())
        assert again
        assert it.live.watches.ended is None
        assert not it.live.watches.paused


@pytest.mark.parametrize("status", [403, 404])
async def test_a_proxy_that_finds_no_server_says_nothing_of_the_order(shop: Shop, status: int) -> None:
    assert not is_passing(NOT_FOUND)
    shop.order = Problem(status, {})
    async with living(shop) as it:
        watch = it.live.watch(17)
        await it.until("live")
        await turn()
        assert watch.error is None
        shop.order = order()
        await had(watch)


async def had_on_a_socket(shop: Shop, it: Seen) -> tuple[OrderWatch, FakeSocket]:
    watch = it.live.watch(17)
    socket = await shop.socket()
    socket.coming.put_nowait(("watching", [WATCHING]))
    await had(watch)
    return watch, socket


async def test_an_order_that_is_denied_is_dropped_and_no_earlier_answer_brings_it_back(shop: Shop) -> None:
    told: list[Json] = []
    async with living(shop) as it:
        watch, socket = await had_on_a_socket(shop, it)
        it.live.on("watch:denied", told.append)
        earlier = it.live.watches.taker(17)
        socket.coming.put_nowait(("watch:denied", [DENIED]))
        await lost(watch)
        earlier(order(2))
        await turn()
        assert watch.order is None
        with pytest.raises(Problem, match="or it is not yours"):
            await watch.changed()
        assert told == [DENIED]
        socket.coming.put_nowait(("caught_up", [{"position": 9}]))
        await turn()
        assert watch.order is None, "what REST says is of no use where nothing is heard of it"


async def test_an_order_that_is_denied_and_then_allowed_is_there_again(shop: Shop) -> None:
    async with living(shop) as it:
        watch, socket = await had_on_a_socket(shop, it)
        socket.coming.put_nowait(("watch:denied", [DENIED]))
        await lost(watch)
        shop.order = order(4, customerId=43)
        changed = {"orderId": 17, "changes": {"customerId": 43}, "version": 4, "position": 4}
        socket.coming.put_nowait(("order:changed", [changed]))
        await had(watch)
        assert watch.order is not None
        assert (watch.order.version, watch.order.customer_id) == (4, 43)
        socket.coming.put_nowait(Closed())
        again = await shop.socket()
        await turn()
        assert ("watch:order", "17") in again.said, "since the server does not know"


async def test_who_polls_hears_of_a_denial_too(shop: Shop) -> None:
    shop.answers = [Unreachable("no")] * 40
    told: list[Json] = []
    async with living(shop, since="log.1") as it:
        it.live.on("order:gone", told.append)
        watch = it.live.watch(17)
        shop.pages.put_nowait({"events": [], "position": 1, "cursor": "log.1"})
        await had(watch)
        gone = {"orderId": 17, "version": 2, "position": 2}
        entry = {"event": "order:gone", "data": gone, "position": 2}
        shop.pages.put_nowait({"events": [entry], "position": 2, "cursor": "log.2"})
        await lost(watch)
        assert told == [gone]
        back = {"event": "order:updated", "data": updated(3), "position": 3}
        shop.order = order(3)
        shop.pages.put_nowait({"events": [back], "position": 3, "cursor": "log.3"})
        await had(watch)


async def test_a_connection_that_watches_too_much_says_so_until_the_next(shop: Shop) -> None:
    async with living(shop) as it:
        watch, socket = await had_on_a_socket(shop, it)
        socket.coming.put_nowait(("watch:denied", [{"orderId": 17, "error": "too_many_watches"}]))
        await lost(watch, 429)
        await it.live.refresh("new")
        await turn()
        assert watch.error is not None
        socket.coming.put_nowait(Closed())
        (await shop.socket()).coming.put_nowait(("caught_up", [{"position": 1}]))
        await had(watch)
