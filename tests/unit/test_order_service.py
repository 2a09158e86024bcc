"""Use cases: who may do what to whose order, and what comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest

from ordercast.errors import (
    ClaimedByAnother,
    Forbidden,
    Invalid,
    NotFound,
    OrdercastError,
    TransitionNotAllowed,
    UnknownStatus,
    VersionConflict,
)
from ordercast.orders.models import EventKind, IdempotencyKey, NewOrder, Order, OrderEvent, OrderQuery, Written
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.testing import MemoryStorage, memory_storage

SERVICE = Principal("shop", Role.SERVICE)
OPERATOR = Principal("7", Role.OPERATOR)
NORTH = frozenset({"north"})
ORDERS = {"own": ("42", "north"), "foreign": ("43", "north"), "other shop": ("43", "south"), "no shop": ("43", None)}
"""By id: customer and shop of the orders there are. Principals below are user 42, those with shops mind the north."""


@pytest.fixture
async def storage() -> MemoryStorage:
    storage = memory_storage()
    for id, (customer, shop) in ORDERS.items():
        new = NewOrder(order_id=id.replace(" ", "-"), customer_id=customer, shop_id=shop)
        await storage.orders.create(new, "received", "shop")
    return storage


@pytest.fixture
def service(storage: MemoryStorage) -> OrderService:
    return OrderService(storage.orders, load_workflow())


async def order(storage: MemoryStorage, order_id: str) -> Order:
    found = await storage.orders.get(order_id)
    assert found is not None
    return found


def event(written: Written) -> OrderEvent:
    assert written.event is not None
    return written.event


# -- role × use case × whose order --------------------------------------------------------------------------

UseCase = Callable[[OrderService, str, Principal], Awaitable[object]]

USE_CASES: dict[str, UseCase] = {
    "get": lambda service, id, by: service.get(id, by),
    "snapshot": lambda service, id, by: service.snapshot(id, by),
    "history": lambda service, id, by: service.history(id, by),
    "status": lambda service, id, by: service.update(id, by, status="accepted"),
    "unknown status": lambda service, id, by: service.update(id, by, status="lost"),
    "wrong step": lambda service, id, by: service.update(id, by, status="delivered"),
    "forced": lambda service, id, by: service.update(id, by, status="delivered", force=True),
    "for another": lambda service, id, by: service.update(id, by, status="accepted", updated_by="9"),
    "fields": lambda service, id, by: service.update(id, by, fields={"note": "x"}),
    "nothing": lambda service, id, by: service.update(id, by),
    "old version": lambda service, id, by: service.update(id, by, fields={"note": "x"}, expected_version=2),
    "contact": lambda service, id, by: service.contact(id, by),
    "claim": lambda service, id, by: service.claim(id, by),
    "take over": lambda service, id, by: service.claim(id, by, "ben"),
    "release": lambda service, id, by: service.release(id, by),
}
READING = {"get", "snapshot", "history"}

OUTCOMES: dict[str, dict[Role, type[OrdercastError] | None]] = {
    "unknown status": dict.fromkeys((Role.OPERATOR, Role.ADMIN, Role.SERVICE), UnknownStatus),
    "wrong step": dict.fromkeys((Role.OPERATOR, Role.ADMIN, Role.SERVICE), TransitionNotAllowed),
    "old version": dict.fromkeys((Role.OPERATOR, Role.ADMIN, Role.SERVICE), VersionConflict),
    "forced": {Role.OPERATOR: Forbidden, Role.ADMIN: Forbidden},
    "for another": {Role.OPERATOR: Forbidden, Role.ADMIN: Forbidden},
    "contact": {Role.SERVICE: Forbidden},
    "claim": {Role.SERVICE: Forbidden},
    "take over": {Role.SERVICE: Forbidden, Role.OPERATOR: ClaimedByAnother, Role.ADMIN: ClaimedByAnother},
    "release": {Role.SERVICE: Forbidden},
}
"""What staff gets for an order it sees, where that is an error."""


def expected(name: str, by: Principal, whose: str) -> type[OrdercastError] | None:
    if by.role is Role.CUSTOMER:
        if whose != "own":
            return NotFound
        return None if name in READING else Forbidden
    if by.shops is not None and whose in ("other shop", "no shop"):
        return NotFound
    return OUTCOMES.get(name, {}).get(by.role)


CALLERS = [Principal("42", role, shops=shops) for role, shops in product(Role, (None, NORTH))]


@pytest.mark.parametrize("whose", [*ORDERS, "nobody's"])
@pytest.mark.parametrize("by", CALLERS, ids=lambda by: f"{by.role}{' of the north' if by.shops else ''}")
@pytest.mark.parametrize("name", USE_CASES)
async def test_who_may_do_what(
    service: OrderService, storage: MemoryStorage, name: str, by: Principal, whose: str
) -> None:
    id = whose.replace(" ", "-")
    error = NotFound if whose == "nobody's" else expected(name, by, whose)
    if error is None:
        result = await USE_CASES[name](service, id, by)
        writes = name not in READING and name not in ("nothing", "release")
        assert len(storage.log.events) == len(ORDERS) + writes
        if writes:
            assert isinstance(result, Written)
            assert result.order == await order(storage, id)
            assert result.event == storage.log.events[-1]
            assert result.event.updated_by == ("9" if name == "for another" else "42")
    else:
        with pytest.raises(error) as caught:
            await USE_CASES[name](service, id, by)
        assert type(caught.value) is error
        assert len(storage.log.events) == len(ORDERS)


async def test_not_yours_and_not_there_read_the_same(service: OrderService) -> None:
    customer = Principal("42", Role.CUSTOMER)
    for use in USE_CASES.values():
        answers = []
        for id in ("foreign", "nobody's"):
            with pytest.raises(NotFound) as caught:
                await use(service, id, customer)
            answers.append((str(caught.value), caught.value.extra))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("query", [OrderQuery(), OrderQuery(customer_id="42"), OrderQuery(customer_id="43")])
@pytest.mark.parametrize("by", CALLERS, ids=lambda by: f"{by.role}{' of the north' if by.shops else ''}")
async def test_who_finds_what(service: OrderService, storage: MemoryStorage, by: Principal, query: OrderQuery) -> None:
    page = await service.find(query, by)
    seen = {
        id.replace(" ", "-")
        for id, (customer, _) in ORDERS.items()
        if expected("get", by, id) is None and query.customer_id in (None, customer)
    }
    assert {found.order_id for found in page.orders} == seen
    assert (page.next, page.position) == (None, len(ORDERS))


async def test_finding(service: OrderService) -> None:
    await service.update("own", SERVICE, status="accepted")
    accepted = await service.find(OrderQuery(statuses=frozenset({"accepted", "ready"})), SERVICE)
    assert [found.order_id for found in accepted.orders] == ["own"]
    assert (
        await service.find(OrderQuery(statuses=frozenset({"received"})), Principal("42", Role.CUSTOMER))
    ).orders == []
    with pytest.raises(UnknownStatus, match="'lost'"):
        await service.find(OrderQuery(statuses=frozenset({"ready", "lost"})), SERVICE)
    with pytest.raises(Invalid, match="cursor"):
        await service.find(OrderQuery(after="x"), SERVICE)
    mine = Principal("42", Role.CUSTOMER)
    with pytest.raises(Invalid, match="cursor"):  # whoever they ask for
        await service.find(OrderQuery(customer_id="43", after="x"), mine)


# -- creating -----------------------------------------------------------------------------------------------

CREATING: list[tuple[Role, frozenset[str] | None, str | None, type[OrdercastError] | str | None]] = [
    (Role.CUSTOMER, None, None, Forbidden),
    (Role.CUSTOMER, NORTH, "north", Forbidden),
    *((role, None, shop, shop) for role in (Role.OPERATOR, Role.ADMIN, Role.SERVICE) for shop in (None, "north")),
    (Role.SERVICE, NORTH, "north", "north"),
    (Role.SERVICE, NORTH, None, "north"),  # the only one it can mean
    (Role.OPERATOR, NORTH, "south", Invalid),
    (Role.ADMIN, NORTH | {"south"}, "south", "south"),
    (Role.ADMIN, NORTH | {"south"}, None, Invalid),
    (Role.SERVICE, frozenset(), None, Invalid),
    (Role.SERVICE, frozenset(), "north", Invalid),
]


@pytest.mark.parametrize(("role", "shops", "shop", "outcome"), CREATING)
async def test_creating(
    service: OrderService,
    storage: MemoryStorage,
    role: Role,
    shops: frozenset[str] | None,
    shop: str | None,
    outcome: type[OrdercastError] | str | None,
) -> None:
    by = Principal("7", role, shops=shops)
    new = NewOrder(customer_id="42", shop_id=shop, note="x")
    if isinstance(outcome, type):
        with pytest.raises(outcome) as caught:
            await service.create(new, by)
        assert type(caught.value) is outcome
        assert len(storage.log.events) == len(ORDERS)
        return
    written = await service.create(new, by)
    assert written.order == await order(storage, "1")
    assert (written.order.shop_id, written.order.status, written.order.note) == (outcome, "received", "x")
    assert (event(written).kind, event(written).updated_by) == (EventKind.CREATED, "7")


async def test_keys_are_passed_on(service: OrderService) -> None:
    key = IdempotencyKey("s", "k", "f")
    for replayed in (None, b"own 2"):
        contacted = await service.contact("own", OPERATOR, key, lambda order: b"%s %d" % (b"own", order.version))
        assert contacted.replayed == replayed
    key = replace(key, key="k2")
    for replayed in (None, b"1"):
        created = await service.create(NewOrder(customer_id="42"), SERVICE, key, lambda order: order.order_id.encode())
        assert created.replayed == replayed


# -- changing -----------------------------------------------------------------------------------------------


async def test_what_is_the_same_changes_nothing(service: OrderService, storage: MemoryStorage) -> None:
    fields = {"note": "x", "contact": {"a": [1]}, "expected_at": datetime(2026, 2, 3, tzinfo=UTC)}
    first = await service.update("own", SERVICE, status="accepted", fields=fields)
    assert (first.order.version, event(first).fields) == (2, ("note", "contact", "expected_at"))
    same: list[dict[str, Any]] = [
        {"status": "accepted", "fields": fields},
        {"status": "accepted", "force": True, "updated_by": "9", "reason": "x"},
        {"status": "accepted", "expected_version": 2},
        {"fields": {"expected_at": datetime(2026, 2, 3, 1, tzinfo=timezone(timedelta(hours=1)))}},
        {"fields": {}},
        {},
    ]
    for again in same:
        assert await service.update("own", SERVICE, **again) == Written(first.order)
    assert len(storage.log.events) == len(ORDERS) + 1


async def test_only_what_differs_is_an_event(service: OrderService) -> None:
    await service.update("own", SERVICE, fields={"note": "x", "contact": {"a": 1}})
    written = await service.update("own", SERVICE, status="received", fields={"note": "x", "contact": None})
    assert (event(written).kind, event(written).fields) == (EventKind.CHANGED, ("contact",))
    assert (written.order.note, written.order.contact) == ("x", None)


async def test_a_status_and_fields_are_one_event(service: OrderService) -> None:
    written = await service.update("own", OPERATOR, status="accepted", fields={"note": "x"}, reason="because")
    assert (written.order.status, written.order.note, written.order.version) == ("accepted", "x", 2)
    told = event(written)
    assert (told.kind, told.status, told.previous_status) == (EventKind.STATUS_CHANGED, "accepted", "received")
    assert (told.fields, told.updated_by, told.reason, told.forced) == (("note",), "7", "because", False)


async def test_force(service: OrderService) -> None:
    forced = await service.update("own", SERVICE, status="delivered", force=True, updated_by="9")
    assert (event(forced).forced, event(forced).updated_by) == (True, "9")
    back = await service.update("own", SERVICE, status="received", force=True)
    assert (event(back).forced, event(back).updated_by) == (True, "shop")
    allowed = await service.update("own", SERVICE, status="accepted", force=True)
    assert event(allowed).forced is False
    with pytest.raises(UnknownStatus):
        await service.update("own", SERVICE, status="lost", force=True)
    with pytest.raises(VersionConflict) as caught:
        await service.update("own", SERVICE, status="ready", force=True, expected_version=3)
    assert caught.value.extra == {"version": 4, "currentStatus": "accepted"}


async def test_an_order_in_a_status_that_the_workflow_has_lost(service: OrderService, storage: MemoryStorage) -> None:
    """A shop changed its workflow: its backend can still move the order on, and nobody into it."""
    await storage.orders.create(NewOrder(order_id="old", customer_id="42"), "gone", "shop")
    with pytest.raises(UnknownStatus):
        await service.update("old", SERVICE, status="gone")
    with pytest.raises(TransitionNotAllowed, match="Nothing follows it"):
        await service.update("old", SERVICE, status="ready")
    assert (await service.update("old", SERVICE, fields={"note": "x"})).order.status == "gone"
    assert (await service.update("old", SERVICE, status="ready", force=True)).order.status == "ready"


async def test_a_refused_step_refuses_the_fields_too(service: OrderService, storage: MemoryStorage) -> None:
    before = await order(storage, "own")
    with pytest.raises(TransitionNotAllowed) as caught:
        await service.update("own", OPERATOR, status="ready", fields={"note": "x"})
    assert caught.value.extra == {"currentStatus": "received", "allowed": ["accepted", "rejected", "cancelled"]}
    assert await order(storage, "own") == before


async def test_the_expected_version(service: OrderService) -> None:
    written = await service.update("own", OPERATOR, fields={"note": "x"}, expected_version=1)
    assert written.order.version == 2
    with pytest.raises(VersionConflict):  # even where nothing would change
        await service.update("own", OPERATOR, fields={"note": "x"}, expected_version=1)


async def test_a_second_contact_keeps_the_first_ones_time(service: OrderService) -> None:
    first = await service.contact("own", OPERATOR)
    second = await service.contact("own", replace(OPERATOR, user_id="8"))
    assert first.order.first_contact_at is not None
    assert second.order.first_contact_at == first.order.first_contact_at
    assert [event(first).fields, event(second).fields] == [("first_contact_at",), ()]
    assert [event(first).kind, event(second).kind] == [EventKind.CONTACTED] * 2
    assert [event(first).updated_by, event(second).updated_by] == ["7", "8"]


# -- times --------------------------------------------------------------------------------------------------

FINE = datetime(2026, 2, 3, 5, 0, 0, 1_999, tzinfo=timezone(timedelta(hours=1)))
KEPT = datetime(2026, 2, 3, 4, 0, 0, 1_000, tzinfo=UTC)


async def test_times_are_cut_to_what_is_kept(service: OrderService) -> None:
    """Else the same time again would differ from what was stored, and be a change."""
    created = await service.create(NewOrder(customer_id="42", expected_at=FINE), SERVICE)
    assert created.order.expected_at == KEPT
    changed = await service.update("own", SERVICE, fields={"expected_at": FINE})
    assert changed.order.expected_at == KEPT
    for id in ("1", "own"):
        assert (await service.update(id, SERVICE, fields={"expected_at": FINE})).event is None


@pytest.mark.parametrize(
    "time",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
    ],
)
async def test_times_outside_the_calendar(service: OrderService, storage: MemoryStorage, time: datetime) -> None:
    """Stored, they could not be read again, nor any page with them."""
    with pytest.raises(Invalid, match="expectedAt"):
        await service.create(NewOrder(customer_id="42", expected_at=time), SERVICE)
    with pytest.raises(Invalid, match="expectedAt"):
        await service.update("own", SERVICE, fields={"expected_at": time})
    assert len(storage.log.events) == len(ORDERS)


# -- business code ------------------------------------------------------------------------------------------


async def test_change_status(service: OrderService, storage: MemoryStorage) -> None:
    number = (await service.create(NewOrder(customer_id="42"), SERVICE)).order.order_id
    moved = await service.change_status(int(number), "accepted", 7, reason="because", expected_version=1)
    assert moved == await order(storage, number)
    assert (moved.status, moved.version) == ("accepted", 2)
    last = storage.log.events[-1]
    assert (last.updated_by, last.reason, last.forced) == ("7", "because", False)
    assert (await service.change_status("own", "accepted", updated_by="kitchen")).status == "accepted"
    assert (await service.change_status("own", "accepted", updated_by="kitchen")).version == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("nobody's", "accepted", 7), NotFound),
        ((99, "accepted", 7), NotFound),
        ((-1, "accepted", 7), NotFound),
        ((True, "accepted", 7), NotFound),
        ((1.0, "accepted", 7), NotFound),
        (("own", "accepted", ""), Invalid),
        (("own", "accepted", True), Invalid),
        (("own", "accepted", None), Invalid),
        (("own", "lost", 7), UnknownStatus),
        (("own", "ready", 7), TransitionNotAllowed),
    ],
)
async def test_change_status_refused(
    service: OrderService, storage: MemoryStorage, arguments: tuple[Any, str, Any], error: type[OrdercastError]
) -> None:
    with pytest.raises(error) as caught:
        await service.change_status(*arguments)
    assert type(caught.value) is error
    assert len(storage.log.events) == len(ORDERS)
