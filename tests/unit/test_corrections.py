"""Steps back: which there are, what they need, who may take them."""

from __future__ import annotations

import pytest
from hypothesis import given

from ordercast.errors import ReasonNeeded, SettingsError, TransitionNotAllowed
from ordercast.orders.models import Fulfilment, NewOrder
from ordercast.orders.principal import OPERATORS, Principal, Role
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import Workflow, load_workflow, parse_workflow
from ordercast.testing import memory_storage
from tests.unit.test_workflow import SMALL, graphs, order, unchecked

DEFAULT = load_workflow()
ANA, ADA, SHOP = Principal("ana", Role.OPERATOR), Principal("ada", Role.ADMIN), Principal("shop", Role.SERVICE)


@given(graphs())
def test_a_correction_undoes_a_step_that_its_caller_may_take(text: str) -> None:
    """Whatever the workflow: from where it leads, the same caller may go to where the order was."""
    workflow = unchecked(text)
    for fulfilment in Fulfilment:
        for role in Role:
            for status in workflow.statuses:
                back = workflow.back(status, fulfilment, role)
                assert back == list(dict.fromkeys(back))
                forward = {s for s in workflow.statuses if s != status and status in workflow.next(s, fulfilment, role)}
                assert set(back) == (forward if role in OPERATORS else set())


def taken(workflow: Workflow, status: str, to: str, role: Role = Role.OPERATOR, reason: str | None = None) -> bool:
    try:
        workflow.check(order(status), to, role, reason)
    except TransitionNotAllowed:
        return False
    return True


@given(graphs())
def test_a_reason_allows_corrections_and_nothing_else(text: str) -> None:
    workflow = unchecked(text)
    for role in Role:
        for status in workflow.statuses:
            forward, back = (
                workflow.next(status, Fulfilment.DELIVERY, role),
                workflow.back(status, Fulfilment.DELIVERY, role),
            )
            for to in workflow.statuses:
                assert taken(workflow, status, to, role) is (to in forward)
                assert taken(workflow, status, to, role, " ") is (to in forward)
                assert taken(workflow, status, to, role, "tapped the wrong one") is (to in forward or to in back)


def test_default_corrections() -> None:
    back = DEFAULT.back
    assert back("received", Fulfilment.DELIVERY, Role.OPERATOR) == []
    assert back("ready", Fulfilment.DELIVERY, Role.ADMIN) == ["preparing"]
    assert back("collected", Fulfilment.PICKUP, Role.OPERATOR) == ["ready"]
    assert back("collected", Fulfilment.DELIVERY, Role.OPERATOR) == []
    assert back("ready", Fulfilment.DELIVERY, Role.SERVICE) == []
    assert back("removed", Fulfilment.DELIVERY, Role.OPERATOR) == []


def test_without_a_reason_it_is_said_that_one_is_needed() -> None:
    with pytest.raises(ReasonNeeded, match="send it again with a reason") as caught:
        DEFAULT.check(order("ready"), "preparing", Role.OPERATOR)
    assert caught.value.extra == {"currentStatus": "ready", "allowed": ["out_for_delivery", "cancelled"]}
    with pytest.raises(TransitionNotAllowed, match=r"cannot become 'received' here\. Allowed are"):
        DEFAULT.check(order("ready"), "received", Role.OPERATOR, "two steps at once")


def test_a_shop_may_have_none() -> None:
    strict = parse_workflow("corrections = false\n" + SMALL)
    loose = parse_workflow(SMALL)
    assert (strict.describe()["corrections"], loose.describe()["corrections"]) == (False, True)
    assert [w.back("end", Fulfilment.PICKUP, Role.ADMIN) for w in (strict, loose)] == [[], [strict.initial]]
    for bad in ('"yes"', "1", "[]"):
        with pytest.raises(SettingsError, match="as corrections; it must be true or false"):
            parse_workflow(f"corrections = {bad}\n" + SMALL)


@pytest.fixture
async def orders() -> OrderService:
    storage = memory_storage()
    service = OrderService(storage.orders, DEFAULT)
    await service.create(NewOrder(customer_id="42", order_id="7", shop_id="north"), SHOP)
    for status in ("accepted", "preparing"):
        await service.change_status("7", status, "ana")
    return service


async def test_the_history_keeps_the_reason(orders: OrderService) -> None:
    with pytest.raises(ReasonNeeded):
        await orders.update("7", ANA, status="accepted")
    written = await orders.update("7", ANA, status="accepted", reason="wrong order", expected_version=3)
    assert (written.order.status, written.order.version) == ("accepted", 4)
    entry = (await orders.history("7", ANA))[-1]
    assert (entry.status, entry.previous_status, entry.reason, entry.forced) == (
        "accepted",
        "preparing",
        "wrong order",
        False,
    )
    await orders.update("7", ADA, status="received", reason="and that one too")
    with pytest.raises(TransitionNotAllowed):
        await orders.update("7", ADA, status="preparing", reason="not from here")


async def test_a_service_forces_and_corrects_nothing(orders: OrderService) -> None:
    with pytest.raises(TransitionNotAllowed) as caught:
        await orders.update("7", SHOP, status="accepted", reason="with one")
    assert not isinstance(caught.value, ReasonNeeded)
    written = await orders.update("7", SHOP, status="accepted", force=True)
    assert written.event is not None
    assert written.event.forced
