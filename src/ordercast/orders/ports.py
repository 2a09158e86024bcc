"""What the domain asks of the outside. `ordercast.storage` keeps these promises; `ordercast.testing` has fakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ordercast.orders.models import (
    Change,
    IdempotencyKey,
    Logged,
    NewOrder,
    Order,
    OrderEvent,
    OrderPage,
    OrderQuery,
    Snapshot,
    Written,
)

Decide = Callable[[Order], Change | None]
"""Pure: looks at the current order inside the transaction and says what to change (``None``: nothing), or
raises a `Problem`, which refuses this one write and spoils no other."""

Render = Callable[[Order], bytes]
"""Turns the written order into the answer's body, stored under the `IdempotencyKey`."""


class OrderRepository(Protocol):
    """Orders and their log, each write one transaction with its event."""

    async def get(self, order_id: str) -> Order | None:
        """The order as last committed, or ``None``."""

    async def snapshot(self, order_id: str) -> Snapshot | None:
        """The order and the head of the log, read in one transaction."""

    async def find(self, query: OrderQuery) -> OrderPage:
        """A page of orders. Raises `Invalid` for an ``after`` that is not one of ours."""

    async def create(
        self,
        new: NewOrder,
        status: str,
        updated_by: str,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """Stores the order at version 1 with its `CREATED` event. Raises `OrderExists`, `IdempotencyKeyReused`."""

    async def change(
        self,
        order_id: str,
        decide: Decide,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """Reads, decides and writes in one transaction, with the event at the next version and position.

        Raises `NotFound`, `IdempotencyKeyReused`, and whatever ``decide`` raises.
        """

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """All events of one order, by version."""


class EventLog(Protocol):
    """The log of all orders, in the order of commitment, without holes."""

    @property
    def log_id(self) -> str:
        """Which log this is; another database or a restored one has another id."""

    async def head(self) -> int:
        """The newest committed position; 0 for an empty log."""

    async def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        """Up to ``limit`` events with a greater position, ascending, without a hole."""

    def recent(self, position: int, limit: int) -> Sequence[Logged]:
        """As `after`, of what is at hand without waiting. Empty says nothing: `after` knows."""

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` on the event loop after each commit of this process; returns how to stop it.

        A wake is a hint: it may be late, doubled or missing. The log is the truth.
        """
