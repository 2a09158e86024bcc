"""What keeps the promises of `ordercast.orders.ports` in memory: for tests of code that stands on Ordercast.

::

    storage = memory_storage()
    orders = OrderService(storage.orders, load_workflow())
    shop = Principal("shop", Role.SERVICE)
    written = await orders.create(NewOrder(customer_id="42"), shop)
    await orders.change_status(written.order.order_id, "accepted", updated_by="kitchen")
    assert [event.status for event in storage.log.events] == ["received", "accepted"]

``Ordercast(settings, storage=memory_storage())`` serves them. `ordercast.testing.contract` holds it, the databases, and
a shop's own tables to the same behaviour; it alone needs pytest. Tokens that a server under test accepts are made by
`ordercast.auth.sign_token`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ordercast.config import Settings
from ordercast.orders.kept import Kept
from ordercast.testing.board import MemoryFigures, MemoryTargets
from ordercast.testing.orders import MemoryLog, MemoryOrders
from ordercast.testing.personal import MemoryPersonalData
from ordercast.testing.recovery import MemoryRequests, MemoryRevocations, MemoryWatches
from ordercast.testing.webhooks import MemoryReceived, MemoryWebhooks

__all__ = [
    "MemoryFigures",
    "MemoryLog",
    "MemoryOrders",
    "MemoryPersonalData",
    "MemoryReceived",
    "MemoryRequests",
    "MemoryRevocations",
    "MemoryStorage",
    "MemoryTargets",
    "MemoryWatches",
    "MemoryWebhooks",
    "memory_storage",
]


@dataclass(frozen=True, slots=True)
class MemoryStorage:
    """Orders, their log and what goes with them, as an open database has them."""

    orders: MemoryOrders
    log: MemoryLog
    watches: MemoryWatches
    revocations: MemoryRevocations
    figures: MemoryFigures
    targets: MemoryTargets
    personal: MemoryPersonalData
    requests: MemoryRequests
    webhooks: MemoryWebhooks
    hooks: MemoryReceived

    @asynccontextmanager
    async def opened(self, settings: Settings | None = None) -> AsyncIterator[Kept]:
        """As `Ordercast` takes it for ``storage``: gone with the process."""
        yield Kept(self.orders, self.log, self.figures, self.personal)


def memory_storage(*, idempotency_ttl: float = 86_400, recovery_ttl: float = 86_400) -> MemoryStorage:
    """An empty one."""
    log = MemoryLog()
    orders = MemoryOrders(log, idempotency_ttl)
    watches = MemoryWatches(recovery_ttl)
    requests = MemoryRequests(idempotency_ttl)
    return MemoryStorage(
        orders,
        log,
        watches,
        MemoryRevocations(requests),
        MemoryFigures(orders, log),
        MemoryTargets(),
        MemoryPersonalData(orders, log, watches),
        requests,
        MemoryWebhooks(),
        MemoryReceived(),
    )
