"""An order that becomes another customer's or shop's: who had it hears no more of it, whichever way they listen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ordercast.live.moves import KEPT, Moves
from ordercast.orders.models import NewOrder, Snapshot
from tests.fake_clients import settled
from tests.harness import token
from tests.live import Client, Live, living
from tests.rest import SHOP

SECRET = "only for the new customer"


async def put(live: Live, customer_id: str, shop_id: str | None = None, **told: Any) -> None:
    new = NewOrder(order_id="7", customer_id=customer_id, shop_id=shop_id, **told)
    await live.orders.put(new, SHOP)
    await live.feed.reached(live.storage.log.newest)
    await settled(live.io)


async def of_shops(live: Live, *shops: str) -> Client:
    """An operator of these."""
    return await live.come(token=token("-".join(shops), "operator", shops=shops))


async def watching(client: Client, order_id: object = 7) -> list[Any]:
    client.say("2" + json.dumps(["watch:order", order_id]))
    return [said for said in await client.told() if said[0] != "position"]


async def heard(client: Client) -> list[str]:
    return [event for event, _ in await client.told() if event != "position"]


async def test_the_former_customer_is_told_and_hears_no_more() -> None:
    async with living() as live:
        await put(live, "42")
        before, after = await live.come("42", "customer"), await live.come("43", "customer")
        operator = await live.come()
        for client in (before, operator):
            assert (await watching(client))[-1][0] == "watching"
        await after.told()
        await put(live, "43", note=SECRET)
        assert await before.told() == [("watch:denied", {"orderId": 7, "error": "not_found"})]
        ((event, changed), _) = await after.told()
        assert (event, changed["changes"]["note"]) == ("order:changed", SECRET)
        assert await heard(operator) == ["order:changed"]
        await put(live, "43", note="more")
        await live.orders.update("7", SHOP, status="accepted")
        assert await heard(before) == []
        assert await heard(after) == ["order:changed", "order:updated"]
        assert await heard(operator) == ["order:changed", "order:updated", "order:status_changed"]
        assert (await watching(before))[0][0] == "watch:denied"


async def test_who_gets_it_back_may_watch_it_again() -> None:
    async with living() as live:
        await put(live, "42")
        before = await live.come("42", "customer")
        await watching(before)
        await put(live, "43")
        await put(live, "42")
        assert await heard(before) == ["watch:denied", "order:changed"]
        assert (await watching(before))[-1][0] == "watching"
        await put(live, "42", note="x")
        assert await heard(before) == ["order:changed"]


async def test_who_had_it_is_told_also_without_watching_it() -> None:
    async with living() as live:
        await put(live, "42", "north")
        since = live.cursor
        former, after, operator = [await live.come(*who) for who in (("42", "customer"), ("43", "customer"), ("ana",))]
        north, south, both = [await of_shops(live, *shops) for shops in (["north"], ["south"], ["north", "south"])]
        for client in (former, after, operator, north, south, both):
            await client.told()
        await put(live, "43", "south")
        gone = ("order:gone", {"orderId": 7, "version": 2, "position": 2})
        for client in (former, north):
            assert [said for said in await client.told() if said[0] != "position"] == [gone]
        for client in (after, operator, south, both):
            assert await heard(client) == ["order:changed"]
        await put(live, "43", "south", note="x")
        assert await heard(former) == []
        live.restarted()
        assert await heard(await live.come("42", "customer", since=since)) == ["0", "order:gone", "caught_up"]
        assert await heard(await live.come("43", "customer", since=since)) == ["0", *["order:changed"] * 2, "caught_up"]


async def test_nobody_is_told_of_an_order_that_stays_theirs() -> None:
    async with living() as live:
        await put(live, "42")
        customer = await live.come("42", "customer")
        await customer.told()
        await put(live, "42", "north")
        assert await heard(customer) == ["order:changed"]
        await put(live, "42", "south")
        assert await heard(customer) == ["order:changed"]


async def test_operators_of_the_former_shop_hear_no_more() -> None:
    async with living() as live:
        await put(live, "42", "north")
        north, south = await of_shops(live, "north"), await of_shops(live, "south")
        await watching(north)
        await south.told()
        await put(live, "42", "south", note=SECRET)
        assert await north.told() == [("watch:denied", {"orderId": 7, "error": "not_found"})]
        assert await heard(south) == ["order:changed"]
        await live.orders.update("7", SHOP, status="accepted")
        assert await heard(north) == []
        assert await heard(south) == ["order:status_changed"]


async def test_a_feed_that_lags_says_nothing_of_now_to_who_had_it_then() -> None:
    """The change before the move goes out with the values of now, so they must be out before that."""
    async with living() as live:
        await put(live, "42")
        before = await live.come("42", "customer")
        await watching(before)
        feed = live.feed
        feed._unsubscribe()
        feed._busy = True
        await live.orders.update("7", SHOP, fields={"note": "x"})
        await live.orders.put(NewOrder(order_id="7", customer_id="43", note=SECRET), SHOP)
        live.storage.log._orders = {}  # nothing at hand: the orders are read, as they are now
        feed._wake.set()
        await feed.reached(live.storage.log.newest)
        assert await heard(before) == ["watch:denied"]


async def test_a_replay_says_nothing_of_now_to_who_had_it_then() -> None:
    async with living() as live:
        await put(live, "42")
        since = live.cursor
        await live.note("7", "x")
        await put(live, "43", note=SECRET)
        live.restarted()
        before = await live.come("42", "customer", since=since)
        assert await heard(before) == ["0", "order:gone", "caught_up"]
        after = await live.come("43", "customer", since=since)
        told = dict(await after.told())
        assert told["order:changed"]["changes"]["note"] == SECRET


async def test_a_replay_that_is_ahead_of_the_feed_takes_them_out_itself() -> None:
    """What it reads of an order may be newer than what the feed has said."""
    async with living() as live:
        await put(live, "42")
        since = live.cursor
        await live.note("7", "x")
        watcher = await live.come("42", "customer")
        await watching(watcher)
        live.restarted()
        live.feed._unsubscribe()
        live.feed._busy = True
        live.feed.position = live.storage.log.newest
        await live.orders.put(NewOrder(order_id="7", customer_id="43", note=SECRET), SHOP)
        await live.come(since=since)
        said = await watcher.told()
        assert [event for event, _ in said if event != "position"] == ["watch:denied"]
        assert SECRET not in json.dumps(said)


@pytest.mark.parametrize("ahead", [False, True])
async def test_a_watch_that_was_let_in_meanwhile_looks_again(monkeypatch: pytest.MonkeyPatch, ahead: bool) -> None:
    """``ahead``: not the feed has found out meanwhile, but a replay."""
    async with living() as live:
        await put(live, "42")
        since = live.cursor
        await live.note("7", "x")
        before = await live.come("42", "customer")
        snapshot = live.orders.snapshot
        read, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(order_id: str, by: Any) -> Snapshot:
            found = await snapshot(order_id, by)
            if not read.is_set():
                read.set()
                await go_on.wait()
            return found

        monkeypatch.setattr(live.orders, "snapshot", slowly)
        before.say("2" + json.dumps(["watch:order", 7]))
        await read.wait()
        if ahead:
            live.restarted()
            live.feed._unsubscribe()
            live.feed._busy = True
        await live.orders.put(NewOrder(order_id="7", customer_id="43"), SHOP)
        if ahead:
            operator = Client(live.io, False)
            operator.say("0" + json.dumps({"token": token("ana", "operator"), "since": since}))
            async with asyncio.timeout(30):
                while not live.feed.speaker.moves.count:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0)
        else:
            await live.feed.reached(live.storage.log.newest)
        go_on.set()
        # As the answer, and since it was theirs.
        assert sorted(await heard(before)) == ["0", *([] if ahead else ["order:gone"]), "watch:denied"]
        live.feed._unsubscribe()
        live.feed._unsubscribe = live.storage.log.subscribe(live.feed._committed)
        await put(live, "43", note=SECRET)
        assert await heard(before) == (["order:gone"] if ahead else [])


@pytest.mark.parametrize("told", [False, True])
async def test_a_connection_that_comes_back_meanwhile_looks_again(monkeypatch: pytest.MonkeyPatch, told: bool) -> None:
    """``told``: the feed has told of the move before it is connected."""
    async with living() as live:
        await put(live, "42")
        before = await live.come("42", "customer")
        await watching(before)
        pid = next(iter(live.io.sockets.values())).pid
        assert pid is not None
        visible, snapshot, go_on = live.orders.visible, live.orders.snapshot, asyncio.Event()

        async def late(order_ids: Any, by: Any) -> frozenset[str]:
            found = await visible(order_ids, by)
            await live.orders.put(NewOrder(order_id="7", customer_id="43"), SHOP)
            if told:
                await live.feed.reached(live.storage.log.newest)
            return found

        async def slowly(order_id: str, by: Any) -> Snapshot:
            await go_on.wait()
            return await snapshot(order_id, by)

        monkeypatch.setattr(live.orders, "visible", late)
        monkeypatch.setattr(live.orders, "snapshot", slowly)
        back = Client(live.io, False)
        back.say("0" + json.dumps({"token": token("42", "customer"), "pid": pid}))
        async with asyncio.timeout(30):
            while len(live.io.sockets) < 2:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
        await live.orders.update("7", SHOP, fields={"note": SECRET})
        await live.feed.reached(live.storage.log.newest)
        go_on.set()
        await settled(live.io)
        heard = await back.told()
        assert "watch:denied" in dict(heard)
        assert SECRET not in json.dumps(heard), "not even before it has looked"
        await put(live, "43", note=f"again {SECRET}")
        assert [said for said in await back.told() if said[0] != "position"] == []


def test_moves_are_remembered_by_order() -> None:
    moves = Moves()
    moves.add("1")
    count = moves.count
    assert moves.since("1", 0)
    assert not moves.since("1", count)
    assert not moves.since("2", 0)
    for n in range(KEPT):
        moves.add(f"other {n}")
    assert not moves.since("1", count)
    moves.add("one more")
    assert moves.since("1", count)  # it may have been among those that are forgotten
    assert len(moves._latest) == KEPT
