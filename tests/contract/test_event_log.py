"""`EventLog`: what every keeper of the log promises, held to it in memory and in a file."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from ordercast.errors import NotFound
from ordercast.orders.models import Order, OrderEvent
from ordercast.orders.ports import EventLog, OrderRepository
from tests.contract.support import FULL, all_of, create, noting, positions, setting


async def test_an_empty_log(log: EventLog) -> None:
    assert await log.head() == 0
    assert await positions(log, 0) == []
    assert await positions(log, 7) == []


async def test_a_log_has_one_name(log: EventLog, orders: OrderRepository) -> None:
    name = log.log_id
    assert 0 < len(name) <= 64
    assert name.replace("-", "").replace("_", "").isalnum()  # a cursor is <logId>.<position>
    await create(orders)
    assert log.log_id == name


async def test_after(log: EventLog, orders: OrderRepository) -> None:
    for n in range(1, 11):
        await create(orders)
        assert await log.head() == n
    assert await positions(log, 0) == [*range(1, 11)]
    assert await positions(log, -5) == [*range(1, 11)]
    assert await positions(log, 4) == [5, 6, 7, 8, 9, 10]
    assert await positions(log, 4, 2) == [5, 6]
    assert await positions(log, 0, 1) == [1]
    assert await positions(log, 9, 1) == [10]
    assert await positions(log, 10) == []
    assert await positions(log, 11) == []
    assert await positions(log, 10**15) == []
    assert await positions(log, 4, 0) == []


async def test_an_entry_is_the_event_that_the_writer_got_and_the_history_has(
    log: EventLog, orders: OrderRepository
) -> None:
    id = FULL.order_id or ""
    written = [
        await orders.create(FULL, "received", "shop"),
        await orders.change(id, setting(status="accepted", note=None)),
        await orders.change(id, noting("x")),
    ]
    told = [w.event for w in written]
    assert told == await all_of(log) == list(await orders.history(id))
    assert [await log.after(n, 1) for n in range(3)] == [[event] for event in told]


async def test_what_was_refused_is_not_in_it(log: EventLog, orders: OrderRepository) -> None:
    await create(orders, "1")
    with pytest.raises(NotFound):
        await orders.change("2", noting("x"))
    await orders.change("1", lambda order: None)
    assert await positions(log, 0) == [1]


async def test_a_follower_misses_nothing(log: EventLog, orders: OrderRepository) -> None:
    """The feed's loop: look, and sleep until woken, beside many who write."""
    wake = asyncio.Event()
    stop = log.subscribe(wake.set)
    heard: list[OrderEvent] = []

    async def follow() -> None:
        while len(heard) < 250:
            wake.clear()
            events = await log.after(heard[-1].position if heard else 0, 7)
            heard.extend(events)
            if not events:
                await wake.wait()

    follower = asyncio.create_task(follow())
    for _ in range(5):
        await asyncio.gather(*(create(orders) for _ in range(50)))
    await asyncio.wait_for(follower, 30)
    stop()
    assert [event.position for event in heard] == [*range(1, 251)]
    assert heard == await all_of(log)


async def test_two_followers_at_their_own_pace(log: EventLog, orders: OrderRepository) -> None:
    for _ in range(20):
        await create(orders)
    for step in (1, 3, 20, 50):
        seen = [0]
        while found := await positions(log, seen[-1], step):
            assert len(found) <= step
            seen += found
        assert all(b == a + 1 for a, b in pairwise(seen))
        assert seen[-1] == 20


# -- waking -------------------------------------------------------------------------------------------------


class Woken:
    """Counts its wakes."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        asyncio.get_running_loop()  # raises off the event loop
        self.times += 1


async def settle() -> None:
    """Lets everything run that the loop has been given already."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_commit_wakes_and_reading_does_not(log: EventLog, orders: OrderRepository) -> None:
    woken = Woken()
    log.subscribe(woken)
    assert woken.times == 0
    await create(orders, "1")
    await settle()
    assert woken.times == 1
    await orders.get("1")
    await log.after(0, 10)
    await orders.change("1", lambda order: None)
    with pytest.raises(NotFound):
        await orders.change("2", noting("x"))
    await settle()
    assert woken.times == 1
    await orders.change("1", noting("x"))
    await settle()
    assert woken.times == 2


async def test_who_has_unsubscribed_sleeps_on(log: EventLog, orders: OrderRepository) -> None:
    first, second = Woken(), Woken()
    stop_first, stop_second = log.subscribe(first), log.subscribe(second)
    await create(orders)
    stop_first()
    stop_first()  # twice is once
    await create(orders)
    await settle()
    assert (first.times, second.times) == (1, 2)
    stop_second()
    await create(orders)
    await settle()
    assert (first.times, second.times) == (1, 2)


async def test_one_function_may_subscribe_twice(log: EventLog, orders: OrderRepository) -> None:
    woken = Woken()
    stop, _ = log.subscribe(woken), log.subscribe(woken)
    await create(orders)
    await settle()
    assert woken.times == 2
    stop()
    await create(orders)
    await settle()
    assert woken.times == 3


async def test_who_wakes_may_leave_or_bring_others(log: EventLog, orders: OrderRepository) -> None:
    times: list[str] = []

    def once() -> None:
        times.append("once")
        stop()
        log.subscribe(lambda: times.append("new"))

    stop = log.subscribe(once)
    await create(orders)
    await settle()
    assert times == ["once"]
    await create(orders)
    await settle()
    assert times == ["once", "new"]


async def test_who_wakes_finds_what_woke_it(log: EventLog, orders: OrderRepository) -> None:
    """A wake comes after the commit: the event and the order are there by then."""
    looks: list[asyncio.Task[tuple[int, int]]] = []

    async def look() -> tuple[int, int]:
        snapshot = await orders.snapshot("1")
        assert snapshot is not None
        return await log.head(), snapshot.order.version

    log.subscribe(lambda: looks.append(asyncio.create_task(look())))
    await create(orders, "1")
    for n in range(2, 30):
        assert len(looks) >= n - 1  # before the writer itself has learnt of it
        await orders.change("1", noting(str(n)))
    found = await asyncio.gather(*looks)
    assert len(found) == 29
    for n, (head, version) in enumerate(found, 1):
        assert head >= n
        assert version >= n


async def test_who_fails_to_wake_spoils_nothing(log: EventLog, orders: OrderRepository) -> None:
    woken = Woken()

    def fail() -> None:
        raise ZeroDivisionError

    for wake in (fail, woken, fail):
        log.subscribe(wake)
    written = await asyncio.wait_for(create(orders, "1"), 30)
    assert written.order == await orders.get("1")
    await settle()
    assert woken.times == 1


async def test_what_is_at_hand_within_a_wake(orders: OrderRepository, log: EventLog) -> None:
    seen: list[tuple[OrderEvent, Order | None]] = []
    log.subscribe(lambda: seen.extend(log.recent(len(seen), 100)))
    created = await create(orders, "x")
    moved = await orders.change("x", setting(status="accepted"))
    noted = await orders.change("x", noting("ring"))
    await orders.change("x", lambda order: None)
    assert [event for event, _ in seen] == await all_of(log) == [created.event, moved.event, noted.event]
    assert (seen[0][1], seen[2][1]) == (created.order, noted.order)
    assert [event for event, _ in log.recent(1, 1)] == [moved.event]
    assert list(log.recent(3, 10)) == []
