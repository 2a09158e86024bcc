"""Claims: of several at once one wins, and the others are told who has it."""

from __future__ import annotations

import asyncio

from ordercast.errors import ClaimedByAnother
from ordercast.orders.models import EventKind, Written
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from tests.contract.support import create, whole

PEOPLE = [Principal(f"op{n}", Role.OPERATOR) for n in range(12)]


async def claims(service: OrderService, take_from: str | None = None) -> tuple[list[Written], list[ClaimedByAnother]]:
    """What comes of it where all try at once."""
    outcomes = await asyncio.gather(*(service.claim("1", by, take_from) for by in PEOPLE), return_exceptions=True)
    won = [outcome for outcome in outcomes if isinstance(outcome, Written)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, ClaimedByAnother)]
    assert len(won) + len(lost) == len(PEOPLE), outcomes
    return won, lost


async def test_of_two_who_claim_at_once_one_wins(orders: OrderRepository, log: EventLog) -> None:
    service = OrderService(orders, load_workflow())
    await create(orders, "1")
    count = 1
    for _ in range(5):
        won, lost = await claims(service)
        assert len(won) == 1
        holder = won[0].order.claimed_by
        assert {problem.extra["claimedBy"] for problem in lost} == {holder}
        order = await orders.get("1")
        assert order == won[0].order
        by = next(one for one in PEOPLE if one.user_id == holder)
        assert (await service.claim("1", by)).event is None
        assert (await service.release("1", by)).order.claimed_by is None
        assert (await service.release("1", by)).event is None
        count += 2
        await whole(orders, log, count)
    kinds = [event.kind for event in await orders.history("1")]
    assert kinds == [EventKind.CREATED, *[EventKind.CLAIMED, EventKind.RELEASED] * 5]


async def test_of_those_who_take_over_at_once_one_wins(orders: OrderRepository) -> None:
    service = OrderService(orders, load_workflow())
    await create(orders, "1")
    await service.claim("1", Principal("ben", Role.OPERATOR))
    won, lost = await claims(service, "ben")
    assert (len(won), len(lost)) == (1, len(PEOPLE) - 1)
    assert {problem.extra["claimedBy"] for problem in lost} == {won[0].order.claimed_by}
    entry = (await orders.history("1"))[-1]
    assert (entry.kind, entry.updated_by, entry.fields) == (EventKind.CLAIMED, won[0].order.claimed_by, ("claimed_by",))
