"""What an application may ask and change, over REST."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

from ordercast.client.answers import order_in, understood
from ordercast.client.ids import Id, text_of
from ordercast.client.models import Order, OrderPage, Share, to_json
from ordercast.client.rest import Query

Take = Callable[[Mapping[str, Any]], None]


class Kept:
    """Of a field that is not named: it stays as it is. ``None`` clears it."""


KEPT: Final = Kept()


class Actions(ABC):
    """One request each. All raise `Problem` where the server says no, `Unreachable` where none answers, and
    ``ValueError`` for what can be no order's id."""

    @abstractmethod
    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """A request to ``/api/{path}``, for what has no method here; the answer's JSON."""

    @abstractmethod
    def _taker(self, id: Id) -> Take:
        """Takes an order that is asked for from now on in, where it is watched."""

    async def get_order(self, id: Id) -> Order:
        """One order."""
        return await self._order("GET", id)

    async def list_orders(
        self,
        *,
        q: str | None = None,
        status: str | Iterable[str] | None = None,
        customer_id: Id | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> OrderPage:
        """A page of orders, newest first. ``q``: a part of the order's id, its reference, or its contact's name or
        phone. ``cursor``: the ``next`` of the page before."""
        statuses = status if status is None or isinstance(status, str) else ",".join(status)
        query: Query = {"q": q, "status": statuses, "customerId": customer_id, "limit": limit, "cursor": cursor}
        return understood(OrderPage.read, await self.call("GET", "orders", query=query))

    async def create_order(
        self,
        customer_id: Id,
        *,
        order_id: Id | None = None,
        shop_id: Id | None = None,
        reference: str | None = None,
        fulfilment: str | None = None,
        items: Sequence[Any] | None = None,
        total: float | None = None,
        currency: str | None = None,
        note: str | None = None,
        contact: Mapping[str, Any] | None = None,
        expected_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Order:
        """A new order. With the ``idempotency_key`` of an earlier call: what that made, and no second one."""
        body = {
            "customerId": customer_id,
            "orderId": order_id,
            "shopId": shop_id,
            "reference": reference,
            "fulfilment": fulfilment,
            "items": items,
            "total": total,
            "currency": currency,
            "note": note,
            "contact": contact,
            "expectedAt": to_json(expected_at),
        }
        body = {name: value for name, value in body.items() if value is not None}
        made = await self.call("POST", "orders", body=body, idempotency_key=idempotency_key or new_key())
        return understood(Order.read, made)

    async def put_order(self, id: Id, order: Mapping[str, Any]) -> Order:
        """Creates or updates an order by the shop's own id, once however often; ``order`` is the contract's JSON."""
        return await self._order("PUT", id, body={name: to_json(value) for name, value in order.items()})

    async def change_order(
        self,
        id: Id,
        *,
        status: str | None = None,
        expected_at: datetime | Kept | None = KEPT,
        note: str | Kept | None = KEPT,
        contact: Mapping[str, Any] | Kept | None = KEPT,
        expected_version: int | None = None,
        reason: str | None = None,
        updated_by: Id | None = None,
        force: bool = False,
    ) -> Order:
        """Changes what is named. With ``expected_version`` a `Problem` of status 409 where the order has moved on.
        ``updated_by`` and ``force`` are for services."""
        fields = {"expectedAt": to_json(expected_at), "note": note, "contact": contact}
        body = {name: value for name, value in fields.items() if not isinstance(value, Kept)}
        said = {"status": status, "expectedVersion": expected_version, "reason": reason, "updatedBy": updated_by}
        body |= {name: value for name, value in said.items() if value is not None}
        return await self._order("PATCH", id, body=body | ({"force": True} if force else {}))

    async def change_status(
        self,
        id: Id,
        status: str,
        *,
        expected_version: int | None = None,
        reason: str | None = None,
        updated_by: Id | None = None,
        force: bool = False,
    ) -> Order:
        """Moves an order along. The same status again changes nothing."""
        return await self.change_order(
            id,
            status=status,
            expected_version=expected_version,
            reason=reason,
            updated_by=updated_by,
            force=force,
        )

    async def contact(self, id: Id) -> Order:
        """A person has contacted the customer."""
        return await self._order("POST", id, "/contact", idempotency_key=new_key())

    async def claim(self, id: Id, *, take_from: Id | None = None) -> Order:
        """Takes the order; ``take_from``: over from this user. A `Problem` of status 409, with ``claimedBy`` in its
        ``extra``, where somebody else has it."""
        body = None if take_from is None else {"from": take_from}
        return await self._order("POST", id, "/claim", body=body, idempotency_key=new_key())

    async def release(self, id: Id) -> Order:
        """Gives the order back."""
        return await self._order("POST", id, "/release", idempotency_key=new_key())

    async def share(self, id: Id) -> Share:
        """A link to the order for people without a login."""
        return understood(Share.read, await self.call("POST", f"{_path(id)}/share"))

    async def history(self, id: Id) -> Sequence[Mapping[str, Any]]:
        """What happened to an order, oldest first, in the contract's JSON."""
        entries: Sequence[Mapping[str, Any]] = understood(
            lambda said: said["events"], await self.call("GET", f"{_path(id)}/events")
        )
        return entries

    async def workflow(self) -> Mapping[str, Any]:
        """The statuses and the steps between them, in the contract's JSON."""
        found: Mapping[str, Any] = await self.call("GET", "workflow")
        return found

    async def _order(
        self, method: str, id: Id, more: str = "", *, body: Any = None, idempotency_key: str | None = None
    ) -> Order:
        take = self._taker(id)
        answer = await self.call(method, _path(id) + more, body=body, idempotency_key=idempotency_key)
        order = order_in(answer, text_of(id))
        take(order)
        return Order.read(order)


def _path(id: Id) -> str:
    return f"orders/{quote(text_of(id), safe='')}"


def new_key() -> str:
    """Unlike any other."""
    return uuid4().hex
