"""`IdempotencyKey`: the same request again gets the same answer and changes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from ordercast.errors import (
    IdempotencyKeyReused,
    NotFound,
    OrderExists,
)
from ordercast.orders.models import (
    IdempotencyKey,
    NewOrder,
    Order,
    Written,
)
from ordercast.orders.ports import EventLog, OrderRepository
from tests.contract.support import TTL, Clock, create, noting, unchanged


def numbered() -> Callable[[Order], bytes]:
    """Renders another body each time, so that a repeated answer can be told from one made anew."""
    times = count(1)
    return lambda order: b"\x00\xff%d:%s" % (next(times), order.order_id.encode())


KEY = IdempotencyKey("service:shop POST /api/orders", "k1", "f" * 64)


async def test_the_same_request_again_gets_the_same_answer(
    orders: OrderRepository, log: EventLog, clock: Clock
) -> None:
    render = numbered()
    new = NewOrder(customer_id="42")
    first = await orders.create(new, "received", "shop", KEY, render)
    assert first.replayed is None
    assert first.event is not None
    changed = await orders.change("1", noting("since"))
    clock.tick(TTL)
    again = await orders.create(new, "received", "shop", KEY, render)
    assert again == Written(changed.order, event=None, replayed=b"\x00\xff1:1")
    assert await log.head() == 2
    assert await orders.get("2") is None


async def test_many_of_the_same_request_at_once(orders: OrderRepository, log: EventLog) -> None:
    render = numbered()
    written = await asyncio.gather(
        *(orders.create(NewOrder(customer_id="42"), "received", "shop", KEY, render) for _ in range(50))
    )
    assert Counter(w.replayed for w in written) == {None: 1, b"\x00\xff1:1": 49}
    assert await log.head() == 1


async def test_a_change_again_gets_the_same_answer(orders: OrderRepository, log: EventLog) -> None:
    await create(orders, "1")
    render = numbered()
    first = await orders.change("1", noting("x"), KEY, render)
    again = await orders.change("1", noting("y"), KEY, render)
    assert (first.replayed, again.replayed) == (None, b"\x00\xff1:1")
    assert again.order == first.order
    assert await log.head() == 2


async def test_an_answer_that_changed_nothing_is_remembered_too(orders: OrderRepository, log: EventLog) -> None:
    await create(orders, "1")
    render = numbered()
    await orders.change("1", lambda order: None, KEY, render)
    again = await orders.change("1", noting("x"), KEY, render)
    assert again.replayed == b"\x00\xff1:1"
    assert await log.head() == 1


async def test_the_same_key_with_another_body(orders: OrderRepository, log: EventLog) -> None:
    order = (await orders.create(NewOrder(customer_id="42"), "received", "shop", KEY, numbered())).order
    with pytest.raises(IdempotencyKeyReused):
        await orders.create(
            NewOrder(customer_id="43"), "received", "shop", replace(KEY, fingerprint="e" * 64), numbered()
        )
    await unchanged(orders, log, order, 1)


async def test_keys_of_another_scope_are_other_keys(orders: OrderRepository) -> None:
    render = numbered()
    for n, key in enumerate((KEY, replace(KEY, scope="other"), replace(KEY, key="k2"), replace(KEY, key="K1")), 1):
        written = await orders.create(NewOrder(customer_id="42"), "received", "shop", key, render)
        assert (written.order.order_id, written.replayed) == (str(n), None)


async def test_a_failure_is_not_remembered(orders: OrderRepository) -> None:
    await create(orders, "x")
    with pytest.raises(OrderExists):
        await orders.create(NewOrder(order_id="x", customer_id="42"), "received", "shop", KEY, numbered())
    with pytest.raises(NotFound):
        await orders.change("y", noting("x"), replace(KEY, key="k2"), numbered())
    other = replace(KEY, fingerprint="e" * 64)
    written = await orders.create(NewOrder(order_id="y", customer_id="42"), "received", "shop", other, numbered())
    assert (written.order.order_id, written.replayed) == ("y", None)
    assert (await orders.change("y", noting("x"), replace(KEY, key="k2"), numbered())).replayed is None


async def test_keys_are_forgotten_in_time(orders: OrderRepository, clock: Clock) -> None:
    render = numbered()
    await orders.create(NewOrder(customer_id="42"), "received", "shop", KEY, render)
    clock.tick(TTL + 0.001)
    late = await orders.create(
        NewOrder(customer_id="43"), "received", "shop", replace(KEY, fingerprint="e" * 64), render
    )
    assert (late.order.order_id, late.replayed) == ("2", None)
    clock.tick(TTL)
    again = await orders.create(
        NewOrder(customer_id="43"), "received", "shop", replace(KEY, fingerprint="e" * 64), render
    )
    assert (again.order.order_id, again.replayed) == ("2", b"\x00\xff2:2")
