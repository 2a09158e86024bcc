"""What it takes to make an order what its shop says that it is. Pure."""

from __future__ import annotations

from ordercast.errors import Forbidden, Invalid, OrderExists
from ordercast.orders.changing import changing
from ordercast.orders.models import Change, EventKind, NewOrder, Order
from ordercast.orders.ports import Put
from ordercast.orders.principal import Principal, Role
from ordercast.orders.values import TOLD, as_kept, within_shops
from ordercast.orders.workflow import Workflow


def putting(
    workflow: Workflow,
    new: NewOrder,
    by: Principal,
    status: str | None,
    updated_by: str | None,
    reason: str | None,
    imported: bool,
) -> Put:
    """What the repository is told of it, with the arguments of `OrderService.put`. Raises `Forbidden`, `Invalid`,
    `UnknownStatus`; `OrderExists` when it decides."""
    if by.role is not Role.SERVICE:
        raise Forbidden("PUT is for the shop's backend, with a service token. Change an order with PATCH.")
    if new.order_id is None:
        raise Invalid("orderId: must be given")
    new = as_kept(within_shops(new, by))
    status = None if status is None else workflow.status(status).name

    def decide(order: Order) -> Change | None:
        if not by.may_see(order):
            raise OrderExists(f"There is an order '{order.order_id}' already. Choose another orderId.")
        told = {name: getattr(new, name) for name in TOLD if name != "created_at" or new.created_at is not None}
        return changing(workflow, order, told, status, by, updated_by, reason, force=True)

    created = Change(
        kind=EventKind.IMPORTED if imported else EventKind.CREATED,
        values={},
        updated_by=updated_by or by.user_id,
        reason=reason,
    )
    return Put(new, status or workflow.initial, created, decide)
