"""`OrderRepository`: creating and reading."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.errors import NotFound, OrderExists
from ordercast.orders.kept import OwnStorage
from ordercast.orders.models import EventKind, Fulfilment, NewOrder, Order, OrderEvent, OrderQuery, Written
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.testing.contract.kit import Clock, Contract, all_of


class Orders(Contract):
    async def test_what_was_created_is_there(self, orders: OrderRepository, clock: Clock) -> None:
        full = self.full()
        id, status = str(full.order_id), self.statuses[0]
        told = {name: getattr(full, name) for name in NewOrder.__slots__ if name not in ("order_id", "created_at")}
        written = await orders.create(full, status, "shop")
        at = clock.time
        order = Order(
            order_id=id, status=status, version=1, created_at=at, status_since=at, updated_at=at, **told
        )  # fmt: skip
        event = OrderEvent(
            position=1,
            order_id=id,
            version=1,
            kind=EventKind.CREATED,
            status=status,
            customer_id=full.customer_id,
            shop_id=full.shop_id,
            updated_by="shop",
            at=at,
        )
        assert written == Written(order, event)
        assert written.created
        assert await orders.get(id) == order

    async def test_the_least_that_can_be_said(self, orders: OrderRepository) -> None:
        written = await self.create(orders, self.order_id(0))
        order = await orders.get(self.order_id(0))
        assert order == written.order
        assert (order.shop_id, order.items, order.total, order.contact) == (None, [], None, None)
        assert (order.expected_at, order.claimed_by, order.first_contact_at) == (None, None, None)
        assert order.fulfilment is Fulfilment.DELIVERY

    async def test_every_status_is_kept(self, orders: OrderRepository) -> None:
        for n, status in enumerate(self.statuses):
            await self.create(orders, self.order_id(n), status=status)
            order = await orders.get(self.order_id(n))
            assert order is not None
            assert order.status == status

    async def test_what_is_not_there(self, orders: OrderRepository) -> None:
        id = self.order_id(0)
        await self.create(orders, id)
        for other in (self.order_id(1), "", f"0{id}", f"{id} ", "B" * 64, "9" * 40):
            assert await orders.get(other) is None
            assert await orders.snapshot(other) is None
            assert await orders.history(other) == []
            with pytest.raises(NotFound):
                await orders.change(other, self.noting("x"))

    async def test_one_id_is_not_another(self, orders: OrderRepository) -> None:
        ids = [self.order_id(n) for n in range(8)]
        for id in ids:
            await self.create(orders, id)
        for id in ids:
            found = await orders.get(id)
            assert found is not None
            assert found.order_id == id

    async def test_what_was_handed_out_is_not_what_is_stored(self, orders: OrderRepository) -> None:
        items: list[Any] = [{"n": 1}]
        id = self.order_id(0)
        new = NewOrder(order_id=id, customer_id=self.customers[0], items=items)
        written = await orders.create(new, self.statuses[0], "shop")
        before = await orders.get(id)
        assert before is not None
        for handed in (items, written.order.items, (await orders.find(OrderQuery())).orders[0].items):
            handed.append("smuggled")
        snapshot = await orders.snapshot(id)
        assert snapshot is not None
        snapshot.order.items.clear()
        assert await orders.get(id) == replace(before, items=[{"n": 1}])

    async def test_an_id_is_taken_once(self, orders: OrderRepository, log: EventLog) -> None:
        id = self.order_id(1)
        first = (await self.create(orders, id, **{self.text: "first"})).order
        with pytest.raises(OrderExists, match=f"'{id}'"):
            await self.create(orders, id, self.customers[1])
        await self.unchanged(orders, log, first, 1)

    async def test_several_orders_at_once(self, orders: OrderRepository) -> None:
        assert list(await orders.get_all([])) == []
        ids = [self.order_id(n) for n in (0, 1, 2)]
        written = {id: (await self.create(orders, id)).order for id in ids}
        asked = {*ids[:2], "not there", '"', "", *(self.order_id(n) for n in range(1_000, 3_000))}
        assert {order.order_id: order for order in await orders.get_all(asked)} == {id: written[id] for id in ids[:2]}
        assert len(await orders.get_all([ids[2], ids[2]])) == 1

    async def test_a_history_is_in_order_and_of_one_order(self, orders: OrderRepository, log: EventLog) -> None:
        one, other = self.order_id(0), self.order_id(1)
        for id in (one, other):
            await self.create(orders, id)
        for n in range(5):
            for id in (other, one):
                await orders.change(id, self.noting(str(n)))
        history = list(await orders.history(one))
        assert [event.version for event in history] == [1, 2, 3, 4, 5, 6]
        assert history == [event for event in await all_of(log) if event.order_id == one]

    async def test_a_snapshot_is_complete_up_to_its_position(self, orders: OrderRepository) -> None:
        """And so is a page: what it shows is what the log says up to there, neither less nor more."""
        ids = [self.order_id(n) for n in (0, 1)]
        for id in ids:
            await self.create(orders, id)

        async def look() -> list[tuple[str, int, int]]:
            seen = []
            for id in ids * 40:
                snapshot = await orders.snapshot(id)
                assert snapshot is not None
                seen.append((id, snapshot.order.version, snapshot.position))
                page = await orders.find(OrderQuery())
                seen += [(order.order_id, order.version, page.position) for order in page.orders]
            return seen

        looking = asyncio.create_task(look())
        await asyncio.gather(*(orders.change(ids[n % 2], self.noting(str(n))) for n in range(300)))
        seen = await looking
        final = await orders.snapshot(ids[0])
        assert final is not None
        assert final.position == 302
        history = {id: await orders.history(id) for id in ids}
        for id, version, position in seen:
            assert version == sum(event.position <= position for event in history[id])

    async def test_what_was_written_outlasts_a_closing(self, storage: OwnStorage) -> None:
        id = self.order_id(0)
        async with storage.opened(Settings()) as kept:
            await self.create(kept.orders, id)
            order = (await kept.orders.change(id, self.noting("x"))).order
            events, name = await all_of(kept.log), kept.log.log_id
        async with storage.opened(Settings()) as kept:
            assert await kept.orders.get(id) == order
            assert await all_of(kept.log) == events
            assert kept.log.log_id == name
            await self.unchanged(kept.orders, kept.log, order, 2)
