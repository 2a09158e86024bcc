"""Orders and their log in memory."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, takewhile

import structlog

from ordercast.errors import IdempotencyKeyReused, Invalid, NotFound, OrderExists, Problem
from ordercast.orders.models import (
    Change,
    EventKind,
    IdempotencyKey,
    Logged,
    NewOrder,
    Order,
    OrderEvent,
    OrderPage,
    OrderQuery,
    Snapshot,
    Written,
    changed,
    event_of,
    iso,
    now,
    order_of,
)
from ordercast.orders.ports import Decide, Put, Render
from ordercast.orders.search import fold, searchable

_CURSOR = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)/([A-Za-z0-9_.:-]{1,64})")

_log = structlog.get_logger("ordercast.testing")


class MemoryLog:
    """An `EventLog`. ``events`` is all of it that was not removed, for tests to look at."""

    def __init__(self, log_id: str = "memory") -> None:
        self.events: list[OrderEvent] = []
        self._orders: dict[int, Order] = {}
        self._log_id = log_id
        self._floor = 0
        self._wakes: set[Callable[[], None]] = set()

    @property
    def log_id(self) -> str:
        return self._log_id

    @property
    def floor(self) -> int:
        return self._floor

    @property
    def newest(self) -> int:
        """The `head`, without waiting."""
        return self._floor + len(self.events)

    async def head(self) -> int:
        return self.newest

    async def at(self, position: int) -> datetime | None:
        return self.events[position - self._floor - 1].at if self._floor < position <= self.newest else None

    async def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        start = max(position - self._floor, 0)
        return self.events[start : start + limit]

    async def of_customer(self, customer_id: str, position: int, limit: int) -> tuple[Sequence[OrderEvent], int]:
        versions = {(e.order_id, e.version) for e in self.events if e.customer_id == customer_id}
        versions |= {(order_id, version + 1) for order_id, version in versions}
        found = [e for e in self.events if e.position > position and (e.order_id, e.version) in versions]
        if len(found) < limit:
            return found, max(self.newest, position)
        return found[:limit], found[limit - 1].position

    def recent(self, position: int, limit: int) -> Sequence[Logged]:
        start = max(position - self._floor, 0)
        return [(event, self._orders.get(event.position)) for event in self.events[start : start + limit]]

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        # Wrapped, so that the same function may subscribe twice.
        def subscribed() -> None:
            wake()

        self._wakes.add(subscribed)
        return lambda: self._wakes.discard(subscribed)

    def remove_before(self, time: datetime) -> None:
        """Removes events that are older, as retention does: only from the beginning on."""
        old = len([*takewhile(lambda event: event.at < time, self.events)])
        del self.events[:old]
        self._floor += old

    def append(self, event: OrderEvent, order: Order | None = None) -> None:
        """Adds the event of the next position, of an order that is now this one, and wakes whoever follows."""
        self.events.append(event)
        self._orders = {} if order is None else {event.position: order}
        for wake in tuple(self._wakes):
            try:
                wake()
            except Exception:
                _log.exception("whoever follows the log failed to wake")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was said to an `IdempotencyKey`."""

    fingerprint: str
    order_id: str
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    """A write that may still be refused: the order as it would be, and what would be logged."""

    order: Order
    change: Change | None
    before: str | None = None


