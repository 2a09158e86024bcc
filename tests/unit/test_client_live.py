"""The Python client's live side, on fakes: a server of Socket.IO that a test plays, and REST as a function."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from ordercast.client import link
from ordercast.client.backoff import Backoff
from ordercast.client.engine import Closed
from ordercast.client.errors import Broken, Ended, Problem, TokenError, Unreachable
from ordercast.client.following import Events
from ordercast.client.rest import Rest
from ordercast.client.signals import Emitter, Tasks
from ordercast.client.sockets import Refused, ServerEnded
from ordercast.client.tokens import Tokens
from tests.fake_shop import AT_ONCE, NOT_FOUND, WAIT, Shop, living, order, shown, turn, updated
from tests.harness import Json


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
    for answer in (Problem(410, {"title": "gone"}), page(cursor=7)):
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
        shop.pages.put_nowait(Problem(401, {"title": "Token expired"}))
        it.live.connect()
        await it.until("offline token_expired")


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


async def test_an_event_that_cannot_be_understood_harms_no_other(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[int] = []
    async with living(shop) as it:
        it.live.on("order:updated", lambda data: heard.append(data["version"]))
        watch = it.live.watch(17)
        socket = await shop.socket()
        async with asyncio.timeout(WAIT):
            await watch.changed()
        for odd in ({"orderId": 17, "version": 2, "position": 2}, {"orderId": 17}, None, updated(3)):
            socket.coming.put_nowait(("order:updated", [odd]))
        await turn()
        assert it.live.connection.status == "live"
        assert heard == [3]
        assert "cannot be understood" in caplog.text


@pytest.mark.parametrize(
    "name", ["position", "caught_up", "resync", "watching", "watch:denied", "token:expiring", "order:created"]
)
@pytest.mark.parametrize("odd", [[], [None], ["x"], [[]], [{}], [{"orderId": 17}]])
async def test_no_odd_event_ends_the_connection(shop: Shop, name: str, odd: list[Any]) -> None:
    async with living(shop, lambda: "t") as it:
        it.live.connect()
        socket = await shop.socket()
        socket.coming.put_nowait((name, odd))
        socket.coming.put_nowait(("position", ["log.5"]))
        await turn()
        assert it.live.cursor == "log.5"
        assert it.live.connection.status == "live"


async def test_a_bug_ends_the_connection_and_says_so(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.answers = [ZeroDivisionError("a bug")]
    async with living(shop) as it:
        it.live.connect()
        await it.until("offline broken")
        assert "this is a bug" in caplog.text
        it.live.connect()
        await it.until("live")


async def test_a_bug_where_it_polls_ends_the_connection_too(shop: Shop) -> None:
    shop.answers = [Unreachable("no")] * 2
    shop.pages.put_nowait(ZeroDivisionError("a bug"))
    async with living(shop, since="log.1", backoff=Backoff(60.0, 60.0)) as it:
        it.live.connect()
        await turn()
        it.live.hurry()
        await it.until("offline broken")


async def test_a_bug_is_the_error_of_the_order_that_it_is_about(shop: Shop) -> None:
    shop.order = ZeroDivisionError("a bug")
    async with living(shop) as it:
        watch = it.live.watch(17)
        with pytest.raises(Broken, match="This is a bug"):
            async with asyncio.timeout(WAIT):
                await watch.changed()
        assert it.live.connection.status == "live"


async def test_events_of_the_shops_own_come_as_messages(shop: Shop) -> None:
    heard: list[Any] = []
    async with living(shop) as it:
        it.live.on("message", lambda name, args: heard.append((name, args)))
        (await shop.socket()).coming.put_nowait(("kitchen:bell", [{"orderId": 17}, 2]))
        await turn()
    assert heard == [("kitchen:bell", [{"orderId": 17}, 2])]


# -- following the log ---------------------------------------------------------------------------------------


def page(*positions: int, cursor: int) -> Json:
    events = [{"event": "order:updated", "data": updated(p), "position": p} for p in positions]
    return {"events": events, "position": cursor, "cursor": f"log.{cursor}"}


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
    gone["events"].append({"event": "watch:denied", "data": {"orderId": 18, "error": "not_found"}, "position": 3})
    shop.pages.put_nowait(gone)
    assert (await anext(events)).name == "order:updated"
    event = await anext(events)
    assert (event.name, event.order_id, event.version, event.cursor) == ("watch:denied", 18, 0, "log.3")
    assert (event.status, event.changes, event.order) == (None, {}, None)


async def test_where_the_log_cannot_be_followed_it_says_so_with_where_to_go_on(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "old.1")
    gone = Problem(410, {"title": "gone", "detail": "Fetch anew."})
    for answer in (gone, Unreachable("no"), page(cursor=7), page(8, cursor=8)):
        shop.pages.put_nowait(answer)
    with pytest.raises(Problem, match="Fetch anew") as caught:
        await anext(events)
    assert getattr(caught.value, "cursor", None) == events.cursor == "log.7"
    assert (await anext(events)).position == 8
    assert [asked["after"] for asked in shop.asked] == ["old.1", None, None, "log.7"]


async def test_a_410_that_is_not_the_logs_is_no_reason_to_hurry(shop: Shop) -> None:
    gone = Problem(410, {})
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


async def test_what_does_not_pass_is_raised(shop: Shop) -> None:
    events = Events(cast("Rest", shop), AT_ONCE, "log.1")
    shop.pages.put_nowait(Problem(401, {"title": "Token expired"}))
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


# -- tokens and listeners ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_token_function_is_asked_once_for_all_who_wait(kind: str) -> None:
    asked = 0

    def plain() -> str:
        nonlocal asked
        asked += 1
        return f"t{asked}"

    async def later() -> str:
        await asyncio.sleep(0)
        return plain()

    tokens = Tokens(plain if kind == "plain" else later)
    assert set(await asyncio.gather(*(tokens.current() for _ in range(5)))) == {"t1"}
    assert set(await asyncio.gather(*(tokens.after("t1") for _ in range(5)))) == {"t2"}
    assert await tokens.current() == "t2"


async def test_listeners_hear_in_order_and_one_that_raises_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()
    emitter = Emitter(tasks)
    heard: list[tuple[str, int]] = []
    done = asyncio.Event()

    async def slow(number: int) -> None:
        await asyncio.sleep(0.01 if number == 1 else 0)
        heard.append(("slow", number))
        if number == 3:
            done.set()
        if number == 2:
            raise ValueError("two")

    def cancelled(number: int) -> None:
        raise asyncio.CancelledError

    async def cancelled_later(number: int) -> None:
        heard.append(("cancelled", number))
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        await gone

    def broken(number: int) -> None:
        raise ValueError(f"broken {number}")

    emitter.on("n", broken)
    emitter.on("n", cancelled)
    emitter.on("n", cancelled_later)
    off = emitter.on("n", lambda number: heard.append(("quick", number)))
    emitter.on("n", slow)
    for number in (1, 2, 3):
        emitter.emit("n", number)
    off()
    emitter.emit("n", 4)
    async with asyncio.timeout(WAIT):
        await done.wait()
    await tasks.close()
    assert [number for who, number in heard if who == "slow"][:3] == [1, 2, 3]
    assert [number for who, number in heard if who == "quick"] == [1, 2, 3]
    assert [number for who, number in heard if who == "cancelled"][:3] == [1, 2, 3]
    assert "a listener to 'n' raised" in caplog.text
