"""Many writers at once: one after the other, each on what the one before left, without a hole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ordercast.config import Settings
from ordercast.errors import Conflict, OrderExists
from ordercast.orders.kept import Kept, OwnStorage
from ordercast.orders.models import Change, EventKind, Order, OrderEvent, Written
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.testing.contract.kit import Contract, all_of, positions


class Concurrency(Contract):
    async def test_many_writers_leave_no_hole(self, orders: OrderRepository, log: EventLog) -> None:
        ids = [self.order_id(n) for n in range(7)]
        for id in ids:
            await self.create(orders, id)

        async def write(n: int) -> OrderEvent | None:
            id = ids[n % len(ids)]
            if n % 5 == 0:  # a refusal among them
                with pytest.raises(OrderExists):
                    await self.create(orders, id)
                return None
            if n % 5 == 1:
                assert (await orders.change(id, lambda order: None)).event is None
                return None
            if n % 5 == 2:
                return (await self.create(orders, self.order_id(10 + n))).event
            return (await orders.change(id, self.noting(str(n)))).event

        told = [event for event in await asyncio.gather(*(write(n) for n in range(400))) if event is not None]
        assert len(told) == 240
        await self.whole(orders, log, len(ids) + 240)
        assert sorted(told, key=lambda event: event.position) == (await all_of(log))[len(ids) :]

    async def test_each_change_sees_the_one_before(self, orders: OrderRepository) -> None:
        id = self.order_id(0)
        await self.create(orders, id, **{self.text: "0"})

        def count_up(order: Order) -> Change:
            text = str(int(getattr(order, self.text)) + 1)
            return Change(kind=EventKind.CHANGED, values={self.text: text}, updated_by="7")

        await asyncio.gather(*(orders.change(id, count_up) for _ in range(300)))
        order = await orders.get(id)
        assert order is not None
        assert (getattr(order, self.text), order.version) == ("300", 301)

    async def test_of_writers_who_expect_the_same_version_one_wins(
        self, orders: OrderRepository, log: EventLog
    ) -> None:
        id = self.order_id(0)
        await self.create(orders, id)

        def expecting(version: int, text: str) -> asyncio.Task[Written]:
            def decide(order: Order) -> Change | None:
                if order.version != version:
                    raise Conflict(str(order.version))
                return self.noting(text)(order)

            return asyncio.create_task(orders.change(id, decide))

        for version in (1, 2, 3):
            tries = [expecting(version, f"{version}.{n}") for n in range(60)]
            outcomes = await asyncio.gather(*tries, return_exceptions=True)
            won = [outcome for outcome in outcomes if isinstance(outcome, Written)]
            lost = [str(outcome) for outcome in outcomes if isinstance(outcome, Conflict)]
            assert (len(won), lost) == (1, [str(version + 1)] * 59)
            assert won[0].order == await orders.get(id)
        await self.whole(orders, log, 4)

    async def test_two_orders_wait_for_each_other_only_briefly(self, orders: OrderRepository, log: EventLog) -> None:
        """Whatever is locked in which order: nobody is refused for somebody else's sake."""
        ids = [self.order_id(n) for n in (0, 1)]
        for id in ids:
            await self.create(orders, id)
        await asyncio.gather(*(orders.change(ids[n % 2], self.noting(str(n))) for n in range(200)))
        await self.whole(orders, log, 202)


class ProcessContract(Contract):
    """Of a storage that several processes may have open: ``another`` is what the second one has."""

    @pytest.fixture
    def another(self, storage: OwnStorage) -> OwnStorage:
        """The same as ``storage``, as another process would make it."""
        raise NotImplementedError("override the fixture 'another': it returns your storage once more, not open yet")

    @pytest_asyncio.fixture
    async def there(self, kept: Kept, another: OwnStorage) -> AsyncIterator[Kept]:
        async with another.opened(Settings(log_retention=0)) as there:
            yield there

    async def test_what_another_process_writes_is_seen_in_order(self, kept: Kept, there: Kept) -> None:
        assert kept.log.log_id == there.log.log_id
        for n, writer in enumerate((kept, there, kept, kept, there, there, kept)):
            before = await kept.log.head()
            written = await self.create(writer.orders, self.order_id(n))
            for one in (kept, there):
                assert await one.log.head() == before + 1
                assert await one.log.after(before, 10) == [written.event]
                snapshot = await one.orders.snapshot(written.order.order_id)
                assert snapshot is not None
                assert (snapshot.order, snapshot.position) == (written.order, before + 1)
        for one in (kept, there):
            for start in range(8):
                seen = start
                while found := await positions(one.log, seen):
                    assert found == [*range(seen + 1, seen + len(found) + 1)]
                    seen = found[-1]
                assert seen == 7

    async def test_two_processes_at_once(self, kept: Kept, there: Kept) -> None:
        id = self.order_id(0)
        await self.create(kept.orders, id)
        await asyncio.gather(
            *(one.orders.change(id, self.noting(str(n))) for n in range(100) for one in (kept, there)),
            *(
                self.create(one.orders, self.order_id(1 + 2 * n + i))
                for n in range(50)
                for i, one in enumerate((kept, there))
            ),
        )
        for one in (kept, there):
            await self.whole(one.orders, one.log, 301)
        order = await kept.orders.get(id)
        assert order is not None
        assert order.version == 201

    async def test_who_follows_hears_of_the_other(self, kept: Kept, there: Kept) -> None:
        heard = asyncio.Event()
        stop = kept.log.subscribe(heard.set)
        await self.create(there.orders, self.order_id(0))
        async with asyncio.timeout(60):
            if kept.catch_up is not None:
                await kept.catch_up()
                await heard.wait()
        assert await positions(kept.log) == [1]
        stop()
