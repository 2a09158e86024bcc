"""`EventLog`: reading it, following it, waking for it."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from ordercast.errors import NotFound
from ordercast.orders.models import Order, OrderEvent
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.testing.contract.kit import Clock, Contract, all_of, positions, setting


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


class Log(Contract):
    # -- reading -------------------------------------------------------------------------------------------

    async def test_an_empty_log(self, log: EventLog) -> None:
        assert await log.head() == 0
        assert (await positions(log, 0), await positions(log, 7), log.floor) == ([], [], 0)
        assert tuple(await log.of_customer(self.customers[0], 0, 10)) == ([], 0)
        assert list(log.recent(0, 10)) == []

    async def test_a_log_has_one_name(self, log: EventLog, orders: OrderRepository) -> None:
        name = log.log_id
        assert 0 < len(name) <= 64
        assert name.replace("-", "").replace("_", "").isalnum()  # a cursor is <logId>.<position>
        await self.create(orders, self.order_id(0))
        assert log.log_id == name

    async def test_after(self, log: EventLog, orders: OrderRepository) -> None:
        for n in range(1, 11):
            await self.create(orders, self.order_id(n))
            assert await log.head() == n
        assert await positions(log, 0) == await positions(log, -5) == [*range(1, 11)]
        assert await positions(log, 4) == [5, 6, 7, 8, 9, 10]
        assert (await positions(log, 4, 2), await positions(log, 0, 1)) == ([5, 6], [1])
        assert (await positions(log, 9, 1), await positions(log, 4, 0)) == ([10], [])
        for beyond in (10, 11, 10**15, 2**63 - 1, 2**63, 10**30):
            assert await positions(log, beyond) == []

    async def test_when_an_event_was(self, log: EventLog, orders: OrderRepository, clock: Clock) -> None:
        before = clock.time
        await self.create(orders, self.order_id(0))
        clock.tick(5)
        await self.create(orders, self.order_id(1))
        assert (await log.at(1), await log.at(2)) == (before, clock.time)
        for nowhere in (-1, 0, 3, 2**63 - 1, 2**63, 10**30):
            assert await log.at(nowhere) is None

    async def test_an_entry_is_the_event_that_the_writer_got_and_the_history_has(
        self, log: EventLog, orders: OrderRepository
    ) -> None:
        full = self.full()
        id = str(full.order_id)
        written = [
            await orders.create(full, self.statuses[0], "shop"),
            await orders.change(id, setting(status=self.statuses[1], **self.changes)),
            await orders.change(id, self.noting("x")),
        ]
        told = [w.event for w in written]
        assert told == await all_of(log) == list(await orders.history(id))
        assert [await log.after(n, 1) for n in range(3)] == [[event] for event in told]

    async def test_what_was_refused_is_not_in_it(self, log: EventLog, orders: OrderRepository) -> None:
        await self.create(orders, self.order_id(0))
        with pytest.raises(NotFound):
            await orders.change(self.order_id(1), self.noting("x"))
        await orders.change(self.order_id(0), lambda order: None)
        assert await positions(log) == [1]

    async def test_one_customers_events_and_up_to_where(self, log: EventLog, orders: OrderRepository) -> None:
        mine, theirs = self.order_id(0), self.order_id(1)
        for id, customer in ((mine, self.customers[0]), (theirs, self.customers[1])):
            await self.create(orders, id, customer)
        for number in range(5):
            await orders.change(theirs, self.noting(str(number)))
            if number % 2:
                await orders.change(mine, self.noting(str(number)))
        for number in range(3):
            await orders.change(theirs, self.noting(f"later {number}"))
        everything = {event.position: event for event in await all_of(log)}
        places = [position for position, event in everything.items() if event.customer_id == self.customers[0]]
        assert (len(places), len(everything)) == (3, 12)
        for position in range(13):
            for limit in (1, 2, 3, 4, 100):
                found, through = await log.of_customer(self.customers[0], position, limit)
                expected = [place for place in places if place > position][:limit]
                assert list(found) == [everything[place] for place in expected]
                assert through == (expected[-1] if len(expected) == limit else 12)
        for stranger in (self.customers[2], self.customers[0][:-1]):
            for position in (0, 3, 12):
                assert tuple(await log.of_customer(stranger, position, 10)) == ([], 12)

    async def test_whose_order_it_was_finds_that_it_is_so_no_more(self, log: EventLog, orders: OrderRepository) -> None:
        id, (before, after, *_) = self.order_id(0), self.customers
        await self.create(orders, id, before)
        await orders.change(id, self.noting("x"))
        moved = await orders.change(id, setting(customer_id=after))
        await orders.change(id, self.noting("y"))
        assert moved.event is not None
        for position in range(3):
            found, through = await log.of_customer(before, position, 10)
            assert [event.position for event in found] == [n for n in (1, 2, 3) if n > position]
            assert (found[-1], through) == (moved.event, 4)
        assert [event.position for event in (await log.of_customer(after, 0, 10))[0]] == [3, 4]
        assert tuple(await log.of_customer(before, 2, 1)) == ([moved.event], 3)
        assert tuple(await log.of_customer(before, 3, 10)) == ([], 4)

    async def test_a_follower_misses_nothing(self, log: EventLog, orders: OrderRepository) -> None:
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
        for n in range(5):
            await asyncio.gather(*(self.create(orders, self.order_id(n * 50 + m)) for m in range(50)))
        async with asyncio.timeout(60):
            await follower
        stop()
        assert [event.position for event in heard] == [*range(1, 251)]
        assert heard == await all_of(log)

    async def test_two_followers_at_their_own_pace(self, log: EventLog, orders: OrderRepository) -> None:
        for n in range(20):
            await self.create(orders, self.order_id(n))
        for step in (1, 3, 20, 50):
            seen = [0]
            while found := await positions(log, seen[-1], step):
                assert len(found) <= step
                seen += found
            assert all(b == a + 1 for a, b in pairwise(seen))
            assert seen[-1] == 20

    # -- waking --------------------------------------------------------------------------------------------

    async def test_a_commit_wakes_and_reading_does_not(self, log: EventLog, orders: OrderRepository) -> None:
        woken, id = Woken(), self.order_id(0)
        log.subscribe(woken)
        assert woken.times == 0
        await self.create(orders, id)
        await settle()
        assert woken.times == 1
        await orders.get(id)
        await log.after(0, 10)
        await orders.change(id, lambda order: None)
        with pytest.raises(NotFound):
            await orders.change(self.order_id(1), self.noting("x"))
        await settle()
        assert woken.times == 1
        await orders.change(id, self.noting("x"))
        await settle()
        assert woken.times == 2

    async def test_who_has_unsubscribed_sleeps_on(self, log: EventLog, orders: OrderRepository) -> None:
        first, second = Woken(), Woken()
        stop_first, stop_second = log.subscribe(first), log.subscribe(second)
        await self.create(orders, self.order_id(0))
        stop_first()
        stop_first()  # twice is once
        await self.create(orders, self.order_id(1))
        await settle()
        assert (first.times, second.times) == (1, 2)
        stop_second()
        await self.create(orders, self.order_id(2))
        await settle()
        assert (first.times, second.times) == (1, 2)

    async def test_one_function_may_subscribe_twice(self, log: EventLog, orders: OrderRepository) -> None:
        woken = Woken()
        stop, _ = log.subscribe(woken), log.subscribe(woken)
        await self.create(orders, self.order_id(0))
        await settle()
        assert woken.times == 2
        stop()
        await self.create(orders, self.order_id(1))
        await settle()
        assert woken.times == 3

    async def test_who_wakes_may_leave_or_bring_others(self, log: EventLog, orders: OrderRepository) -> None:
        times: list[str] = []

        def once() -> None:
            times.append("once")
            stop()
            log.subscribe(lambda: times.append("new"))

        stop = log.subscribe(once)
        await self.create(orders, self.order_id(0))
        await settle()
        assert times == ["once"]
        await self.create(orders, self.order_id(1))
        await settle()
        assert times == ["once", "new"]

    async def test_who_wakes_finds_what_woke_it(self, log: EventLog, orders: OrderRepository) -> None:
        """A wake comes after the commit: the event and the order are there by then."""
        looks: list[asyncio.Task[tuple[int, int]]] = []
        id = self.order_id(0)

        async def look() -> tuple[int, int]:
            snapshot = await orders.snapshot(id)
            assert snapshot is not None
            return await log.head(), snapshot.order.version

        log.subscribe(lambda: looks.append(asyncio.create_task(look())))
        await self.create(orders, id)
        for n in range(2, 30):
            await orders.change(id, self.noting(str(n)))
        await settle()
        assert len(looks) == 29
        for n, (head, version) in enumerate(await asyncio.gather(*looks), 1):
            assert head >= n
            assert version >= n

    async def test_who_fails_to_wake_spoils_nothing(self, log: EventLog, orders: OrderRepository) -> None:
        woken = Woken()

        def fail() -> None:
            raise ZeroDivisionError

        for wake in (fail, woken, fail):
            log.subscribe(wake)
        async with asyncio.timeout(60):
            written = await self.create(orders, self.order_id(0))
        assert written.order == await orders.get(self.order_id(0))
        await settle()
        assert woken.times == 1

    async def test_what_is_at_hand_within_a_wake_is_true(self, orders: OrderRepository, log: EventLog) -> None:
        """Nothing need be at hand; what is, is what the log has, in order."""
        seen: list[tuple[OrderEvent, Order | None]] = []
        id = self.order_id(0)
        log.subscribe(lambda: seen.extend(log.recent(seen[-1][0].position if seen else 0, 100)))
        written = [await self.create(orders, id), await orders.change(id, setting(status=self.statuses[1]))]
        written += [await orders.change(id, self.noting("ring")), await orders.change(id, lambda order: None)]
        await settle()
        everything = await all_of(log)
        assert [event for event, _ in seen] in ([], everything)
        states = {one.event.position: one.order for one in written if one.event is not None}
        assert all(order in (None, states[event.position]) for event, order in seen)
        assert list(log.recent(3, 10)) == []
