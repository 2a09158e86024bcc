"""Who gets what of an event: names, payloads and audiences, and that polling and sockets agree on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest

from ordercast.live.rooms import order_room, rooms_on_connect, target
from ordercast.orders.announcements import (
    Announcement,
    Audience,
    announcements,
    concerns,
    event_view,
    heard_by,
    history_for,
    needs_order,
    order_view,
    view_for,
)
from ordercast.orders.models import EventKind, Fulfilment, Order, OrderEvent
from ordercast.orders.principal import Principal, Role, guest

CREATED_AT = datetime(2026, 2, 3, 4, 5, 6, 7_000, tzinfo=UTC)
AT = datetime(2026, 2, 3, 4, 6, 0, tzinfo=UTC)

ORDER = Order(
    order_id="17",
    customer_id="42",
    shop_id="north",
    reference="R-1",
    fulfilment=Fulfilment.PICKUP,
    status="accepted",
    version=2,
    items=[{"name": "tea"}],
    total=3.5,
    currency="EUR",
    note="ring",
    contact={"phone": "1"},
    expected_at=AT,
    claimed_by="7",
    first_contact_at=CREATED_AT,
    created_at=CREATED_AT,
    status_since=AT,
    updated_at=AT,
)
EVENT = OrderEvent(
    position=90,
    order_id="17",
    version=2,
    kind=EventKind.STATUS_CHANGED,
    status="accepted",
    previous_status="received",
    customer_id="42",
    shop_id="north",
    updated_by="7",
    reason="because",
    forced=True,
    at=AT,
)
CREATED = replace(EVENT, kind=EventKind.CREATED, version=1, position=89, status="received", previous_status=None)
FIELDS = replace(EVENT, kind=EventKind.CHANGED, previous_status=None, fields=("expected_at", "note"))
CLAIMED = replace(EVENT, kind=EventKind.CLAIMED, previous_status=None, fields=("claimed_by",))
CONTACTED = replace(EVENT, kind=EventKind.CONTACTED, previous_status=None, fields=("first_contact_at",))
CONTACTED_AGAIN = replace(CONTACTED, fields=())
BOTH = replace(EVENT, fields=("note", "claimed_by"))

EVENTS = {
    "created": CREATED,
    "status": EVENT,
    "fields": FIELDS,
    "claimed": CLAIMED,
    "contacted": CONTACTED,
    "contacted again": CONTACTED_AGAIN,
    "status and fields": BOTH,
}

STAFF_VIEW: dict[str, Any] = {
    "orderId": 17,
    "shopId": "north",
    "customerId": 42,
    "reference": "R-1",
    "fulfilment": "pickup",
    "status": "accepted",
    "statusSince": "2026-02-03T04:06:00.000Z",
    "step": "step of accepted",
    "version": 2,
    "items": [{"name": "tea"}],
    "total": 3.5,
    "currency": "EUR",
    "note": "ring",
    "contact": {"phone": "1"},
    "expectedAt": "2026-02-03T04:06:00.000Z",
    "claimedBy": 7,
    "firstContactAt": "2026-02-03T04:05:06.007Z",
    "createdAt": "2026-02-03T04:05:06.007Z",
    "updatedAt": "2026-02-03T04:06:00.000Z",
}
PLACE = {"version": 2, "position": 90}
UPDATED = {"orderId": 17, "status": "accepted", "updatedAt": "2026-02-03T04:06:00.000Z", **PLACE}
STATUS_CHANGED = {**UPDATED, "customerId": 42, "updatedBy": 7}


def step(status: str) -> str:
    return f"step of {status}"


def said(event: OrderEvent, order: Order | None = ORDER) -> list[Announcement]:
    return list(announcements(event, order, step))


def changed(audience: Audience, changes: dict[str, Any]) -> Announcement:
    data = {"orderId": 17, "changes": changes, **PLACE}
    return Announcement("order:changed", data, audience, unless_operator=audience is not Audience.OPERATORS)


OPERATORS, WATCHERS = Audience.OPERATORS, Audience.CUSTOMER_AND_WATCHERS
GUESTS, EVERYBODY = Audience.GUESTS, Audience.EVERYBODY


def test_a_new_order_goes_to_operators_and_its_customer() -> None:
    assert said(CREATED) == [
        Announcement("order:created", {**STAFF_VIEW, "position": 89}, OPERATORS),
        Announcement(
            "order:created", {**STAFF_VIEW, "claimedBy": None, "position": 89}, Audience.CUSTOMER, unless_operator=True
        ),
    ]


def test_a_status_goes_to_everybody_and_to_operators() -> None:
    assert (
        said(EVENT)
        == said(EVENT, None)
        == [
            Announcement("order:updated", UPDATED, EVERYBODY),
            Announcement("order:status_changed", STATUS_CHANGED, OPERATORS),
        ]
    )


def test_nobody_in_particular_changed_it() -> None:
    (_, to_operators) = said(replace(EVENT, updated_by=None))
    assert to_operators.data["updatedBy"] is None


def test_fields_go_to_both_and_guests_hear_of_what_is_not_personal() -> None:
    values = {"expectedAt": "2026-02-03T04:06:00.000Z", "note": "ring"}
    shown = {"expectedAt": "2026-02-03T04:06:00.000Z"}
    assert said(FIELDS) == [changed(OPERATORS, values), changed(WATCHERS, values), changed(GUESTS, shown)]
    cleared = replace(ORDER, expected_at=None, note=None)
    nothing = {"expectedAt": None, "note": None}
    assert said(FIELDS, cleared) == [
        changed(OPERATORS, nothing),
        changed(WATCHERS, nothing),
        changed(GUESTS, {"expectedAt": None}),
    ]
    later = replace(FIELDS, fields=("expected_at",))
    assert said(later) == [changed(OPERATORS, shown), changed(EVERYBODY, shown)], "one for all of them"


def test_who_claimed_an_order_is_the_shops_own_business() -> None:
    assert said(CLAIMED) == [changed(OPERATORS, {"claimedBy": 7})]
    assert said(CLAIMED, replace(ORDER, claimed_by=None)) == [changed(OPERATORS, {"claimedBy": None})]


def test_a_contact_is_news_each_time_and_for_the_customer_once() -> None:
    values = {"firstContactAt": "2026-02-03T04:05:06.007Z"}
    assert said(CONTACTED) == [changed(OPERATORS, values), changed(WATCHERS, values)]
    assert said(CONTACTED_AGAIN) == [changed(OPERATORS, {})]


def test_a_status_with_fields_is_both() -> None:
    assert said(BOTH) == [
        *said(EVENT),
        changed(OPERATORS, {"note": "ring", "claimedBy": 7}),
        changed(WATCHERS, {"note": "ring"}),
    ]


def test_an_order_that_is_gone_leaves_its_values_out() -> None:
    assert said(CREATED, None) == []
    assert said(FIELDS, None) == [changed(OPERATORS, {})]
    assert said(BOTH, None) == [*said(EVENT), changed(OPERATORS, {})]


@pytest.mark.parametrize("name", EVENTS)
def test_what_needs_no_order_says_the_same_without_it(name: str) -> None:
    event = EVENTS[name]
    assert needs_order(event) is (said(event) != said(event, None))


def test_views() -> None:
    assert order_view(ORDER, step, staff=True) == STAFF_VIEW
    assert order_view(ORDER, step, staff=False) == STAFF_VIEW | {"claimedBy": None}
    least = order_view(
        replace(ORDER, order_id="x", shop_id=None, expected_at=None, claimed_by=None, first_contact_at=None),
        step,
        staff=True,
    )
    nothing = {"shopId": None, "expectedAt": None, "claimedBy": None, "firstContactAt": None}
    assert least == STAFF_VIEW | nothing | {"orderId": "x"}


def test_history_tells_customers_what_and_not_who_or_why() -> None:
    seen = {
        "position": 90,
        "orderId": 17,
        "version": 2,
        "kind": "status_changed",
        "status": "accepted",
        "previousStatus": "received",
        "changed": ["note"],
        "at": "2026-02-03T04:06:00.000Z",
    }
    assert event_view(BOTH, staff=False) == seen
    staff = {"changed": ["note", "claimedBy"], "updatedBy": 7, "reason": "because", "forced": True}
    assert event_view(BOTH, staff=True) == seen | staff
    assert event_view(replace(BOTH, updated_by=None), staff=True)["updatedBy"] is None


def test_who_takes_an_order_and_gives_it_back_is_no_business_of_the_customers() -> None:
    released = replace(CLAIMED, kind=EventKind.RELEASED, version=3, position=91)
    history = [CREATED, CLAIMED, EVENT, released, CONTACTED]
    customer, operator = Principal("42", Role.CUSTOMER), Principal("7", Role.OPERATOR)
    kinds = ["created", "status_changed", "contacted"]
    assert [entry["kind"] for entry in history_for(customer, history)] == kinds
    assert [entry["kind"] for entry in history_for(GUEST, history)] == kinds[:2]
    assert [entry["kind"] for entry in history_for(operator, history)] == [e.kind.value for e in history]
    nobody = replace(ORDER, claimed_by=None)
    assert said(released, nobody)[0].data["changes"] == {"claimedBy": None}
    for event in (CLAIMED, released):
        assert [one.audience for one in said(event)] == [OPERATORS]
        assert not concerns(customer, event)


GUEST = guest("17", "42", 2e9, "a.token")
PERSONAL = {"customerId", "note", "contact", "claimedBy", "firstContactAt"}


def test_a_guest_sees_the_order_and_nothing_personal() -> None:
    assert view_for(GUEST, ORDER, step) == {name: v for name, v in STAFF_VIEW.items() if name not in PERSONAL}
    assert view_for(Principal("7", Role.OPERATOR), ORDER, step) == STAFF_VIEW
    assert view_for(Principal("42", Role.CUSTOMER), ORDER, step) == STAFF_VIEW | {"claimedBy": None}
    seen = history_for(GUEST, EVENTS.values())
    assert [entry["kind"] for entry in seen] == ["created", "status_changed", "changed", "status_changed"]
    assert [entry["changed"] for entry in seen] == [[], [], ["expectedAt"], []]
    for entry in seen:
        assert set(entry) == {"position", "orderId", "version", "kind", "status", "previousStatus", "changed", "at"}


# -- sockets and polling agree ------------------------------------------------------------------------------

SHOPS = [None, frozenset[str](), frozenset({"north"}), frozenset({"south"}), frozenset({"north", "south"})]
PRINCIPALS = [
    *(Principal(user, role, shops=shops) for user, role, shops in product(("42", "43", "operators"), Role, SHOPS)),
    guest("17", "42", 2e9, "a.token"),
    guest("17", "43", 2e9, "a.token"),
    guest("18", "42", 2e9, "a.token"),
]
ALL_EVENTS = [
    replace(event, shop_id=shop, customer_id=customer)
    for event, shop, customer in product(EVENTS.values(), ("north", "south", None), ("42", "operators"))
]


def reached(principal: Principal, event: OrderEvent, announcement: Announcement, *watching: str) -> bool:
    """Whether a socket of this caller is emitted to."""
    rooms = {*rooms_on_connect(principal), *watching}
    where = target(event, announcement)
    return bool(rooms & {*where.to}) and not rooms & {*where.except_}


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda p: f"{p.role}-{p.user_id}-{p.shops and sorted(p.shops)}")
def test_polling_hears_what_sockets_hear(principal: Principal) -> None:
    # A service has no seat with the operators; polling is its feed, and hears what an operator of its shops would.
    listener = replace(principal, role=Role.OPERATOR) if principal.role is Role.SERVICE else principal
    for event in ALL_EVENTS:
        for announcement in said(event):
            assert heard_by(principal, event, announcement) is reached(listener, event, announcement)


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda p: f"{p.role}-{p.user_id}-{p.shops and sorted(p.shops)}")
def test_an_event_that_does_not_concern_a_caller_is_one_of_which_it_hears_nothing(principal: Principal) -> None:
    for event in ALL_EVENTS:
        heard = any(heard_by(principal, event, announcement) for announcement in said(event))
        assert concerns(principal, event) is (heard or (principal.is_staff and principal.in_shop(event.shop_id)))


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda p: f"{p.role}-{p.user_id}-{p.shops and sorted(p.shops)}")
def test_nobody_hears_the_same_twice_or_what_is_not_theirs(principal: Principal) -> None:
    for event in ALL_EVENTS:
        heard = [a for a in said(event) if reached(principal, event, a)]
        names = [announcement.event for announcement in heard]
        assert len(names) == len(set(names))
        mine = principal.user_id == event.customer_id
        if principal.is_guest:
            assert not heard or principal.may_see(event)
            for announcement in heard:
                assert PERSONAL.isdisjoint(announcement.data.get("changes", announcement.data))
            continue
        operator = principal.is_operator and principal.in_shop(event.shop_id)
        assert operator or all(announcement.audience is not OPERATORS for announcement in heard)
        assert mine or operator or not heard
        if mine:
            assert heard or event.fields in (("claimed_by",), ())
        if operator:
            assert [a for a in heard if a.audience is OPERATORS] == [a for a in said(event) if a.audience is OPERATORS]


def test_watchers_hear_what_the_customer_hears_but_for_the_beginning() -> None:
    stranger, customer = Principal("43", Role.CUSTOMER), Principal("42", Role.CUSTOMER)
    for event in EVENTS.values():
        for announcement in said(event):
            watched = reached(stranger, event, announcement, order_room("17"))
            assert watched is (reached(customer, event, announcement) and announcement.event != "order:created")
            assert not reached(stranger, event, announcement, order_room("18"))
