"""The Python client's live side, on fakes: a server of Socket.IO that a test plays, and REST as a function."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ordercast.client.engine import Closed
from ordercast.client.errors import Ended, Problem, TokenError, Unreachable
from ordercast.client.sockets import Refused, ServerEnded
from tests.fake_shop import NOT_FOUND, WAIT, Shop, living, order, turn, updated


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


async def test_it_goes_live_at_once_where_there_is_nothing_to_resume(shop: Shop) -> None:
    async with living(shop) as it:
        it.live.connect()
        assert it.states == ["resuming"]
        await it.until("live")
        assert shop.tries == [{"token": "t"}]


async def test_it_says_where_it_was_and_is_live_when_it_has_heard_all_since(shop: Shop) -> None:
    heard: list[int] = []
    async with living(shop, since="log.4") as it:
        it.live.on("order:updated", lambda data: heard.append(data["position"]))
        socket = await shop.socket()
        assert socket.auth == {"token": "t", "since": "log.4", "offset": "log.4"}
        await turn()
        assert it.states == ["resuming"]
        for event in (updated(5), updated(6), updated(5)):
            socket.coming.put_nowait(("order:updated", [event]))
        socket.coming.put_nowait(("caught_up", [{"position": 6}]))
        await it.until("live")
        assert it.live.cursor == "log.6"
        socket.coming.put_nowait(Closed())
        again = await shop.socket()
        assert (again.auth["since"], again.auth["pid"]) == ("log.6", "pid")
        assert socket.closed
        again.coming.put_nowait(("order:updated", [updated(6)]))
        again.coming.put_nowait(("order:updated", [updated(7)]))
        again.coming.put_nowait(("position", ["log.7"]))
        again.coming.put_nowait(("caught_up", [{"position": 7}]))
        await it.until("live")
        assert heard == [5, 6, 7], "each once, in order"
        assert it.states == ["resuming", "live", "resuming", "live"]


@pytest.mark.parametrize("reason", ["new_login", "revoked", "token_expired", "something"])
async def test_it_stays_away_when_told_to_and_comes_when_told_to(shop: Shop, reason: str) -> None:
    async with living(shop) as it:
        it.live.connect()
        watch = it.live.watch(17)
        socket = await shop.socket()
        async with asyncio.timeout(WAIT):
            await watch.changed()
        socket.coming.put_nowait(("force_disconnect", [{"reason": reason}]))
        socket.coming.put_nowait(ServerEnded())
        known = reason if reason != "something" else "ended"
        await it.until(f"offline {known}")
        await turn()
        assert len(shop.tries) == 1
        with pytest.raises(Ended, match=known):
            await watch.changed()
        it.live.connect()
        (await shop.socket()).coming.put_nowait(("caught_up", [{"position": 1}]))
        await it.until("live")


async def test_a_refused_token_is_renewed_once(shop: Shop) -> None:
    given = iter(["old", "new", "newer"])
    async with living(shop, lambda: next(given)) as it:
        shop.answers = [Refused("Token expired"), Refused("Invalid token")]
        it.live.connect()
        await it.until("offline unauthorized")
        assert [auth["token"] for auth in shop.tries] == ["old", "new"]


async def test_who_has_a_token_function_outlives_a_token_that_ends_without_a_warning(shop: Shop) -> None:
    given = iter(["old", "new"])
    async with living(shop, lambda: next(given)) as it:
        it.live.connect()
        socket = await shop.socket()
        socket.coming.put_nowait(("force_disconnect", [{"reason": "token_expired"}]))
        socket.coming.put_nowait(ServerEnded())
        again = await shop.socket()
        assert again.auth == {"token": "new", "pid": "pid"}
        again.coming.put_nowait(("caught_up", [{"position": 1}]))
        await it.until("live")
        assert it.states == ["resuming", "live", "resuming", "live"]


async def test_a_fixed_token_that_is_refused_is_the_end(shop: Shop) -> None:
    async with living(shop) as it:
        shop.answers = [Refused("Token expired")]
        it.live.connect()
        await it.until("offline token_expired")


async def test_a_token_function_that_fails_is_asked_again(shop: Shop) -> None:
    asked = 0

    async def get() -> str:
        nonlocal asked
        asked += 1
        if asked < 4:
            raise OSError("the login server is away")
        return "t"

    async with living(shop, get) as it:
        it.live.connect()
        await it.until("live")
        assert "offline token" in it.states
        assert asked == 4


async def test_neither_way_is_offline(shop: Shop) -> None:
    async with living(shop) as it:
        shop.answers = [Unreachable("no")] * 5
        shop.pages.put_nowait(Unreachable("no"))
        it.live.connect()
        await it.until("offline unreachable")
        assert it.live.connection.retrying
        await it.until("live")


async def test_polling_ends_where_the_token_is_refused(shop: Shop) -> None:
    async with living(shop, since="log.1") as it:
        shop.answers = [Unreachable("no")] * 2
        shop.pages.put_nowait(Problem(401, {"title": "Invalid token"}))  # not the server's: a proxy's, say
        shop.pages.put_nowait(Problem(401, {"type": "urn:ordercast:unauthorized", "title": "Token expired"}))
        it.live.connect()
        await it.until("offline token_expired")
        assert it.states == ["resuming", "offline unreachable", "offline token_expired"]


async def test_after_a_resync_it_is_live_when_what_is_watched_is_fetched_anew(shop: Shop) -> None:
    async with living(shop, since="log.900") as it:
        heard: list[int] = []
        it.live.on("order:updated", lambda data: heard.append(data["position"]))
        watch = it.live.watch(17)
        socket = await shop.socket()
        socket.coming.put_nowait(("order:updated", [updated(8, 901)]))
        await turn()
        shop.order = Unreachable("not yet")
        late = it.live.watches.taker(17)
        socket.coming.put_nowait(("resync", [{"position": 3}]))
        socket.coming.put_nowait(("position", ["other.3"]))
        await turn()
        assert it.live.connection.status == "resuming"
        shop.order = order(2, "accepted")
        await it.until("live")
        assert it.live.cursor == "other.3"
        late(order(9))  # an answer to what was asked before
        assert watch.order is not None
        assert (watch.order.version, watch.complete) == (2, True)
        socket.coming.put_nowait(("order:updated", [updated(3, 4)]))
        await turn()
        assert heard == [901, 4], "lower positions of another log are news"


async def test_a_watched_order_keeps_itself_current_and_fetches_what_is_missing(shop: Shop) -> None:
    async with living(shop) as it:
        watch = it.live.watch(17)
        socket = await shop.socket()
        async with asyncio.timeout(WAIT):
            assert (await watch.changed()).version == 1
            socket.coming.put_nowait(("order:updated", [updated(2)]))
            changed = await watch.changed()
            assert (changed.version, changed.status, changed.step) == (2, "accepted", 2)
            shop.order = order(4, "accepted", note="ring")
            socket.coming.put_nowait(("order:updated", [updated(4)]))
            while (await watch.changed()).note != "ring":
                pass
        assert watch.complete
        assert ("watch:order", "17") in socket.said
        other = it.live.watch("17")
        watch.close()
        watch.close()
        await turn()
        assert ("unwatch:order", "17") not in socket.said, "another watches it"
        other.close()
        await turn()
        assert ("unwatch:order", "17") in socket.said
        assert [seen async for seen in watch] == []


async def test_what_is_not_there_is_a_problem(shop: Shop) -> None:
    async with living(shop) as it:
        shop.order = NOT_FOUND
        with pytest.raises(Problem) as caught:
            async with asyncio.timeout(WAIT):
                await it.live.watch(18).changed()
        assert caught.value.status == 404


async def test_a_token_about_to_end_is_renewed_with_a_function_alone(shop: Shop) -> None:
    given = iter(["old", "new"])
    async with living(shop, lambda: next(given)) as it:
        told = asyncio.Event()
        it.live.on("token:refreshed", lambda _: told.set())
        socket = await shop.socket()
        socket.coming.put_nowait(("token:expiring", [{"expiresAt": 10**10}]))
        async with asyncio.timeout(WAIT):
            await told.wait()
        assert socket.said == [("auth:refresh", "new")]
    tries = 0

    def get() -> str:
        nonlocal tries
        tries += 1
        if tries in (2, 3):
            raise OSError("away")
        return f"t{tries}"

    async with living(shop, get) as it:
        failed: list[Any] = []
        it.live.on("token:refresh_failed", failed.append)
        socket = await shop.socket()
        socket.coming.put_nowait(("token:expiring", [{"expiresAt": 10**10}]))
        renewed = asyncio.Event()
        it.live.on("token:refreshed", lambda _: renewed.set())
        async with asyncio.timeout(WAIT):
            await renewed.wait()
        assert socket.said == [("auth:refresh", "t4")]
        assert len(failed) == 2
    async with living(shop) as it:
        it.live.connect()
        await it.until("live")
        with pytest.raises(TokenError, match="no function"):
            await it.live.refresh(None)
        with pytest.raises(Problem, match="Invalid token"):
            await it.live.refresh("bad")


async def test_events_of_the_shops_own_come_as_messages(shop: Shop) -> None:
    heard: list[Any] = []
    async with living(shop) as it:
        it.live.on("message", lambda name, args: heard.append((name, args)))
        (await shop.socket()).coming.put_nowait(("kitchen:bell", [{"orderId": 17}, 2]))
        await turn()
    assert heard == [("kitchen:bell", [{"orderId": 17}, 2])]
