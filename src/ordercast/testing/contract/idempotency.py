"""`IdempotencyKey`: the same request again gets the same answer and changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from ordercast.errors import IdempotencyKeyReused, NotFound, OrderExists, VersionConflict
from ordercast.orders.models import Change, IdempotencyKey, NewOrder, Order, Written
from ordercast.orders.ports import EventLog, OrderRepository, Render
from ordercast.testing.contract.kit import TTL, Clock, Contract

KEY = IdempotencyKey("service:shop POST /api/orders", "k1", "f" * 64)
OTHER = replace(KEY, fingerprint="e" * 64)


def numbered() -> Callable[[Order], bytes]:
    """Renders another body each time, so that a repeated answer can be told from one made anew."""
    times = count(1)
    return lambda order: b"\x00\xff%d:%s" % (next(times), order.order_id.encode())


class Idempotency(Contract):
    async def keyed(self, orders: OrderRepository, n: int, key: IdempotencyKey, render: Render) -> Written:
        """Creates the n-th order, as a request with this key."""
        new = NewOrder(order_id=self.order_id(n), customer_id=self.customers[0])
        return await orders.create(new, self.statuses[0], "shop", key, render)

    def answer(self, n: int, times: int = 1) -> bytes:
        """What `numbered` said the first time of the n-th order."""
        return b"\x00\xff%d:%s" % (times, self.order_id(n).encode())

    async def test_the_same_request_again_gets_the_same_answer(
        self, orders: OrderRepository, log: EventLog, clock: Clock
    ) -> None:
        render = numbered()
        first = await self.keyed(orders, 0, KEY, render)
        assert first.replayed is None
        assert first.event is not None
        changed = await orders.change(self.order_id(0), self.noting("since"))
        clock.tick(TTL)
        again = await self.keyed(orders, 0, KEY, render)
        assert again == Written(changed.order, event=None, replayed=self.answer(0))
        assert await log.head() == 2

    async def test_many_of_the_same_request_at_once(self, orders: OrderRepository, log: EventLog) -> None:
        render = numbered()
        written = await asyncio.gather(*(self.keyed(orders, 0, KEY, render) for _ in range(50)))
        assert sum(one.replayed is None for one in written) == 1
        (said,) = {one.replayed for one in written if one.replayed is not None}
        # A try that was refused in favour of another may have been rendered too; what was kept counts.
        assert said.endswith(b":" + self.order_id(0).encode())
        assert Counter(one.event is not None for one in written) == {True: 1, False: 49}
        await self.whole(orders, log, 1)

    async def test_many_of_the_same_change_at_once(self, orders: OrderRepository, log: EventLog) -> None:
        """Which would be refused after itself, as one of a version that was."""
        id, render = self.order_id(0), numbered()
        await self.create(orders, id)

        def once(order: Order) -> Change | None:
            if order.version > 1:
                raise VersionConflict(f"version {order.version}")
            return self.noting("x")(order)

        written = await asyncio.gather(*(orders.change(id, once, KEY, render) for _ in range(20)))
        assert sum(one.replayed is None for one in written) == 1
        await self.whole(orders, log, 2)

    async def test_a_change_again_gets_the_same_answer(self, orders: OrderRepository, log: EventLog) -> None:
        id, render = self.order_id(0), numbered()
        await self.create(orders, id)
        first = await orders.change(id, self.noting("x"), KEY, render)
        again = await orders.change(id, self.noting("y"), KEY, render)
        assert (first.replayed, again.replayed) == (None, self.answer(0))
        assert again.order == first.order
        assert await log.head() == 2

    async def test_an_answer_that_changed_nothing_is_remembered_too(
        self, orders: OrderRepository, log: EventLog
    ) -> None:
        id, render = self.order_id(0), numbered()
        await self.create(orders, id)
        await orders.change(id, lambda order: None, KEY, render)
        again = await orders.change(id, self.noting("x"), KEY, render)
        assert again.replayed == self.answer(0)
        assert await log.head() == 1

    async def test_the_same_key_with_another_body(self, orders: OrderRepository, log: EventLog) -> None:
        order = (await self.keyed(orders, 0, KEY, numbered())).order
        with pytest.raises(IdempotencyKeyReused):
            await self.keyed(orders, 1, OTHER, numbered())
        assert await orders.get(self.order_id(1)) is None
        await self.unchanged(orders, log, order, 1)

    async def test_keys_of_another_scope_are_other_keys(self, orders: OrderRepository) -> None:
        render = numbered()
        for n, key in enumerate((KEY, replace(KEY, scope="other"), replace(KEY, key="k2"), replace(KEY, key="K1"))):
            written = await self.keyed(orders, n, key, render)
            assert (written.order.order_id, written.replayed) == (self.order_id(n), None)

    async def test_a_failure_is_not_remembered(self, orders: OrderRepository) -> None:
        id, other, second = self.order_id(0), self.order_id(1), replace(KEY, key="k2")
        await self.create(orders, id)
        with pytest.raises(OrderExists):
            await self.keyed(orders, 0, KEY, numbered())
        with pytest.raises(NotFound):
            await orders.change(other, self.noting("x"), second, numbered())
        written = await self.keyed(orders, 1, OTHER, numbered())
        assert (written.order.order_id, written.replayed) == (other, None)
        assert (await orders.change(other, self.noting("x"), second, numbered())).replayed is None

    async def test_keys_are_forgotten_in_time(self, orders: OrderRepository, clock: Clock) -> None:
        render = numbered()
        await self.keyed(orders, 0, KEY, render)
        clock.tick(TTL + 0.001)
        late = await self.keyed(orders, 1, OTHER, render)
        assert (late.order.order_id, late.replayed) == (self.order_id(1), None)
        clock.tick(TTL)
        again = await self.keyed(orders, 1, OTHER, render)
        assert (again.order.order_id, again.replayed) == (self.order_id(1), self.answer(1, 2))
