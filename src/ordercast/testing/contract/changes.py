"""`OrderRepository`: changing, and `put`, which creates or changes in one transaction."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ordercast.errors import Conflict, OrderExists
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order, OrderEvent, OrderQuery, Written
from ordercast.orders.ports import Decide, EventLog, OrderRepository, Put
from ordercast.testing.contract.kit import Clock, Contract, all_of, setting

LONG_AGO = datetime(2019, 5, 6, 7, 8, 9, 123_000, tzinfo=UTC)
CREATED = Change(kind=EventKind.CREATED, values={}, updated_by="pos", reason="from the till")
KEY = IdempotencyKey("s", "k", "f")


def never(order: Order) -> Change:
    """Is not to be asked."""
    raise AssertionError(f"{order.order_id} was there")


class Changes(Contract):
    async def test_a_change_with_all_it_can_carry(self, orders: OrderRepository, clock: Clock) -> None:
        before = (await orders.create(self.full(), self.statuses[0], "shop")).order
        values = {"status": self.statuses[1], **self.changes}
        seen: list[Order] = []

        def decide(order: Order) -> Change:
            seen.append(order)
            return Change(kind=EventKind.STATUS_CHANGED, values=values, updated_by=None, reason="why ☂", forced=True)

        at = clock.tick(1)
        written = await orders.change(before.order_id, decide)
        assert seen[-1] == before
        event = OrderEvent(
            position=2,
            order_id=before.order_id,
            version=2,
            kind=EventKind.STATUS_CHANGED,
            status=self.statuses[1],
            previous_status=self.statuses[0],
            fields=tuple(self.changes),
            customer_id=before.customer_id,
            shop_id=before.shop_id,
            updated_by=None,
            reason="why ☂",
            forced=True,
            at=at,
        )
        after: dict[str, Any] = {**values, "status_since": at, "version": 2, "updated_at": at}
        assert written == Written(replace(before, **after), event)
        assert not written.created
        assert await orders.get(before.order_id) == written.order
        assert written.order.created_at == before.created_at < written.order.updated_at

    async def test_fields_alone_change_no_status(self, orders: OrderRepository, clock: Clock) -> None:
        id, since = self.order_id(0), clock.time
        await self.create(orders, id)
        clock.tick()
        written = await orders.change(id, self.noting("x"))
        event = written.event
        assert event is not None
        assert (event.kind, event.status, event.previous_status) == (EventKind.CHANGED, self.statuses[0], None)
        assert event.fields == (self.text,)
        assert written.order.status_since == since
        assert await orders.get(id) == written.order

    async def test_an_event_without_values(self, orders: OrderRepository) -> None:
        """A second contact changes nothing but is worth an entry."""
        id = self.order_id(0)
        await self.create(orders, id)
        contacted = Change(kind=EventKind.CONTACTED, values={}, updated_by="7")
        written = await orders.change(id, lambda order: contacted)
        assert written.order.version == 2
        assert written.event is not None
        assert (written.event.kind, written.event.fields) == (EventKind.CONTACTED, ())
        assert await orders.get(id) == written.order

    async def test_deciding_for_nothing_changes_nothing(
        self, orders: OrderRepository, log: EventLog, clock: Clock
    ) -> None:
        order = (await self.create(orders, self.order_id(0))).order
        clock.tick()
        assert await orders.change(order.order_id, lambda order: None) == Written(order)
        await self.unchanged(orders, log, order, 1)

    @pytest.mark.parametrize("error", [Conflict("no"), ZeroDivisionError("oh"), KeyError("x"), OSError("disk")])
    async def test_what_deciding_raises_comes_out_and_changes_nothing(
        self, orders: OrderRepository, log: EventLog, error: Exception
    ) -> None:
        order = (await self.create(orders, self.order_id(0))).order

        def decide(order: Order) -> Change:
            raise error

        with pytest.raises(type(error)) as caught:
            await orders.change(order.order_id, decide)
        assert caught.value is error
        await self.unchanged(orders, log, order, 1)

    async def test_what_cannot_be_shown_is_not_stored(self, orders: OrderRepository, log: EventLog) -> None:
        """Rendering the answer belongs to the transaction."""
        order = (await self.create(orders, self.order_id(0))).order

        def fail(order: Order) -> bytes:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await orders.change(order.order_id, self.noting("x"), KEY, fail)
        await self.unchanged(orders, log, order, 1)

    async def test_nor_is_a_new_order(self, orders: OrderRepository, log: EventLog) -> None:
        def fail(order: Order) -> bytes:
            raise ZeroDivisionError

        new = NewOrder(order_id=self.order_id(0), customer_id=self.customers[0])
        with pytest.raises(ZeroDivisionError):
            await orders.create(new, self.statuses[0], "shop", KEY, fail)
        assert await orders.get(self.order_id(0)) is None
        assert await log.head() == 0
        await self.create(orders, self.order_id(0))
        await self.whole(orders, log, 1)


class Puts(Contract):
    async def test_put_creates_what_is_not_there(self, orders: OrderRepository, clock: Clock) -> None:
        full = self.full()
        written = await orders.put(replace(full, created_at=LONG_AGO), self.statuses[3], CREATED, never)
        order, event = written.order, written.event
        assert await orders.get(str(full.order_id)) == order
        assert (order.status, order.version) == (self.statuses[3], 1)
        assert (order.created_at, order.status_since, order.updated_at) == (LONG_AGO, LONG_AGO, clock.time)
        assert (order.items, order.contact, order.expected_at) == (full.items, full.contact, full.expected_at)
        assert event is not None
        assert (event.kind, event.version, event.position) == (EventKind.CREATED, 1, 1)
        assert (event.updated_by, event.reason, event.at) == ("pos", "from the till", clock.time)
        assert written.created

    async def test_put_changes_what_is_there(self, orders: OrderRepository, log: EventLog, clock: Clock) -> None:
        id, (_, customer, _), shop = self.order_id(0), self.customers, self.shops[0]
        await self.create(orders, id, **{self.text: "old"})
        clock.tick()
        told: dict[str, Any] = {"customer_id": customer, "shop_id": shop, "created_at": LONG_AGO, self.text: None}
        change = setting(**told, status=self.statuses[3])
        written = await orders.put(NewOrder(order_id=id, customer_id=customer), self.statuses[0], CREATED, change)
        order = await orders.get(id)
        assert order == written.order
        assert order is not None
        assert {name: getattr(order, name) for name in told} == told
        assert (order.status, order.version) == (self.statuses[3], 2)
        assert not written.created
        (_, event) = await all_of(log)
        assert event == written.event
        assert (event.customer_id, event.shop_id, event.previous_status) == (customer, shop, self.statuses[0])
        assert event.fields == tuple(told)

    async def test_what_is_put_again_or_refused_changes_nothing(self, orders: OrderRepository, log: EventLog) -> None:
        new = NewOrder(order_id=self.order_id(0), customer_id=self.customers[0])
        order = (await orders.put(new, self.statuses[0], CREATED, never)).order
        written = await orders.put(new, self.statuses[0], CREATED, lambda order: None)
        assert written == Written(order)
        with pytest.raises(AssertionError, match="was there"):
            await orders.put(new, self.statuses[0], CREATED, never)
        await self.unchanged(orders, log, order, 1)

    async def test_pages_are_by_the_shops_own_times(self, orders: OrderRepository) -> None:
        times = dict(enumerate((2026, 1955, 1969, 2031, 1900)))
        for n, year in times.items():
            made = datetime(year, 1, 2, tzinfo=UTC)
            new = NewOrder(order_id=self.order_id(n), customer_id=self.customers[0], created_at=made)
            await orders.put(new, self.statuses[0], CREATED, never)
        found: list[str] = []
        query: OrderQuery | None = OrderQuery(limit=1)
        while query is not None:
            page = await orders.find(query)
            found += [order.order_id for order in page.orders]
            query = None if page.next is None else replace(query, after=page.next)
        assert found == [self.order_id(n) for n in (3, 0, 2, 1, 4)]

    async def test_of_many_puts_at_once_one_creates_and_the_others_change(
        self, orders: OrderRepository, log: EventLog
    ) -> None:
        ids = [self.order_id(n) for n in range(5)]
        news = [NewOrder(order_id=id, customer_id=self.customers[0]) for id in ids]
        written = await asyncio.gather(
            *(orders.put(new, self.statuses[0], CREATED, self.noting(str(n))) for n in range(60) for new in news)
        )
        assert sum(one.created for one in written) == len(ids)
        assert {one.order.version for one in written} == {*range(1, 61)}
        await self.whole(orders, log, 300)

    async def test_many_are_told_of_in_their_order(self, orders: OrderRepository, log: EventLog) -> None:
        one, there, two, three = (self.order_id(n) for n in range(4))
        await self.create(orders, there)

        def refuse(order: Order) -> Change:
            raise OrderExists("not yours")

        def put(id: str, decide: Decide = never) -> Put:
            return Put(NewOrder(order_id=id, customer_id=self.customers[0]), self.statuses[0], CREATED, decide)

        given = [put(one), put(there, self.noting("x")), put(there, refuse), put(two)]
        given += [put(one, self.noting("again")), put(three), put(three, lambda order: None)]
        first, changed, refused, second, again, third, same = await orders.put_all(given)
        assert isinstance(refused, OrderExists)
        for written, id, version in ((first, one, 1), (changed, there, 2), (second, two, 1), (again, one, 2)):
            assert isinstance(written, Written)
            assert (written.order.order_id, written.order.version, written.created) == (id, version, version == 1)
        assert isinstance(third, Written)
        assert same == Written(third.order)
        by_position = {event.position: event for event in await all_of(log)}
        assert len(by_position) == 6
        for written in (first, changed, second, again, third):
            assert isinstance(written, Written)
            assert written.event is not None
            assert by_position[written.event.position] == written.event
        await self.whole(orders, log, 6)
        assert await orders.put_all([]) == []

    async def test_many_against_others_that_do_the_same(self, orders: OrderRepository, log: EventLog) -> None:
        def put(n: int, text: str) -> Put:
            new = NewOrder(order_id=self.order_id(n), customer_id=self.customers[0])
            return Put(new, self.statuses[0], CREATED, self.noting(text))

        async def bring(text: str) -> None:
            assert all(isinstance(one, Written) for one in await orders.put_all([put(n, text) for n in range(40)]))

        await asyncio.gather(
            *(bring(f"all {n}") for n in range(5)), *(orders.put(*put(n, "one")) for n in reversed(range(40)))
        )
        await self.whole(orders, log, 240)

    async def test_the_same_put_many_times_at_once_is_one_event(self, orders: OrderRepository, log: EventLog) -> None:
        same = [orders.put(self.full(), self.statuses[0], CREATED, lambda order: None) for _ in range(100)]
        written = await asyncio.gather(*same)
        assert sum(one.created for one in written) == 1
        assert {one.order.version for one in written} == {1}
        await self.whole(orders, log, 1)
