"""What a client makes of snapshots and events by their versions, and what it cannot know from them. Pure.

The same as ``web/apps/shared/orders.ts`` does, but for fetching an order whose versions have a hole: here nothing is
fetched, so that what the events leave out shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.harness import Json

Orders = Mapping[Any, Json]
"""Orders by id, as a snapshot shows them. What is not known any more is left out."""


def shown(orders: Orders, snapshot: Json) -> Orders:
    """With an order shown whole, unless what is known of it is newer."""
    known = orders.get(snapshot["orderId"])
    if known is not None and known["version"] > snapshot["version"]:
        return orders
    return {**orders, snapshot["orderId"]: {name: value for name, value in snapshot.items() if name != "position"}}


def merged(orders: Orders, event: str, data: Json, step: Callable[[str], int]) -> Orders:
    """With an event. Of one order, those of the version known count too: a status and other fields that were changed
    at once come as two events of one version."""
    if event == "order:created":
        return shown(orders, data)
    order = orders.get(data["orderId"])
    if order is None or data["version"] < order["version"]:
        return orders
    if "changes" in data:
        # It does not say when: the time of the order's last change is not known any more, unless it is this one's.
        kept = {k: v for k, v in order.items() if k != "updatedAt" or data["version"] == order["version"]}
        now = {**kept, **data["changes"]}
    else:
        now = {**order, "status": data["status"], "updatedAt": data["updatedAt"]}
        if "step" in order:
            now |= {"step": step(data["status"]), "statusSince": data["updatedAt"]}
    return {**orders, data["orderId"]: {**now, "version": data["version"]}}
