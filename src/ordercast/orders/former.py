"""Whose an order was before."""

from __future__ import annotations

from ordercast.orders.announcements import changes_owner
from ordercast.orders.models import OrderEvent
from ordercast.orders.ports import OrderRepository


async def former(orders: OrderRepository, event: OrderEvent) -> OrderEvent | None:
    """The order's event before this one, where this one made it another customer's or shop's; ``None`` also where the
    log has lost it. A customer who was anonymised is nobody there (`PersonalData`). Raises `StorageError`."""
    if not changes_owner(event):
        return None
    history = await orders.history(event.order_id)
    return next((one for one in history if one.version == event.version - 1), None)
