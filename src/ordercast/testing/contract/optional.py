"""What a shop may leave out: numbers for orders, the removal of old events, the figures of a day."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from ordercast.orders.figures import Fact
from ordercast.orders.ids import parse_id
from ordercast.orders.kept import Kept
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order, OrderEvent, OrderQuery
from ordercast.orders.ports import Decide, EventLog, Figures, OrderRepository
from ordercast.testing.contract.kit import Clock, Contract, all_of, positions, setting


class NumberContract(Contract):
    """Of a repository that gives ids to orders that come without."""

    async def numbered(self, orders: OrderRepository) -> str:
        """The id that a new order was given."""
        return (await orders.create(NewOrder(customer_id=self.customers[0]), self.statuses[0], "shop")).order.order_id

    async def test_each_gets_an_id_of_its_own(self, orders: OrderRepository, log: EventLog) -> None:
        for n in range(5):
            await self.create(orders, self.order_id(n))
        ids = [*await asyncio.gather(*(self.numbered(orders) for _ in range(30)))]
        assert len({*ids, *(self.order_id(n) for n in range(5))}) == 35
        assert [parse_id(id) for id in ids] == ids
        for id in ids:
            order = await orders.get(id)
            assert order is not None
            assert order.order_id == id
        await self.whole(orders, log, 35)

    async def test_a_refusal_leaves_no_order_behind(self, orders: OrderRepository, log: EventLog) -> None:
        def fail(order: Order) -> bytes:
            raise ZeroDivisionError

        new = NewOrder(customer_id=self.customers[0])
        with pytest.raises(ZeroDivisionError):
            await orders.create(new, self.statuses[0], "shop", IdempotencyKey("s", "k", "f"), fail)
        assert (await orders.find(OrderQuery())).orders == []
        await self.numbered(orders)
        await self.whole(orders, log, 1)


class RetentionContract(Contract):
    """Of a log that loses its oldest events in time: `retain` is what removes them."""

    async def retain(self, kept: Kept, seconds: float) -> None:
        """Removes events that are older than so many seconds."""
        raise NotImplementedError("override 'retain': it removes events that are older than so many seconds")

    async def ten(self, orders: OrderRepository, clock: Clock) -> None:
        """Ten events of two orders, a second apart; the newest is of now."""
        for n in range(10):
            clock.tick(1)
            id = self.order_id(n % 2)
            await (self.create(orders, id) if n < 2 else orders.change(id, self.noting(str(n))))

    async def test_what_is_old_is_removed(
        self, kept: Kept, log: EventLog, orders: OrderRepository, clock: Clock
    ) -> None:
        await self.ten(orders, clock)
        await self.retain(kept, 10)
        assert (log.floor, await positions(log)) == (0, [*range(1, 11)])
        times = [await log.at(position) for position in range(11)]
        await self.retain(kept, 5)  # as old as that is not older
        assert log.floor == 4
        assert await log.head() == 10
        assert await positions(log, 4) == [5, 6, 7, 8, 9, 10]
        assert await positions(log, 7, 2) == [8, 9]
        assert await positions(log, 10) == []
        assert await positions(log, 0) == await positions(log, 3) == [5, 6, 7, 8, 9, 10]  # the floor tells
        assert [event.position for event, _ in log.recent(4, 100)] in ([], [5, 6, 7, 8, 9, 10])
        assert [await log.at(position) for position in range(11)] == [None] * 5 + times[5:]
        await self.retain(kept, 5)
        await self.retain(kept, 100)
        assert log.floor == 4
        assert [event.version for event in await orders.history(self.order_id(0))] == [3, 4, 5]

    async def test_orders_stay_as_they_are(
        self, kept: Kept, log: EventLog, orders: OrderRepository, clock: Clock
    ) -> None:
        await self.ten(orders, clock)
        a, b, c = (self.order_id(n) for n in range(3))
        before = [await orders.get(id) for id in (a, b)]
        clock.tick(1)
        await self.retain(kept, 0.5)
        assert (log.floor, await log.head(), await positions(log)) == (10, 10, [])
        assert [await orders.get(id) for id in (a, b)] == before
        assert [await orders.history(id) for id in (a, b)] == [[], []]
        page = await orders.find(OrderQuery())
        assert (page.position, len(page.orders)) == (10, 2)
        written = await orders.change(a, setting(status=self.statuses[1]))
        assert written.event is not None
        assert (written.event.position, written.event.version) == (11, 6)
        created = await self.create(orders, c)
        assert created.event is not None
        assert created.event.position == 12
        snapshot = await orders.snapshot(a)
        assert snapshot is not None
        assert (snapshot.position, snapshot.order) == (12, written.order)
        assert await positions(log, 10) == [11, 12]
        assert list(await orders.history(a)) == [written.event]

    async def test_one_of_a_wrong_clock_keeps_all_behind_it(
        self, kept: Kept, log: EventLog, orders: OrderRepository, clock: Clock
    ) -> None:
        """Removing those would leave a hole."""
        start = clock.time
        await self.create(orders, self.order_id(0))
        clock.tick(1_000_000)
        await self.create(orders, self.order_id(1))
        clock.time = start
        await self.create(orders, self.order_id(2))
        clock.tick(100)
        await self.retain(kept, 10)
        assert (log.floor, await positions(log, 1)) == (1, [2, 3])
        clock.tick(1_000_000)
        await self.retain(kept, 10)
        assert (log.floor, await positions(log, 3)) == (3, [])


class FigureContract(Contract):
    """Of `Kept.figures`: what is read of the log is what the log says."""

    @pytest.fixture
    def figures(self, kept: Kept) -> Figures:
        assert kept.figures is not None, "there are none: leave FigureContract out"
        return kept.figures

    async def a_day(self, orders: OrderRepository, clock: Clock, steps: int) -> None:
        """Orders that come, move, are contacted, claimed and noted; now and then the clock is set back."""
        pick = random.Random(2016)  # noqa: S311 - the same day each time
        ids: list[str] = []
        for _ in range(steps):
            clock.tick(pick.choice((0, 0.001, 1, 60, 600, -0.5)))
            id = pick.choice(ids) if ids else ""
            match pick.randrange(8) if ids else 0:
                case 0 | 1:
                    ids.append(self.order_id(len(ids)))
                    shop, status = pick.choice((*self.shops, None)), pick.choice(self.statuses[:2])
                    await self.create(orders, ids[-1], shop_id=shop, status=status)
                case 2 | 3 | 4:
                    await orders.change(id, moving(pick.choice(self.statuses)))
                case 5:
                    await orders.change(id, contacting(clock.time))
                case 6:
                    await orders.change(id, setting(claimed_by=pick.choice(("ana", "ben"))))
                case _:
                    await orders.change(id, self.noting("x"))

    async def test_facts_and_standing(
        self, figures: Figures, orders: OrderRepository, log: EventLog, clock: Clock
    ) -> None:
        start, statuses = clock.time, self.statuses
        assert await figures.facts(start, 0, 10) == ([], 0)
        assert await figures.standing(statuses) == []
        await self.a_day(orders, clock, 250)
        events = await all_of(log)
        head = events[-1].position
        ids = {event.order_id for event in events}
        known = {order.order_id: order for order in await orders.get_all(ids)}
        middle = events[len(events) // 2].at
        for since in (start - timedelta(days=1), middle, middle + timedelta(milliseconds=1), clock.time):
            wanted = expected(events, known, since)
            for limit in (1, 7, 10_000):
                assert await read(figures, since, limit) == (wanted, head)
        assert await figures.facts(clock.time + timedelta(hours=1), 0, 10) == ([], head)
        assert await figures.facts(start, head, 10) == ([], head)

        standing = await figures.standing(statuses[:3])
        counted = Counter((o.shop_id, o.status) for o in known.values() if o.status in statuses[:3])
        waiting = Counter((o.shop_id, o.status) for o in known.values() if o.first_contact_at is None)
        assert {(one.shop_id, one.status): one.orders for one in standing} == counted
        assert all(one.waiting == waiting[one.shop_id, one.status] for one in standing)
        assert await figures.standing([]) == []

    async def test_only_what_is_new_is_read(self, figures: Figures, orders: OrderRepository, clock: Clock) -> None:
        start, id = clock.time, self.order_id(0)
        await self.create(orders, id)
        await orders.change(id, self.noting("nothing to count"))
        facts, position = await figures.facts(start, 0, 10)
        assert ([fact.position for fact in facts], position) == ([1], 2)
        clock.tick(5)
        await orders.change(id, setting(status=self.statuses[3]))
        facts, position = await figures.facts(start, position, 10)
        assert ([(fact.position, fact.stayed) for fact in facts], position) == ([(3, 5.0)], 3)


def moving(status: str) -> Decide:
    """Decides to move an order there, where it is not."""
    return lambda order: None if order.status == status else setting(status=status)(order)


def contacting(at: datetime) -> Decide:
    """Decides that its customer was contacted."""

    def decide(order: Order) -> Change:
        first = {"first_contact_at": at} if order.first_contact_at is None else {}
        return Change(kind=EventKind.CONTACTED, values=first, updated_by="7")

    return decide


def seconds(length: timedelta) -> float:
    """None is negative, whatever the clocks said."""
    return max(length.total_seconds(), 0.0)


def expected(events: Iterable[OrderEvent], orders: dict[str, Order], since: datetime) -> list[Fact]:
    """The facts, by going through everything."""
    facts: list[Fact] = []
    came: dict[str, datetime] = {}
    for event in events:
        order, first = orders[event.order_id], event.version == 1
        moved = first or event.previous_status is not None
        contacted = order.first_contact_at if "first_contact_at" in event.fields else None
        if event.at >= since and (moved or event.kind is EventKind.CONTACTED):
            stayed = None
            if event.previous_status is not None and event.order_id in came:
                stayed = seconds(event.at - came[event.order_id])
            facts.append(
                Fact(
                    position=event.position,
                    order_id=event.order_id,
                    shop_id=event.shop_id,
                    status=event.status if moved else None,
                    left=event.previous_status,
                    stayed=stayed,
                    created_at=order.created_at if first else None,
                    waited=None if contacted is None else seconds(contacted - order.created_at),
                )
            )
        if moved:
            came[event.order_id] = event.at
    return facts


async def read(figures: Figures, since: datetime, limit: int) -> tuple[list[Fact], int]:
    """All facts, by so many at once."""
    found: list[Fact] = []
    position, more = 0, True
    while more:
        some, position = await figures.facts(since, position, limit)
        assert len(some) <= limit
        found += some
        more = len(some) == limit
    return found, position
