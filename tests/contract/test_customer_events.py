"""What happened to one customer's orders, and how far that is all of it."""

from __future__ import annotations

import pytest

from ordercast.orders.models import NewOrder
from ordercast.orders.ports import EventLog, OrderRepository
from tests.contract.support import all_of, noting


@pytest.fixture
async def mine(orders: OrderRepository, log: EventLog) -> list[int]:
    """Positions of customer 42's events among twelve of two customers."""
    for customer in ("42", "43"):
        await orders.create(NewOrder(customer_id=customer, order_id=f"of-{customer}"), "received", "shop")
    for number in range(5):
        await orders.change("of-43", noting(str(number)))
        if number % 2:
            await orders.change("of-42", noting(str(number)))
    for number in range(3):
        await orders.change("of-43", noting(f"later {number}"))
    return [event.position for event in await all_of(log) if event.customer_id == "42"]


async def test_all_of_them_and_up_to_where(log: EventLog, mine: list[int]) -> None:
    assert len(mine) == 3
    everything = {event.position: event for event in await all_of(log)}
    for position in range(13):
        for limit in (1, 2, 3, 4, 100):
            found, through = await log.of_customer("42", position, limit)
            expected = [place for place in mine if place > position][:limit]
            assert list(found) == [everything[place] for place in expected]
            assert through == (expected[-1] if len(expected) == limit else 12)


async def test_a_stranger_has_none(log: EventLog, mine: list[int]) -> None:
    assert tuple(await log.of_customer("44", 0, 10)) == ([], 12)
    assert tuple(await log.of_customer("44", 12, 10)) == ([], 12)
    assert tuple(await log.of_customer("4", 3, 10)) == ([], 12)


async def test_an_empty_log(log: EventLog) -> None:
    assert tuple(await log.of_customer("42", 0, 10)) == ([], 0)
