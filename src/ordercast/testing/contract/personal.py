"""`PersonalData` and what stands on it: an anonymised customer is in nothing that is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ordercast.orders.kept import Kept
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order, OrderQuery
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from ordercast.testing.contract.kit import Clock, Contract, all_of, setting, whole
from ordercast.testing.recovery import MemoryRevocations

SHOP = Principal("shop", Role.SERVICE)
CREATE = IdempotencyKey("service:shop: POST /api/orders", "k1", "f" * 64)


def body(order: Order) -> bytes:
    """An answer with what is personal in it."""
    return f"{order.customer_id} {order.contact}".encode()


async def anonymise(kept: Kept, customer_id: str) -> None:
    """As ``DELETE /api/customers/{id}`` does it."""
    assert kept.personal is not None, "there is none: leave PersonalDataContract out"
    await Privacy(kept.orders, kept.personal, MemoryRevocations()).anonymise(customer_id, SHOP)


async def of(kept: Kept, customer_id: str) -> list[Order]:
    """All orders of a customer."""
    return (await kept.orders.find(OrderQuery(customer_id=customer_id, limit=500))).orders


class PersonalDataContract(Contract):
    """Of `Kept.personal`."""

    async def test_what_is_personal_goes_and_what_the_figures_need_stays(self, kept: Kept, clock: Clock) -> None:
        before = (await kept.orders.create(self.full(), self.statuses[0], "shop")).order
        other = (await self.create(kept.orders, self.order_id(0), self.customers[1], note="theirs")).order
        clock.tick()
        await anonymise(kept, before.customer_id)
        after = await kept.orders.get(before.order_id)
        assert after is not None
        assert re.fullmatch(r"anonymous-[A-Za-z0-9_-]{22}", after.customer_id)
        name = after.customer_id
        gone: dict[str, Any] = {"customer_id": name, "reference": None, "items": [], "note": None, "contact": None}
        assert after == replace(before, **gone, version=2, updated_at=clock.time)
        assert await kept.orders.get(other.order_id) == other
        assert await of(kept, before.customer_id) == []
        assert (await kept.orders.find(OrderQuery(text=before.reference))).orders == []
        await whole(kept.orders, kept.log, 3)

    async def test_the_log_knows_no_more_who_it_was(self, kept: Kept) -> None:
        (mine, theirs, _), ids = self.customers, [self.order_id(n) for n in (0, 1)]
        for id, customer in zip(ids, (mine, theirs), strict=True):
            await self.create(kept.orders, id, customer)
        status, reason = self.statuses[3], "Ms Jones rang"
        ranting = Change(
            kind=EventKind.STATUS_CHANGED, values={"status": status}, updated_by=mine, reason=reason, forced=True
        )
        for id in ids:
            await kept.orders.change(id, lambda order: ranting)
        await anonymise(kept, mine)
        first, second, ranted, others, changed = await all_of(kept.log)
        name = first.customer_id
        assert name.startswith("anonymous-")
        assert [e.customer_id for e in (ranted, changed)] == [name, name]
        assert (ranted.updated_by, ranted.reason, ranted.forced) == (name, None, True)
        assert (second.customer_id, others.updated_by, others.reason) == (theirs, mine, reason)
        assert (changed.kind, changed.updated_by) == (EventKind.CHANGED, "shop")
        assert changed.fields == ("customer_id",)
        assert (await kept.log.of_customer(mine, 0, 10))[0] == []
        assert len((await kept.log.of_customer(name, 0, 10))[0]) == 3
        assert [e.customer_id for e in await kept.orders.history(ids[0])] == [name] * 3

    async def test_orders_that_were_theirs_once(self, kept: Kept) -> None:
        """They are somebody else's now, and stay as they are; the log forgets who had them before."""
        id, (mine, theirs, _) = self.order_id(0), self.customers
        await self.create(kept.orders, id, note="for them")
        await kept.orders.change(id, setting(customer_id=theirs))
        await anonymise(kept, mine)
        order = await kept.orders.get(id)
        assert order is not None
        assert (order.customer_id, order.note, order.version) == (theirs, "for them", 2)
        created, moved = await kept.orders.history(id)
        assert created.customer_id.startswith("anonymous-")
        assert moved.customer_id == theirs

    async def test_more_orders_than_a_page(self, kept: Kept) -> None:
        for n in range(210):
            await self.create(kept.orders, self.order_id(n))
        await anonymise(kept, self.customers[0])
        assert await of(kept, self.customers[0]) == []
        assert len({event.customer_id for event in await all_of(kept.log)}) == 1
        await whole(kept.orders, kept.log, 420)

    async def test_a_repeated_request_is_answered_without_what_is_gone(self, kept: Kept) -> None:
        """And makes no second order with all of it."""
        new = NewOrder(order_id=self.order_id(0), customer_id=self.customers[0], contact={"phone": "+49"})
        first = await kept.orders.create(new, self.statuses[0], "shop", CREATE, body)
        await anonymise(kept, self.customers[0])
        again = await kept.orders.create(new, self.statuses[0], "shop", CREATE, body)
        assert again.order.order_id == first.order.order_id
        assert again.replayed == f"{again.order.customer_id} None".encode()
        assert again.event is None
        assert await kept.log.head() == 2

    async def test_anonymising_twice_is_once_and_never_there_is_the_same(self, kept: Kept) -> None:
        await self.create(kept.orders, self.order_id(0))
        await anonymise(kept, self.customers[0])
        once = await kept.orders.get(self.order_id(0))
        await anonymise(kept, self.customers[0])
        await anonymise(kept, self.customers[2])
        assert await kept.orders.get(self.order_id(0)) == once
        assert await kept.log.head() == 2

    async def test_two_customers_get_two_names_and_a_second_life_another(self, kept: Kept) -> None:
        mine, theirs, _ = self.customers
        ids = [self.order_id(n) for n in range(3)]
        await self.create(kept.orders, ids[0], mine)
        await self.create(kept.orders, ids[1], theirs)
        await anonymise(kept, mine)
        await anonymise(kept, theirs)
        await self.create(kept.orders, ids[2], mine)
        await anonymise(kept, mine)
        orders = [await kept.orders.get(id) for id in ids]
        assert len({order.customer_id for order in orders if order is not None}) == 3

    async def test_what_was_left_halfway_is_finished(self, kept: Kept) -> None:
        """The orders had been changed when the server was killed; nothing else had."""
        id, mine = self.order_id(0), self.customers[0]
        new = NewOrder(order_id=id, customer_id=mine)
        await kept.orders.create(new, self.statuses[0], "shop", CREATE, body)
        await kept.orders.change(id, setting(customer_id="anonymous-x"))
        await anonymise(kept, mine)
        assert [event.customer_id == mine for event in await all_of(kept.log)] == [False, False]
        again = await kept.orders.create(new, self.statuses[0], "shop", CREATE, body)
        assert again.replayed == b"anonymous-x None"
