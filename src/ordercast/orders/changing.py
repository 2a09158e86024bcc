"""What it takes to make an order what somebody wants it to be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ordercast.errors import TransitionNotAllowed
from ordercast.orders.models import Change, EventKind, Order
from ordercast.orders.principal import Principal
from ordercast.orders.values import same
from ordercast.orders.workflow import Workflow


def changing(
    workflow: Workflow,
    order: Order,
    wanted: Mapping[str, Any],
    status: str | None,
    by: Principal,
    updated_by: str | None,
    reason: str | None,
    force: bool,
) -> Change | None:
    """The one change to these values (as they are kept) and this status; ``None`` where that is how the order is.

    ``force`` takes steps that the workflow does not have, and marks them. Raises `UnknownStatus`,
    `TransitionNotAllowed`, `ReasonNeeded`.
    """
    values = {name: value for name, value in wanted.items() if not same(getattr(order, name), value)}
    forced = False
    if status is not None:
        status = workflow.status(status).name
        if status != order.status:
            try:
                workflow.check(order, status, by.role, reason)
            except TransitionNotAllowed:
                if not force:
                    raise
                forced = True
            values["status"] = status
    if not values:
        return None
    kind = EventKind.STATUS_CHANGED if "status" in values else EventKind.CHANGED
    return Change(kind=kind, values=values, updated_by=updated_by or by.user_id, reason=reason, forced=forced)
