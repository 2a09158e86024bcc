"""What our own keepers of orders promise beyond `ordercast.testing.contract`, and what use cases make of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ordercast.errors import Forbidden, Invalid, OrderExists, TransitionNotAllowed, UnknownStatus, VersionConflict
from ordercast.orders.models import (
    Change,
    EventKind,
    Fulfilment,
    IdempotencyKey,
    NewOrder,
    Order,
    OrderEvent,
    OrderQuery,
    Written,
)
from ordercast.orders.ports import EventLog, OrderRepository
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.testing.contract.pages import pages
from tests.contract.support import Clock, Ports, all_of, create, noting, setting, whole

BY = Principal("shop", Role.SERVICE)
CREATED = Change(kind=EventKind.CREATED, values={}, updated_by="pos")


@pytest.fixture
def service(orders: OrderRepository) -> OrderService:
    return OrderService(orders, load_workflow())


async def found(orders: OrderRepository, text: str, **filters: Any) -> str:
    page = await orders.find(replace(OrderQuery(text=text), **filters))
    return " ".join(order.order_id for order in page.orders)


async def anonymise(ports: Ports, customer_id: str, by: Principal = BY) -> None:
    await Privacy(ports.orders, ports.personal, ports.revocations).anonymise(customer_id, by)


async def test_the_least_that_can_be_said(orders: OrderRepository) -> None:
    written = await orders.create(NewOrder(customer_id="42"), "new", "shop")
    order = await orders.get("1")
    assert order == written.order
    assert (order.shop_id, order.items, order.total, order.contact, order.expected_at) == (None, [], None, None, None)
    assert (order.fulfilment, order.status) == (Fulfilment.DELIVERY, "new")


async def test_numbers_go_around_the_shops_own_ids(orders: OrderRepository) -> None:
    for id in ("2", "3", "05", "6", "x"):
        await create(orders, id)
    assert [(await create(orders)).order.order_id for _ in range(5)] == ["1", "4", "5", "7", "8"]
    with pytest.raises(OrderExists):
        await create(orders, "7")
    await create(orders, "9")
    assert (await create(orders)).order.order_id == "10"


async def test_a_number_is_not_spent_on_a_refusal(orders: OrderRepository) -> None:
    def fail(order: Order) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await orders.create(NewOrder(customer_id="42"), "received", "shop", IdempotencyKey("s", "k", "f"), fail)
    assert (await create(orders)).order.order_id == "1"


async def test_pages_are_by_the_ids_bytes_where_times_are_the_same(orders: OrderRepository, clock: Clock) -> None:
    for group in (("b", "a", "10"), ("9", "c"), ("Z", "z", "_")):
        for id in group:
            await create(orders, id)
        clock.tick()
    expected = ["z", "_", "Z", "c", "9", "b", "a", "10"]
    for limit in range(1, 9):
        assert [id for page in await pages(orders, OrderQuery(limit=limit)) for id in page] == expected
    assert await pages(orders, OrderQuery(limit=4)) == [expected[:4], expected[4:]]  # no empty last page
    assert await pages(orders, OrderQuery(limit=500)) == [expected]


async def test_the_oldest_times_there_are(orders: OrderRepository) -> None:
    times = {"a": 2026, "b": 1955, "c": 1969, "d": 2031, "e": 1}
    for id, year in times.items():
        new = NewOrder(order_id=id, customer_id="42", created_at=datetime(year, 1, 2, tzinfo=UTC))
        await orders.put(new, "received", CREATED, lambda order: None)
    assert await pages(orders, OrderQuery(limit=1)) == [[id] for id in ("d", "a", "c", "b", "e")]


async def test_against_patches_that_expect_a_version_nothing_is_lost(
    orders: OrderRepository, log: EventLog, service: OrderService
) -> None:
    await service.put(NewOrder(order_id="1", customer_id="42"), BY)

    async def patch() -> None:
        while True:
            order = await service.get("1", BY)
            try:
                fields = {"contact": {"count": (order.contact or {"count": 0})["count"] + 1}}
                await service.update("1", BY, fields=fields, expected_version=order.version)
            except VersionConflict:
                continue
            return

    await asyncio.gather(*(patch() for _ in range(10)))
    assert ((await service.get("1", BY)).contact or {})["count"] == 10
    outcomes = await asyncio.gather(
        *(service.update("1", BY, fields={"note": f"patch {n}"}, expected_version=11) for n in range(20)),
        *(service.put(NewOrder(order_id="1", customer_id="42", note=f"put {n}"), BY) for n in range(20)),
        return_exceptions=True,
    )
    puts = [outcome for outcome in outcomes[20:] if isinstance(outcome, Written)]
    assert len(puts) == 20
    lost = [outcome for outcome in outcomes[:20] if isinstance(outcome, VersionConflict)]
    assert len(lost) >= 19
    await whole(orders, log, 11 + 20 + 20 - len(lost))
    assert (await service.get("1", BY)).contact is None


async def test_an_order_of_another_shop_is_not_the_callers(orders: OrderRepository, service: OrderService) -> None:
    await service.put(NewOrder(order_id="1", customer_id="42", shop_id="south"), BY)
    north = Principal("shop", Role.SERVICE, shops=frozenset({"north"}))
    with pytest.raises(OrderExists):
        await service.put(NewOrder(order_id="1", customer_id="42"), north)
    assert (await service.get("1", BY)).shop_id == "south"


async def test_of_writers_who_take_the_same_step_one_moves_the_order(orders: OrderRepository) -> None:
    service = OrderService(orders, load_workflow())
    by = Principal("shop", Role.SERVICE)
    await create(orders, "1")
    steps = ["accepted", "cancelled", "rejected"] * 30
    outcomes = await asyncio.gather(
        *(service.update("1", by, status=status) for status in steps), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {Written, TransitionNotAllowed}
    moved = [event.status for event in await orders.history("1") if event.previous_status]
    # accepted may be cancelled later; nothing follows the others
    assert moved in (["accepted"], ["accepted", "cancelled"], ["cancelled"], ["rejected"])


async def test_what_is_looked_at(orders: OrderRepository, clock: Clock) -> None:
    made: list[tuple[str, dict[str, Any]]] = [
        ("1017", {}),
        ("2", {"reference": "T-1017/b"}),
        ("3", {"contact": {"name": "José Núñez", "phone": "+49 30 1017"}}),
        ("4", {"contact": {"phone": 491017, "email": "1017@shop.example"}}),
        ("5", {"contact": {"name": ["1017"], "phone": True}, "note": "1017", "items": [{"name": "1017"}]}),
        ("6", {"reference": "STRASSE Ärger", "contact": {"name": None}}),
        ("order.A:7", {"customer_id": "1017"}),
    ]
    for id, more in made:
        await create(orders, id, **{"customer_id": "42", **more})
        clock.tick()
    assert await found(orders, "1017") == "4 3 2 1017"
    assert await found(orders, "01") == "4 3 2 1017"
    assert await found(orders, "jose nunez") == await found(orders, "JOSÉ  Núñez ") == await found(orders, "é n") == "3"
    assert await found(orders, "straße ar") == "6"
    assert await found(orders, "ORDER.a") == "order.A:7"
    assert await found(orders, "example") == await found(orders, "true") == await found(orders, "none") == ""
    assert await found(orders, "nunez +49") == "", "one thing at a time"


async def test_what_is_very_long_is_found_by_its_beginning(orders: OrderRepository) -> None:
    await create(orders, "1", contact={"name": "\0ﷺ" * 5_000 + "end", "phone": "7" * 100_000})
    assert await found(orders, "7" * 128) == "1"
    assert await found(orders, "end") == ""
    long = dict.fromkeys(("name", "phone"), "🙂" * 200)
    await create(orders, "x" * 64, reference="🙂" * 128, contact=long)
    assert await found(orders, "🙂" * 64) == "x" * 64


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


async def test_what_is_at_hand_within_a_wake(orders: OrderRepository, log: EventLog) -> None:
    seen: list[tuple[OrderEvent, Order | None]] = []
    log.subscribe(lambda: seen.extend(log.recent(len(seen), 100)))
    created = await create(orders, "x")
    moved = await orders.change("x", setting(status="accepted"))
    noted = await orders.change("x", noting("ring"))
    await orders.change("x", lambda order: None)
    assert [event for event, _ in seen] == await all_of(log) == [created.event, moved.event, noted.event]
    assert (seen[0][1], seen[2][1]) == (created.order, noted.order)
    assert [event for event, _ in log.recent(1, 1)] == [moved.event]
    assert list(log.recent(3, 10)) == []


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


@pytest.mark.parametrize("by", [Principal("7", Role.OPERATOR), Principal("42", Role.CUSTOMER)])
async def test_who_may_not(ports: Ports, by: Principal) -> None:
    await create(ports.orders, "1")
    with pytest.raises(Forbidden):
        await anonymise(ports, "42", by)
    with pytest.raises(Forbidden, match="no shops"):
        await anonymise(ports, "42", Principal("7", Role.ADMIN, shops=frozenset({"north"})))
    await ports.orders.change("1", noting("still there"))
    assert [order.version for order in (await ports.orders.find(OrderQuery(customer_id="42"))).orders] == [2]
    assert not ports.revocations.is_revoked(Principal("42", Role.CUSTOMER, issued_at=1))


ARGUMENTS: dict[str, Any] = {"status": None, "updated_by": None, "reason": None}


async def test_of_many_those_that_are_wrong_are_refused_alone(service: OrderService) -> None:
    told: list[tuple[NewOrder, dict[str, Any]]] = [
        (NewOrder(order_id="1", customer_id="42"), ARGUMENTS | {"status": "ready", "updated_by": "pos"}),
        (NewOrder(order_id="2", customer_id="42"), ARGUMENTS | {"status": "teleported"}),
        (NewOrder(customer_id="42"), ARGUMENTS),
        (NewOrder(order_id="4", customer_id="42"), ARGUMENTS),
    ]
    first, unknown, nameless, last = await service.put_all(told, BY)
    assert isinstance(first, Written)
    assert (first.order.status, first.event and first.event.updated_by) == ("ready", "pos")
    assert first.event is not None
    assert first.event.kind is EventKind.IMPORTED
    assert isinstance(unknown, UnknownStatus)
    assert isinstance(nameless, Invalid)
    assert isinstance(last, Written)
    assert last.created
    (forbidden,) = await service.put_all(told[:1], Principal("ana", Role.OPERATOR))
    assert isinstance(forbidden, Forbidden)
