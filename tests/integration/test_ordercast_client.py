"""`ordercast.client` against ``ordercast serve``: what it promises while servers, networks and tokens end."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ordercast.client import Backoff, Ended, Event, Events, OrdercastClient, Problem, Resync, Unreachable, connect
from tests.harness import ROOT, Api, ServerProcess, token
from tests.proxy import Proxy, without_socket_io, without_websocket

WAIT = 60.0  # s; bounds a failure only
QUICK = Backoff(0.05, 0.5)
SHOP = token("shop", "service")
STEPS = ("accepted", "preparing", "ready")


def client(url: str, credential: Any, **options: Any) -> OrdercastClient:
    return OrdercastClient(url, credential, backoff=QUICK, **options)


async def until(it: OrdercastClient, *statuses: str) -> None:
    """Waits for a state of the connection."""
    async with asyncio.timeout(WAIT):
        while it.connection.status not in statuses:
            await it.changed()


async def holds(what: Callable[[], bool]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(WAIT):
        while not what():  # noqa: ASYNC110 - whatever it is, it tells nobody
            await asyncio.sleep(0.02)


async def take(events: Events, count: int) -> list[Event]:
    async with asyncio.timeout(WAIT):
        return [await anext(events) for _ in range(count)]


async def persist(doing: Callable[[], Any]) -> None:
    """Until it is done: the server may be away."""
    while True:
        try:
            await doing()
            return
        except (Unreachable, Problem) as error:
            if isinstance(error, Problem) and error.status < 500:
                return  # it was done, and the answer lost
            await asyncio.sleep(0.05)


async def test_nothing_is_lost_nothing_comes_twice_while_the_server_is_killed(fresh_server: ServerProcess) -> None:
    told: list[int] = []
    heard: list[tuple[Any, int]] = []
    async with (
        client(fresh_server.url, SHOP) as shop,
        client(fresh_server.url, token("ana", "operator")) as ana,
    ):
        ana.on("order:status_changed", lambda data: heard.append((data["orderId"], data["version"])))
        await ana.ready()
        events = shop.events(0)

        async def follow() -> None:
            async for event in events:
                told.append(event.position)

        async def change(order_id: int) -> None:
            await persist(lambda: shop.create_order(42, order_id=order_id))
            for status in STEPS:
                await persist(lambda status=status: shop.change_status(order_id, status))  # type: ignore[misc]

        following = asyncio.create_task(follow())
        changing = asyncio.create_task(asyncio.wait_for(_all(change, range(100, 130)), WAIT * 2))
        for _ in range(3):
            seen = len(told)
            await holds(lambda seen=seen: len(told) > seen + 5 or changing.done())  # type: ignore[misc]
            await asyncio.to_thread(fresh_server.kill)
            await asyncio.to_thread(fresh_server.start)
        await changing
        expected = 30 * (1 + len(STEPS))
        await holds(lambda: len(told) >= expected)
        await holds(lambda: len(heard) >= 30 * len(STEPS))
        await until(ana, "live")
        assert told == list(range(1, expected + 1)), "every position, once, in order"
        assert sorted(heard) == [(id, version) for id in range(100, 130) for version in (2, 3, 4)]
        for id in range(100, 130):
            assert [version for order, version in heard if order == id] == [2, 3, 4]
        following.cancel()
        await asyncio.wait([following])
        again = await take(shop.events(events.cursor and f"{events.cursor.split('.')[0]}.{expected - 1}"), 1)
        assert again[0].position == expected


async def _all(doing: Callable[[int], Any], ids: range) -> None:
    for id in ids:
        await doing(id)


async def test_whoever_watches_sees_what_rest_says(server: ServerProcess, api: Api) -> None:
    id = (await api.create(customerId=42, note="ring"))["orderId"]
    async with client(server.url, token(42)) as it:
        with it.watch_order(id) as watch:
            async with asyncio.timeout(WAIT):
                assert (await watch.changed()).note == "ring"
                await it.ready()
                assert it.transport == "websocket"
                await api.patch(id, status="accepted", note=None)
                async for order in watch:
                    if order.status == "accepted" and order.note is None:
                        break
                assert order.step == 2
                assert order == await it.get_order(id)
            assert it.cursor is not None
            assert it.last_synced_at is not None


async def test_without_websocket_it_polls_socket_io(server: ServerProcess, api: Api) -> None:
    id = (await api.create(customerId=42))["orderId"]
    async with without_websocket(server.port) as url, client(url, token(42)) as it:
        with it.watch_order(id) as watch:
            await it.ready()
            assert (it.connection.status, it.transport) == ("live", "polling")
            for status in STEPS:
                await api.patch(id, status=status)
            await holds(lambda: watch.order is not None and watch.order.version == 4)


async def test_without_socket_io_it_asks_rest_and_goes_back_to_a_socket(server: ServerProcess, api: Api) -> None:
    heard: list[int] = []
    states: list[str] = []
    async with without_socket_io(server.port) as gate:
        id = (await api.create(customerId=42))["orderId"]
        gate.shut()
        async with client(gate.url, token(42)) as it:
            it.on("connection", lambda state: states.append(state.status))
            it.on("order:updated", lambda data: heard.append(data["version"]) if data["orderId"] == id else None)
            watch = it.watch_order(id)
            await until(it, "polling")
            await api.patch(id, status="accepted")
            await holds(lambda: watch.order is not None and watch.order.version == 2)
            gate.open()
            it.retry_now()
            await until(it, "live")
            await api.patch(id, status="preparing")
            await holds(lambda: watch.order is not None and watch.order.version == 3)
            gate.shut()
            await until(it, "polling")
            await api.patch(id, status="ready")
            await holds(lambda: heard == [2, 3, 4])
            assert states == ["resuming", "polling", "live", "resuming", "polling"]


async def test_it_says_that_it_is_offline_and_comes_back(fresh_server: ServerProcess) -> None:
    async with client(fresh_server.url, token(42)) as it:
        await it.ready()
        synced = it.last_synced_at
        fresh_server.kill()
        await until(it, "offline")
        assert (it.connection.reason, it.connection.retrying) == ("unreachable", True)
        assert it.last_synced_at is not None
        assert synced is not None
        assert it.last_synced_at >= synced
        await asyncio.to_thread(fresh_server.start)
        await until(it, "live")


async def test_a_token_about_to_end_is_renewed(server: ServerProcess) -> None:
    asked = 0

    async def get() -> str:
        nonlocal asked
        asked += 1
        return token(42, lifetime=65 if asked == 1 else 3_600)  # a minute and the time to connect: it is warned

    expires: list[float] = []
    async with client(server.url, get) as it:
        it.on("token:refreshed", lambda data: expires.append(data["expiresAt"]))
        await holds(lambda: len(expires) > 0)
        assert expires[0] > time.time() + 3_000
        assert (asked, it.connection.status) == (2, "live")


async def test_who_has_a_token_function_outlives_a_short_token_on_socket_and_rest(server: ServerProcess) -> None:
    asked = 0

    def get() -> str:
        nonlocal asked
        asked += 1
        return token(42, lifetime=2.5 if asked < 3 else 3_600)

    async with client(server.url, get) as it:
        await it.ready()
        await holds(lambda: asked == 3)
        await until(it, "live")
        assert (await it.list_orders(limit=1)).position >= 0


async def test_a_fixed_token_that_ends_is_the_end(server: ServerProcess) -> None:
    async with client(server.url, token(42, lifetime=8)) as it:
        await it.ready()
        events = asyncio.create_task(anext(it.events()))
        await until(it, "offline")
        assert (it.connection.reason, it.connection.retrying) == ("token_expired", False)
        with pytest.raises(Problem, match="Token expired") as caught:
            await asyncio.wait_for(events, WAIT)
        assert caught.value.status == 401
        with pytest.raises(Ended, match="token_expired"):
            await it.ready()


async def test_who_is_revoked_stays_away(server: ServerProcess, api: Api) -> None:
    async with client(server.url, token(77, iat=int(time.time()) - 10)) as it:
        await it.ready()
        events = asyncio.create_task(anext(it.events()))
        watch = it.watch_order(1)
        watching = asyncio.create_task(_last_of(watch))
        assert (await api.send("POST", "/api/tokens/revoke", json={"userId": 77})).is_success
        await until(it, "offline")
        assert _reason(it) == "revoked"
        with pytest.raises(Problem):
            await asyncio.wait_for(events, WAIT)
        assert isinstance(await asyncio.wait_for(watching, WAIT), (Ended, Problem))
        it.connect()
        await until(it, "offline")
        assert _reason(it) == "unauthorized"


def _reason(it: OrdercastClient) -> str | None:
    return it.connection.reason


async def _last_of(watch: Any) -> Exception | None:
    try:
        async for _ in watch:
            pass
    except (Ended, Problem) as error:
        return error
    return None


async def test_the_newest_login_wins(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, max_connections_per_user="1") as server:
        async with client(server.url, token(42)) as first, client(server.url, token(42)) as second:
            await first.ready()
            with pytest.raises(Ended, match="new_login"):
                await second.ready()  # the first is too young to go
            async with asyncio.timeout(WAIT):
                while True:
                    try:
                        await second.ready()
                        break
                    except Ended:
                        await asyncio.sleep(0.5)
            await until(first, "offline")
            assert (first.connection.reason, first.connection.retrying) == ("new_login", False)
            assert (await first.list_orders()).orders == [], "REST needs no connection"


def _forget_all(folder: Path) -> None:
    for file in folder.glob("orders.db*"):
        file.unlink()


def _grow_old(folder: Path) -> None:
    """By 40 days."""
    database = sqlite3.connect(folder / "orders.db")
    with database:
        database.execute("UPDATE order_events SET at = at - 3456000000")
    database.close()


async def _again_and_again(shop: OrdercastClient, cursor: str) -> None:
    """Old events are removed when a server begins, beside its first answers."""
    async with asyncio.timeout(WAIT):
        while True:
            await anext(shop.events(cursor))


@pytest.mark.parametrize("why", ["purged", "another"])
async def test_where_the_log_has_no_more_of_it_one_is_told_to_fetch_anew(
    fresh_server: ServerProcess, tmp_path: Path, why: str
) -> None:
    async with client(fresh_server.url, SHOP) as shop, client(fresh_server.url, token(42)) as it:
        for status in ("received", *STEPS):
            if status == "received":
                await shop.create_order(42, order_id=17)
            else:
                await shop.change_status(17, status)
        events = shop.events(0)
        first = (await take(events, 1))[0]
        watch = it.watch_order(17)
        await it.ready()
        await holds(lambda: watch.order is not None)
        await shop.change_order(17, note="so that it has a cursor")
        await holds(lambda: it.cursor is not None)
        fresh_server.stop()
        if why == "another":
            _forget_all(tmp_path)
        else:
            _grow_old(tmp_path)
        await asyncio.to_thread(fresh_server.start)
        with pytest.raises(Resync) as caught:
            await _again_and_again(shop, first.cursor)
        assert caught.value.status == 410
        await shop.create_order(42, order_id=18)
        await shop.change_status(18, "accepted")
        names = [event.name for event in await take(shop.events(caught.value.cursor), 2)]
        assert names == ["order:created", "order:status_changed"]
        if why == "another":
            # By `resync` on a socket, or by REST's 410, whichever the client came back by first.
            await holds(lambda: watch.error is not None)
            assert isinstance(watch.error, Problem)
            assert watch.error.status == 404
            await until(it, "live")


async def test_a_share_link_shows_one_order_and_nothing_personal(server: ServerProcess, api: Api) -> None:
    async with client(server.url, SHOP) as shop:
        order = await shop.create_order(42, note="ring", total=12.5, currency="EUR")
        share = await shop.share(order.order_id)
        assert [entry["kind"] for entry in await shop.history(order.order_id)] == ["created"]
    async with client(server.url, share.share_token) as guest:
        watch = guest.watch_order(order.order_id)
        async with asyncio.timeout(WAIT):
            shown = await watch.changed()
        assert (shown.total, shown.customer_id, shown.note) == (12.5, None, None)
        await guest.ready()
        await api.patch(order.order_id, status="accepted")
        await holds(lambda: watch.order is not None and watch.order.status == "accepted")


async def test_an_order_that_goes_to_another_customer_goes_from_one_watch_to_the_other(server: ServerProcess) -> None:
    async with client(server.url, SHOP) as shop, client(server.url, token(43)) as new:
        order = await shop.create_order(42)
        watch = new.watch_order(order.order_id)
        await new.ready()
        await holds(lambda: watch.error is not None)
        await shop.put_order(order.order_id, {"customerId": 43})
        await shop.change_status(order.order_id, "accepted")
        await holds(lambda: watch.order is not None and watch.order.status == "accepted" and watch.complete)
        assert watch.error is None
        async with client(server.url, token(43)) as other:
            seen = other.watch_order(order.order_id)
            await holds(lambda: seen.order is not None)
            await shop.put_order(order.order_id, {"customerId": 44})
            await holds(lambda: seen.error is not None)
            assert (seen.order, getattr(seen.error, "status", None)) == (None, 404)


async def test_who_signs_in_at_last_sees_what_was_refused(server: ServerProcess, api: Api) -> None:
    id = (await api.create(customerId=42))["orderId"]
    given = "no.token.yet"
    async with client(server.url, lambda: given) as it:
        watch = it.watch_order(id)
        await until(it, "offline")
        await holds(lambda: watch.error is not None or it.connection.is_over)
        given = token(42) + "\n"
        await it.refresh()
        await it.ready()
        await holds(lambda: watch.order is not None)
        assert watch.error is None
        assert (await it.get_order(id)).order_id == id


async def test_what_the_server_says_no_to(server: ServerProcess) -> None:
    async with client(server.url, SHOP) as shop:
        order = await shop.create_order(42, idempotency_key="the same")
        assert (await shop.create_order(42, idempotency_key="the same")).order_id == order.order_id
        await shop.change_status(order.order_id, "accepted", expected_version=1)
        with pytest.raises(Problem) as caught:
            await shop.change_status(order.order_id, "preparing", expected_version=1)
        assert (caught.value.status, caught.value.type) == (409, "urn:ordercast:version-conflict")
        assert caught.value.extra
        assert (await shop.change_order(order.order_id, note="ring")).note == "ring"
        assert (await shop.change_order(order.order_id, note=None)).note is None
        with pytest.raises(Problem, match="customerId"):
            await shop.create_order("no id at all")
        page = await shop.list_orders(status=["accepted", "ready"], customer_id=42, limit=1)
        assert [one.order_id for one in page.orders] == [order.order_id]
    async with client(server.url, token(43)) as other:
        with pytest.raises(Problem) as caught:
            await other.get_order(order.order_id)
        assert caught.value.status == 404
        async with asyncio.timeout(WAIT):
            with pytest.raises(Problem):
                await other.watch_order(order.order_id).changed()
    async with client(server.url, token("ana", "operator")) as ana:
        assert (await ana.contact(order.order_id)).first_contact_at is not None
        assert (await ana.claim(order.order_id)).claimed_by == "ana"
        async with client(server.url, token("bo", "operator")) as bo:
            with pytest.raises(Problem) as caught:
                await bo.claim(order.order_id)
            assert (caught.value.status, caught.value.extra["claimedBy"]) == (409, "ana")
            assert (await bo.claim(order.order_id, take_from="ana")).claimed_by == "bo"
            assert (await bo.release(order.order_id)).claimed_by is None


async def test_it_leaves_at_once_where_the_network_swallows_everything(server: ServerProcess) -> None:
    async with Proxy(server.port) as proxy, client(proxy.url, token(42)) as it:
        await it.ready()
        with proxy.blackhole():
            begun = time.monotonic()
            await it.close()
            assert time.monotonic() - begun < 40, "that is, not the ping interval and timeout of 45 s"


async def test_it_finds_a_server_inside_another_application(tmp_path: Path) -> None:
    command = ("uvicorn", "fastapi_shop:app", "--app-dir", str(ROOT / "examples" / "fastapi_shop"))
    with ServerProcess(tmp_path, command=command) as host:
        async with client(f"{host.url}/live", SHOP) as shop, client(f"{host.url}/live/", token(42)) as it:
            order = await shop.create_order(42)
            watch = it.watch_order(order.order_id)
            await it.ready()
            await shop.change_status(order.order_id, "accepted")
            await holds(lambda: watch.order is not None and watch.order.status == "accepted")


async def test_who_answers_is_not_ordercast(server: ServerProcess) -> None:
    with pytest.raises(ValueError, match="no URL"):
        OrdercastClient("shop.example", SHOP)
    async with client(f"{server.url}/docs", SHOP) as it:
        with pytest.raises(Problem):
            await it.list_orders()
    with pytest.raises(RuntimeError, match="async with"):
        _ = client(server.url, SHOP).connection


async def test_a_script_needs_no_event_loop(server: ServerProcess) -> None:
    def script() -> list[str]:
        said = []
        with connect(server.url, SHOP) as shop:
            since = shop.list_orders(limit=1).position
            order = shop.create_order(42, note="by a script")
            shop.change_status(order.order_id, "accepted")
            for event in shop.events(since):
                said.append(event.name)
                if event.version == 2 and event.name != "order:created":
                    break
            with shop.watch_order(order.order_id) as watch:
                for seen in watch:
                    said.append(seen.status)
                    break
                with pytest.raises(TimeoutError):
                    watch.changed(timeout=0.01)
            with pytest.raises(Problem, match="Allowed are"):
                shop.change_status(order.order_id, "received")
        with pytest.raises(RuntimeError, match="with connect"):
            shop.get_order(order.order_id)
        return said

    async with asyncio.timeout(WAIT):
        assert await asyncio.to_thread(script) == ["order:created", "order:status_changed", "accepted"]
