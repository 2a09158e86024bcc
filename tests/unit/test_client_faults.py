"""What harms no other in the Python client: odd events, bugs, listeners that raise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ordercast.client.backoff import Backoff
from ordercast.client.errors import Broken, Unreachable
from ordercast.client.signals import Emitter, Tasks
from tests.fake_shop import WAIT, Shop, living, turn, updated


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    return Shop(monkeypatch)


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