class MemoryOrders:
    """An `OrderRepository`. No method waits inside, so that each is a transaction by itself.

    What is handed in and out is copied: changing it changes nothing that is stored.
    """

    def __init__(self, log: MemoryLog, idempotency_ttl: float = 86_400) -> None:
        self._log = log
        self._ttl = timedelta(seconds=idempotency_ttl)
        self._orders: dict[str, Order] = {}
        self._answers: dict[tuple[str, str], _Answer] = {}

    # -- reading -------------------------------------------------------------------------------------------

    async def get(self, order_id: str) -> Order | None:
        return deepcopy(self._orders.get(order_id))

    async def get_all(self, order_ids: Collection[str]) -> Sequence[Order]:
        return deepcopy([self._orders[id] for id in set(order_ids) if id in self._orders])

    async def snapshot(self, order_id: str) -> Snapshot | None:
        order = await self.get(order_id)
        return None if order is None else Snapshot(order, self._log.newest)

    def all(self) -> Sequence[Order]:
        """All of them, without waiting, oldest first."""
        return deepcopy([*self._orders.values()])

    async def find(self, query: OrderQuery) -> OrderPage:
        found = sorted((order for order in self._orders.values() if _fits(order, query)), key=_place, reverse=True)
        if query.after is not None:
            last = _CURSOR.fullmatch(query.after)
            if last is None:
                raise Invalid("cursor: must be the next of an earlier answer, unchanged")
            found = [order for order in found if _place(order) < last.groups()]
        page = deepcopy(found[: query.limit])
        cursor = "/".join(_place(page[-1])) if len(found) > query.limit else None
        return OrderPage(page, cursor, self._log.newest)

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        return [event for event in self._log.events if event.order_id == order_id]

    # -- writing -------------------------------------------------------------------------------------------

    async def create(
        self,
        new: NewOrder,
        status: str,
        updated_by: str,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def draft() -> _Draft:
            free = (number for number in map(str, count(1)) if number not in self._orders)
            id = next(free) if new.order_id is None else new.order_id
            if id in self._orders:
                raise OrderExists(f"There is an order '{id}' already. Choose another orderId, or leave it out.")
            return _Draft(
                order_of(new, id, status, now()), Change(kind=EventKind.CREATED, values={}, updated_by=updated_by)
            )

        return self._write(draft, idempotency, render)

    async def change(
        self,
        order_id: str,
        decide: Decide,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        def draft() -> _Draft:
            before = deepcopy(self._orders.get(order_id))
            if before is None:
                raise NotFound
            return _changed(before, decide)

        return self._write(draft, idempotency, render)

    async def put(self, new: NewOrder, status: str, created: Change, decide: Decide) -> Written:
        id = new.order_id
        if id is None:
            raise ValueError("put is for orders that have an id")

        def draft() -> _Draft:
            before = deepcopy(self._orders.get(id))
            return _Draft(order_of(new, id, status, now()), created) if before is None else _changed(before, decide)

        return self._write(draft, None, None)

    async def put_all(self, puts: Sequence[Put]) -> Sequence[Written | Problem]:
        outcomes: list[Written | Problem] = []
        for one in puts:
            try:
                outcomes.append(await self.put(*one))
            except Problem as problem:
                outcomes.append(problem)
        return outcomes

    def _write(self, make: Callable[[], _Draft], key: IdempotencyKey | None, render: Render | None) -> Written:
        at = now()
        if key is not None and render is not None:
            known = self._answers.get((key.scope, key.key))
            if known is not None and known.at >= at - self._ttl:
                return self._replay(key, known, render)
        draft = make()
        order = draft.order
        if key is not None and render is not None:
            self._answers[key.scope, key.key] = _Answer(key.fingerprint, order.order_id, render(order), at)
        # From here on nothing is refused any more.
        if draft.change is None:
            return Written(order)
        self._orders[order.order_id] = deepcopy(order)
        event = event_of(order, draft.change, draft.before, self._log.newest + 1)
        self._log.append(event, deepcopy(order))
        return Written(order, event)

    def forget_answers(self, order_ids: Collection[str]) -> None:
        """What was answered of these orders is made anew where it is asked for again."""
        for key, answer in self._answers.items():
            if answer.order_id in order_ids:
                self._answers[key] = replace(answer, body=b"")

    def _replay(self, key: IdempotencyKey, known: _Answer, render: Render) -> Written:
        if known.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body. Use a new key for a new request."
            )
        order = deepcopy(self._orders[known.order_id])
        return Written(order, replayed=known.body or render(order))


def _changed(before: Order, decide: Decide) -> _Draft:
    change = decide(before)
    if change is None:
        return _Draft(before, None)
    return _Draft(changed(before, change, now()), change, before.status)


def _fits(order: Order, query: OrderQuery) -> bool:
    return (
        query.customer_id in (None, order.customer_id)
        and (query.shops is None or order.shop_id in query.shops)
        and (query.statuses is None or order.status in query.statuses)
        and (query.text is None or fold(query.text) in searchable(order))
    )


def _place(order: Order) -> tuple[str, str]:
    """Where the order stands among all: such times sort as text."""
    return iso(order.created_at), order.order_id
