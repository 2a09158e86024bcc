"""`Figures`: what each keeper reads of the log is what the log says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from ordercast.orders.figures import Fact
from ordercast.orders.models import Change, EventKind, Order, OrderEvent
from ordercast.orders.ports import Decide, EventLog, Figures, OrderRepository
from tests.contract.support import Clock, Ports, all_of, create, noting, setting

STATUSES = ("received", "accepted", "ready", "done")
SHOPS = ("north", "south", None)


def moving(status: str) -> Decide:
    return lambda order: None if order.status == status else setting(status=status)(order)


def contacting(at: datetime) -> Decide:
    def decide(order: Order) -> Change:
        first = {"first_contact_at": at} if order.first_contact_at is None else {}
        return Change(kind=EventKind.CONTACTED, values=first, updated_by="7")

    return decide


async def a_day(orders: OrderRepository, clock: Clock, steps: int) -> None:
    """Orders that come, move, are contacted, claimed and noted; now and then the clock is set back."""
    pick = random.Random(2016)
    ids: list[str] = []
    for _ in range(steps):
        clock.tick(pick.choice((0, 0.001, 1, 60, 600, -0.5)))
        id = pick.choice(ids) if ids else ""
        match pick.randrange(8) if ids else 0:
            case 0 | 1:
                ids.append(str(len(ids)))
                await create(orders, ids[-1], shop_id=pick.choice(SHOPS), status=pick.choice(STATUSES[:2]))
            case 2 | 3 | 4:
                await orders.change(id, moving(pick.choice(STATUSES)))
            case 5:
                await orders.change(id, contacting(clock.time))
            case 6:
                await orders.change(id, setting(claimed_by=pick.choice(("ana", "ben"))))
            case _:
                await orders.change(id, noting("x"))


def seconds(length: timedelta) -> float:
    return max(length.total_seconds(), 0.0)


def expected(events: Iterable[OrderEvent], orders: dict[str, Order], since: datetime) -> list[Fact]:
    """The same, by going through everything."""
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


async def test_facts_and_standing(figures: Figures, orders: OrderRepository, log: EventLog, clock: Clock) -> None:
    start = clock.time
    assert await figures.facts(start, 0, 10) == ([], 0)
    assert await figures.standing(STATUSES) == []
    await a_day(orders, clock, 250)
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

    standing = await figures.standing(STATUSES[:3])
    counted = Counter((o.shop_id, o.status) for o in known.values() if o.status in STATUSES[:3])
    waiting = Counter((o.shop_id, o.status) for o in known.values() if o.first_contact_at is None)
    assert {(one.shop_id, one.status): one.orders for one in standing} == counted
    assert all(one.waiting == waiting[one.shop_id, one.status] for one in standing)
    assert await figures.standing([]) == []


async def test_only_what_is_new_is_read(figures: Figures, orders: OrderRepository, clock: Clock) -> None:
    start = clock.time
    await create(orders, "1")
    await orders.change("1", noting("nothing to count"))
    facts, position = await figures.facts(start, 0, 10)
    assert ([fact.position for fact in facts], position) == ([1], 2)
    clock.tick(5)
    await orders.change("1", setting(status="ready"))
    facts, position = await figures.facts(start, position, 10)
    assert ([(fact.position, fact.stayed) for fact in facts], position) == ([(3, 5.0)], 3)


async def test_what_the_log_has_lost_is_not_guessed(ports: Ports, clock: Clock) -> None:
    await create(ports.orders, "1")
    clock.tick(100)
    await ports.orders.change("1", setting(status="accepted"))
    await ports.retain(50)
    clock.tick(1)
    await ports.orders.change("1", setting(status="ready"))
    facts, position = await ports.figures.facts(clock.time - timedelta(days=1), 0, 10)
    assert [(fact.position, fact.left, fact.stayed) for fact in facts] == [(2, "received", None), (3, "accepted", 1.0)]
    assert position == 3
