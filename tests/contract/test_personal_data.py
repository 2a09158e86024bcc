"""`PersonalData` and what stands on it: an anonymised customer is in nothing that is kept."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ordercast.errors import Forbidden
from ordercast.orders.models import Change, EventKind, IdempotencyKey, NewOrder, Order, OrderQuery
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from tests.contract.support import FULL, Clock, Ports, all_of, create, noting, setting, whole

SHOP = Principal("shop", Role.SERVICE)
CREATE = IdempotencyKey("service:shop: POST /api/orders", "k1", "f" * 64)


def body(order: Order) -> bytes:
    return f"{order.customer_id} {order.contact}".encode()


async def anonymise(ports: Ports, customer_id: str, by: Principal = SHOP) -> None:
    await Privacy(ports.orders, ports.personal, ports.revocations).anonymise(customer_id, by)


async def of(ports: Ports, customer_id: str) -> list[Order]:
    return (await ports.orders.find(OrderQuery(customer_id=customer_id, limit=500))).orders


async def test_what_is_personal_goes_and_what_the_figures_need_stays(ports: Ports, clock: Clock) -> None:
    before = (await ports.orders.create(FULL, "received", "shop")).order
    await create(ports.orders, "other", "43", note="theirs")
    clock.tick()
    await anonymise(ports, "42")
    after = await ports.orders.get(before.order_id)
    assert after is not None
    assert re.fullmatch(r"anonymous-[A-Za-z0-9_-]{22}", after.customer_id)
    gone: dict[str, Any] = {
        "customer_id": after.customer_id,
        "reference": None,
        "items": [],
        "note": None,
        "contact": None,
    }
    assert after == replace(before, **gone, version=2, updated_at=clock.time)
    other = await ports.orders.get("other")
    assert other is not None
    assert (other.customer_id, other.note, other.version) == ("43", "theirs", 1)
    assert await of(ports, "42") == []
    assert (await ports.orders.find(OrderQuery(text="№ 7"))).orders == []
    await whole(ports.orders, ports.log, 3)


async def test_the_log_knows_no_more_who_it_was(ports: Ports) -> None:
    await create(ports.orders, "1")
    await create(ports.orders, "2", "43")
    ranting = Change(
        kind=EventKind.STATUS_CHANGED, values={"status": "ready"}, updated_by="42", reason="Ms Jones rang", forced=True
    )
    await ports.orders.change("1", lambda order: ranting)
    await ports.orders.change("2", lambda order: ranting)
    await anonymise(ports, "42")
    first, second, theirs, others, changed = await all_of(ports.log)
    name = first.customer_id
    assert name.startswith("anonymous-")
    assert [e.customer_id for e in (theirs, changed)] == [name, name]
    assert (theirs.updated_by, theirs.reason, theirs.forced) == (name, None, True)
    assert (second.customer_id, others.updated_by, others.reason) == ("43", "42", "Ms Jones rang")
    assert (changed.kind, changed.updated_by) == (EventKind.CHANGED, "shop")
    assert changed.fields == ("customer_id",)
    assert (await ports.log.of_customer("42", 0, 10))[0] == []
    assert len((await ports.log.of_customer(name, 0, 10))[0]) == 3
    assert [e.customer_id for e in await ports.orders.history("1")] == [name] * 3


async def test_orders_that_were_theirs_once(ports: Ports) -> None:
    """They are somebody else's now, and stay as they are; the log forgets who had them before."""
    await create(ports.orders, "1", note="for 43")
    await ports.orders.change("1", setting(customer_id="43"))
    await anonymise(ports, "42")
    order = await ports.orders.get("1")
    assert order is not None
    assert (order.customer_id, order.note, order.version) == ("43", "for 43", 2)
    created, moved = await ports.orders.history("1")
    assert created.customer_id.startswith("anonymous-")
    assert moved.customer_id == "43"


async def test_more_orders_than_a_page(ports: Ports) -> None:
    for n in range(450):
        await create(ports.orders, f"o{n}")
    await anonymise(ports, "42")
    assert await of(ports, "42") == []
    assert len({event.customer_id for event in await all_of(ports.log)}) == 1
    await whole(ports.orders, ports.log, 900)


async def test_a_repeated_request_is_answered_without_what_is_gone(ports: Ports) -> None:
    """And makes no second order with all of it."""
    new = NewOrder(customer_id="42", contact={"phone": "+49"})
    first = await ports.orders.create(new, "received", "shop", CREATE, body)
    await anonymise(ports, "42")
    again = await ports.orders.create(new, "received", "shop", CREATE, body)
    assert again.order.order_id == first.order.order_id
    assert again.replayed == f"{again.order.customer_id} None".encode()
    assert again.event is None
    assert await ports.log.head() == 2


async def test_watches_go(ports: Ports) -> None:
    await ports.watches.save("p", "42", "1")
    await ports.watches.save("q", "43", "1")
    await anonymise(ports, "42")
    assert await ports.watches.of("p", "42") == frozenset()
    assert await ports.watches.of("q", "43") == {"1"}


async def test_tokens_of_before_count_no_more(ports: Ports, clock: Clock) -> None:
    old = Principal("42", Role.CUSTOMER, issued_at=clock.time.timestamp() - 1)
    new = Principal("42", Role.CUSTOMER, issued_at=clock.time.timestamp() + 1)
    await anonymise(ports, "42")
    assert ports.revocations.is_revoked(old)
    assert not ports.revocations.is_revoked(new)


async def test_twice_is_once_and_never_there_is_the_same(ports: Ports) -> None:
    await create(ports.orders, "1")
    await anonymise(ports, "42")
    once = await ports.orders.get("1")
    await anonymise(ports, "42")
    await anonymise(ports, "nobody")
    assert await ports.orders.get("1") == once
    assert await ports.log.head() == 2


async def test_two_customers_get_two_names_and_a_second_life_another(ports: Ports) -> None:
    await create(ports.orders, "1", "42")
    await create(ports.orders, "2", "43")
    await anonymise(ports, "42")
    await anonymise(ports, "43")
    await create(ports.orders, "3", "42")
    await anonymise(ports, "42")
    orders = [await ports.orders.get(id) for id in "123"]
    assert len({order.customer_id for order in orders if order is not None}) == 3


async def test_what_was_left_halfway_is_finished(ports: Ports) -> None:
    """The orders had been changed when the server was killed; nothing else had."""
    await ports.orders.create(NewOrder(customer_id="42"), "received", "shop", CREATE, body)
    await ports.orders.change("1", setting(customer_id="anonymous-x"))
    await anonymise(ports, "42")
    assert [event.customer_id == "42" for event in await all_of(ports.log)] == [False, False]
    again = await ports.orders.create(NewOrder(customer_id="42"), "received", "shop", CREATE, body)
    assert again.replayed == b"anonymous-x None"


@pytest.mark.parametrize("by", [Principal("7", Role.OPERATOR), Principal("42", Role.CUSTOMER)])
async def test_who_may_not(ports: Ports, by: Principal) -> None:
    await create(ports.orders, "1")
    with pytest.raises(Forbidden):
        await anonymise(ports, "42", by)
    with pytest.raises(Forbidden, match="no shops"):
        await anonymise(ports, "42", Principal("7", Role.ADMIN, shops=frozenset({"north"})))
    await ports.orders.change("1", noting("still there"))
    assert [order.version for order in await of(ports, "42")] == [2]
    assert not ports.revocations.is_revoked(Principal("42", Role.CUSTOMER, issued_at=1))
