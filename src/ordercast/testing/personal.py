"""What is kept of a customer besides their orders, in memory."""

from __future__ import annotations

from dataclasses import replace

from ordercast.orders.models import OrderEvent
from ordercast.testing.orders import MemoryLog, MemoryOrders
from ordercast.testing.recovery import MemoryWatches


class MemoryPersonalData:
    """`PersonalData`."""

    def __init__(self, orders: MemoryOrders, log: MemoryLog, watches: MemoryWatches) -> None:
        self._orders = orders
        self._log = log
        self._watches = watches

    async def replace_customer(self, customer_id: str, pseudonym: str) -> None:
        theirs = {event.order_id for event in self._log.events if event.customer_id == customer_id}
        theirs |= {order.order_id for order in self._orders.all() if order.customer_id == pseudonym}
        self._orders.forget_answers(theirs)
        self._watches.forget(customer_id)

        def anonymous(event: OrderEvent) -> OrderEvent:
            by = pseudonym if event.updated_by == customer_id else event.updated_by
            return replace(event, customer_id=pseudonym, reason=None, updated_by=by)

        self._log.events = [anonymous(e) if e.customer_id == customer_id else e for e in self._log.events]
