"""Many orders at once: operators hear one `resync`, customers of their own orders, and the log has all."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ordercast.live import imports
from ordercast.orders.models import EventKind, NewOrder
from tests.fake_clients import settled
from tests.harness import token
from tests.live import Client, Live, living
from tests.rest import SHOP


async def bring(live: Live, *ids: str, customer_id: str = "42", shop_id: str | None = None) -> None:
    for id in ids:
        await live.orders.put(NewOrder(order_id=id, customer_id=customer_id, shop_id=shop_id), SHOP, imported=True)
    await live.feed.reached(live.storage.log.newest)
    await settled(live.io)


async def told(client: Client, event: str) -> list[Any]:
    """What it hears, up to this event."""
    found: list[Any] = []
    async with asyncio.timeout(30):
        while event not in [name for name, _ in found]:
            await asyncio.sleep(0.01)
            found += [said for said in await client.told() if said[0] not in ("position", "0")]
    return found


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PAUSE", 0.25)


async def test_operators_are_told_once_to_fetch_anew() -> None:
    async with living() as live:
        operator = await live.come()
        await bring(live, *map(str, range(1, 301)))
        assert await told(operator, "resync") == [("resync", {"position": 300})]
        await live.orders.update("7", SHOP, status="accepted")
        assert [event for event, _ in await told(operator, "order:status_changed")] == ["order:status_changed"]
        await bring(live, "301")
        assert await told(operator, "resync") == [("resync", {"position": 302})]


async def test_it_says_where_the_client_is_then() -> None:
    async with living() as live:
        operator = await live.come()
        await bring(live, "1")
        await live.create("2")
        heard = await told(operator, "resync")
        assert [event for event, _ in heard] == ["order:created", "resync"]
        assert heard[-1][1] == {"position": 2}
        assert operator.transport.packets[-1].data.decode() == f'2["position","{live.cursor}"]'


async def test_while_it_goes_on_they_are_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "PAUSE", 1e6)
    monkeypatch.setattr(imports, "LONGEST", 0.05)
    async with living() as live:
        operator = await live.come()
        for n in range(3):
            await bring(live, str(n))
            # A pause that long has not been.
            assert await told(operator, "resync") == [("resync", {"position": n + 1})]


async def test_their_customers_hear_of_each() -> None:
    async with living() as live:
        customer, other = await live.come("42", "customer"), await live.come("43", "customer")
        operator = await live.come()
        await bring(live, "1", "2")
        assert [event for event, _ in await told(operator, "resync")] == ["resync"]
        assert [event for event, _ in await told(customer, "order:created")] == ["order:created"] * 2
        await bring(live, "3", customer_id="44")
        await told(operator, "resync")
        assert [event for event, _ in await other.told() if event.startswith(("order", "resync"))] == []


async def test_only_operators_of_those_shops_are_told() -> None:
    async with living() as live:
        north, south = await operator_of(live, "north"), await operator_of(live, "south")
        everywhere = await live.come()
        await bring(live, "1", shop_id="north")
        await told(north, "resync")
        await told(everywhere, "resync")
        assert [event for event, _ in await south.told() if event != "position"] == ["0"]


async def operator_of(live: Live, shop: str) -> Client:
    client = Client(live.io, False)
    client.say("0" + json.dumps({"token": token("ana", "operator", shops=[shop])}))
    await settled(live.io)
    return client


async def test_what_an_import_changes_is_told_as_any_change() -> None:
    async with living() as live:
        await live.create("1")
        operator = await live.come()
        new = NewOrder(order_id="1", customer_id="42", note="x")
        await live.orders.put(new, SHOP, status="accepted", imported=True)
        heard = await told(operator, "order:changed")
        assert [event for event, _ in heard] == ["order:status_changed", "order:changed"]


async def test_a_replay_has_all_of_them() -> None:
    async with living() as live:
        since = live.cursor
        await bring(live, "1", "2")
        operator = await live.come(since=since)
        heard = await told(operator, "caught_up")
        assert [event for event, _ in heard] == ["order:created", "order:created", "caught_up"]


async def test_nobody_waits_for_orders_to_be_read_that_nobody_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    async with living() as live:

        async def get(order_id: str) -> None:
            raise AssertionError("read")

        monkeypatch.setattr(live.storage.orders, "get", get)
        live.feed._unsubscribe()
        live.storage.log._orders = {}
        for n in range(600):
            new = NewOrder(order_id=str(n), customer_id="42")
            await live.orders.put(new, SHOP, imported=True)
            live.storage.log._orders = {}
        live.feed._busy = True
        await live.feed.reached(600)
        assert (live.feed.skipped, live.feed.position) == (0, 600)
        assert {event.kind for event in live.storage.log.events} == {EventKind.IMPORTED}


async def test_a_node_that_stops_tells_nobody_any_more() -> None:
    async with living() as live:
        operator = await live.come()
        await bring(live, "1")
        await live.feed.stop()
        await asyncio.sleep(4 * imports.PAUSE)
        assert [event for event, _ in await operator.told() if event not in ("position", "0")] == []
