"""The use cases: who may do what to an order. One method and one transaction each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ordercast.errors import (
    ClaimedByAnother,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    VersionConflict,
)
from ordercast.orders.changing import changing
from ordercast.orders.ids import json_id, parse_id
from ordercast.orders.models import (
    Change,
    EventKind,
    IdempotencyKey,
    NewOrder,
    Order,
    OrderEvent,
    OrderPage,
    OrderQuery,
    Snapshot,
    Written,
    now,
)
from ordercast.orders.ports import Decide, OrderRepository, Put, Render
from ordercast.orders.principal import OPERATORS, Principal, Role
from ordercast.orders.putting import putting
from ordercast.orders.search import wanted as sought
from ordercast.orders.values import as_kept, kept, within_shops
from ordercast.orders.workflow import Workflow


class OrderService:
    """Orders, as their callers may see and change them. What a caller may not see raises `NotFound`, always."""

    def __init__(self, repository: OrderRepository, workflow: Workflow) -> None:
        self._repository = repository
        self.workflow = workflow
        """Set anew, it counts from the next change on."""

    def over(self, repository: OrderRepository) -> OrderService:
        """The same on another repository: that of a transaction (`OwnTable.on`)."""
        return OrderService(repository, self.workflow)

    # -- reading -------------------------------------------------------------------------------------------

    async def get(self, order_id: str, by: Principal) -> Order:
        """One order. Raises `NotFound`."""
        return _visible(await self._repository.get(order_id), by)

    async def visible(self, order_ids: Collection[str], by: Principal) -> frozenset[str]:
        """Which of the orders the caller may see."""
        orders = await self._repository.get_all(order_ids) if order_ids else ()
        return frozenset(order.order_id for order in orders if by.may_see(order))

    async def snapshot(self, order_id: str, by: Principal) -> Snapshot:
        """One order with the log position it is complete up to. Raises `NotFound`."""
        snapshot = await self._repository.snapshot(order_id)
        if snapshot is None:
            raise NotFound
        _visible(snapshot.order, by)
        return snapshot

    async def find(self, query: OrderQuery, by: Principal) -> OrderPage:
        """A page of what the caller may see. Raises `Forbidden`, `UnknownStatus`, `Invalid` (a text, a cursor)."""
        if by.is_guest:
            raise Forbidden("A share link shows one order, and no list.")
        if query.text is not None:
            query = replace(query, text=sought(query.text))
        if query.statuses is not None:
            query = replace(query, statuses=frozenset(self.workflow.status(name).name for name in query.statuses))
        if by.is_staff:
            return await self._repository.find(replace(query, shops=by.shops))
        if query.customer_id not in (None, by.user_id):
            query = replace(query, statuses=frozenset())  # somebody else's: an empty page, as if there were none
        return await self._repository.find(replace(query, customer_id=by.user_id))

    async def history(self, order_id: str, by: Principal) -> Sequence[OrderEvent]:
        """All that happened to one order, as far back as the log goes. Raises `NotFound`."""
        await self.get(order_id, by)
        return await self._repository.history(order_id)

    # -- writing -------------------------------------------------------------------------------------------

    async def create(
        self,
        new: NewOrder,
        by: Principal,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """A new order in the workflow's first status. Raises `Forbidden`, `Invalid`, `OrderExists`,
        `IdempotencyKeyReused`."""
        if not by.is_staff:
            raise Forbidden("Customers do not create orders here; the shop's backend does, with a service token.")
        new = as_kept(within_shops(new, by))
        written = await self._repository.create(new, self.workflow.initial, by.user_id, idempotency, render)
        _visible(written.order, by)  # the answer to an earlier request may be of an order that is not theirs any more
        return written

    async def update(
        self,
        order_id: str,
        by: Principal,
        *,
        status: str | None = None,
        fields: Mapping[str, Any] | None = None,
        expected_version: int | None = None,
        reason: str | None = None,
        updated_by: str | None = None,
        force: bool = False,
    ) -> Written:
        """Moves an order along and sets ``expected_at``, ``note``, ``contact``; what is the same changes nothing.

        One event for all of it. ``force`` (services only) takes steps that the workflow does not have; the history
        marks those it took. With a ``reason`` operators may take a step back, as `Workflow.back` has it. Raises
        `NotFound`, `Forbidden`, `Invalid`, `VersionConflict`, `UnknownStatus`, `TransitionNotAllowed`, `ReasonNeeded`.
        """

        def decide(order: Order) -> Change | None:
            _visible(order, by)
            if not by.is_staff:
                raise Forbidden("Customers can watch their order, not change it.")
            if by.role is not Role.SERVICE and (force or updated_by is not None):
                raise Forbidden("force and updatedBy are for the shop's backend, with a service token.")
            if expected_version is not None and order.version != expected_version:
                raise VersionConflict(
                    f"The order is at version {order.version}, not {expected_version}. Read it again and decide anew.",
                    version=order.version,
                    currentStatus=order.status,
                )
            wanted = {name: kept(name, value) for name, value in (fields or {}).items()}
            return changing(self.workflow, order, wanted, status, by, updated_by, reason, force)

        return await self._repository.change(order_id, decide)

    async def put(
        self,
        new: NewOrder,
        by: Principal,
        *,
        status: str | None = None,
        updated_by: str | None = None,
        reason: str | None = None,
        imported: bool = False,
    ) -> Written:
        """Makes the order ``new.order_id`` what its shop says that it is: creates it, or replaces what is told of it.

        A ``status`` or ``created_at`` that is ``None`` stays as it is, or begins as with `create`. Steps that the
        workflow does not have are taken; the history marks them. What is the same changes nothing. ``imported``: with
        many others, of each of which clients are not told. Raises `Forbidden`, `Invalid`, `UnknownStatus`, and
        `OrderExists` where that order is not the caller's to change.
        """
        return await self._repository.put(*putting(self.workflow, new, by, status, updated_by, reason, imported))

    async def put_all(
        self, told: Iterable[tuple[NewOrder, Mapping[str, Any]]], by: Principal
    ) -> Sequence[Written | Problem]:
        """Imports many in one transaction: as `put` of each, given with its other keyword arguments. For each in their
        order what came of it, or why it was refused, which spoils no other."""
        puts: list[Put | Problem] = []
        for new, arguments in told:
            try:
                puts.append(putting(self.workflow, new, by, **arguments, imported=True))
            except Problem as problem:
                puts.append(problem)
        done = iter(await self._repository.put_all([one for one in puts if isinstance(one, Put)]))
        return [one if isinstance(one, Problem) else next(done) for one in puts]

    async def contact(
        self,
        order_id: str,
        by: Principal,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """A person has contacted the customer; the first time sets ``first_contact_at``.

        Raises `NotFound`, `Forbidden`, `IdempotencyKeyReused`.
        """

        def decide(order: Order) -> Change:
            _visible(order, by)
            if by.role not in OPERATORS:
                raise Forbidden("Only operators and admins contact customers.")
            first = {"first_contact_at": now()} if order.first_contact_at is None else {}
            return Change(kind=EventKind.CONTACTED, values=first, updated_by=by.user_id)

        return await self._change(order_id, by, decide, idempotency, render)

    async def claim(
        self,
        order_id: str,
        by: Principal,
        take_from: str | None = None,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """The caller takes the order; ``take_from``: over from this user, who must have it.

        Raises `NotFound`, `Forbidden`, `ClaimedByAnother`, `IdempotencyKeyReused`.
        """

        def decide(order: Order) -> Change | None:
            _visible(order, by)
            if by.role not in OPERATORS:
                raise Forbidden("Only operators and admins take orders.")
            if order.claimed_by == by.user_id:
                return None
            if order.claimed_by != take_from:
                raise _claimed(order, "Take it over with 'from', or leave it to them.")
            return Change(kind=EventKind.CLAIMED, values={"claimed_by": by.user_id}, updated_by=by.user_id)

        return await self._change(order_id, by, decide, idempotency, render)

    async def release(
        self,
        order_id: str,
        by: Principal,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """Whoever has the order gives it back, or an admin does. Raises as `claim` does."""

        def decide(order: Order) -> Change | None:
            _visible(order, by)
            if by.role not in OPERATORS:
                raise Forbidden("Only operators and admins give orders back.")
            if order.claimed_by is None:
                return None
            if order.claimed_by != by.user_id and by.role is not Role.ADMIN:
                raise _claimed(order, "They or an admin can give it back.")
            return Change(kind=EventKind.RELEASED, values={"claimed_by": None}, updated_by=by.user_id)

        return await self._change(order_id, by, decide, idempotency, render)

    async def _change(
        self, order_id: str, by: Principal, decide: Decide, key: IdempotencyKey | None, render: Render | None
    ) -> Written:
        written = await self._repository.change(order_id, decide, key, render)
        _visible(written.order, by)  # the answer to an earlier request may be of an order that is not theirs any more
        return written

    async def change_status(
        self,
        order_id: int | str,
        status: str,
        updated_by: int | str,
        *,
        expected_version: int | None = None,
        reason: str | None = None,
    ) -> Order:
        """For business code in the same process: moves an order along, after the workflow, and returns it.

        Customer, watchers and operators learn of it once it is committed. Raises `NotFound`, `Invalid`,
        `VersionConflict`, `UnknownStatus`, `TransitionNotAllowed`.
        """
        id, who = parse_id(order_id), parse_id(updated_by)
        if id is None:
            raise NotFound
        if who is None:
            raise Invalid("updated_by: must be an integer from 0 up, or a string of 1 to 64 of A-Z a-z 0-9 _ . : -")
        backend = Principal(user_id=who, role=Role.SERVICE)
        written = await self.update(id, backend, status=status, expected_version=expected_version, reason=reason)
        return written.order


def _claimed(order: Order, advice: str) -> ClaimedByAnother:
    if order.claimed_by is None:
        return ClaimedByAnother("Nobody has this order any more. Take it without 'from'.", claimedBy=None)
    return ClaimedByAnother(f"{order.claimed_by} has this order. {advice}", claimedBy=json_id(order.claimed_by))


def _visible(order: Order | None, by: Principal) -> Order:
    if order is None or not by.may_see(order):
        raise NotFound
    return order
