"""What the client speaks of, made from the server's JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from ordercast.client.cursors import Cursor
from ordercast.client.ids import Id


def time_of(value: str | None) -> datetime | None:
    """A time as the server writes it."""
    return None if value is None else datetime.fromisoformat(value)


def to_json(value: Any) -> Any:
    """A value as the server takes it: times as text. Raises ``ValueError`` for a time without a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("give times with a zone, as datetime.now(UTC) has one")
        return value.isoformat()
    return value


@dataclass(frozen=True, slots=True)
class Order:
    """An order. Who has only a share link sees nothing personal: ``customer_id`` is ``None`` then."""

    order_id: Id
    status: str
    step: int
    version: int
    status_since: datetime
    created_at: datetime
    updated_at: datetime
    shop_id: Id | None = None
    customer_id: Id | None = None
    reference: str | None = None
    fulfilment: str = "delivery"
    items: Sequence[Any] = ()
    total: float | None = None
    currency: str | None = None
    note: str | None = None
    contact: Mapping[str, Any] | None = None
    expected_at: datetime | None = None
    claimed_by: Id | None = None
    first_contact_at: datetime | None = None

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the contract's JSON object."""
        return cls(
            order_id=data["orderId"],
            status=data["status"],
            step=data["step"],
            version=data["version"],
            status_since=datetime.fromisoformat(data["statusSince"]),
            created_at=datetime.fromisoformat(data["createdAt"]),
            updated_at=datetime.fromisoformat(data["updatedAt"]),
            shop_id=data.get("shopId"),
            customer_id=data.get("customerId"),
            reference=data.get("reference"),
            fulfilment=data["fulfilment"],
            items=data["items"],
            total=data.get("total"),
            currency=data.get("currency"),
            note=data.get("note"),
            contact=data.get("contact"),
            expected_at=time_of(data.get("expectedAt")),
            claimed_by=data.get("claimedBy"),
            first_contact_at=time_of(data.get("firstContactAt")),
        )


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A page of orders, newest first. ``next``: the ``cursor`` of the page after it; ``None``: that was all.
    ``position``: where the log was."""

    orders: Sequence[Order]
    next: str | None
    position: int

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the contract's JSON object."""
        return cls([Order.read(order) for order in data["orders"]], data["next"], data["position"])


@dataclass(frozen=True, slots=True)
class Share:
    """A share link: whoever opens ``url`` sees one order, until ``expires_at``."""

    share_token: str
    url: str
    expires_at: datetime

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """From the contract's JSON object."""
        return cls(data["shareToken"], data["url"], datetime.fromisoformat(data["expiresAt"]))


@dataclass(frozen=True)
class Event:
    """One change of one order: what the log has at one position.

    ``name``: ``order:created``, ``order:status_changed`` (to customers ``order:updated``) or, where the status stayed,
    ``order:changed``; ``order:gone`` where the order went to others: no more of it comes. ``cursor``: where to go on
    after it. ``data``: what the server says, in the contract's words.
    """

    name: str
    cursor: Cursor
    position: int
    data: Mapping[str, Any] = field(hash=False)

    @property
    def order_id(self) -> Id:
        """Whose it is."""
        id: Id = self.data["orderId"]
        return id

    @property
    def version(self) -> int:
        """Of the order; that of a new order may be later already."""
        version: int = self.data["version"]
        return version

    @property
    def status(self) -> str | None:
        """The status it has come to; ``None`` where that stayed."""
        return self.data.get("status")

    @property
    def changes(self) -> Mapping[str, Any]:
        """What else changed, by its name in JSON, with the values of now."""
        changes: Mapping[str, Any] = self.data.get("changes", {})
        return changes

    @property
    def updated_by(self) -> Id | None:
        """Who changed the status, as far as one may know."""
        return self.data.get("updatedBy")

    @cached_property
    def order(self) -> Order | None:
        """The order, where it is new: as it is now."""
        return Order.read(self.data) if self.name == "order:created" else None


GONE = "order:gone"

LOG_EVENTS = ("order:created", "order:status_changed", "order:updated", "order:changed", GONE)
"""Events of the log. Where one position has several, the first of these names it."""


def events_of(page: Mapping[str, Any]) -> list[Event]:
    """The events of an answer of ``GET /api/events``. Those of one position, which differ in what they tell, are
    one: between them there is no cursor to go on from."""
    log = page["cursor"].rpartition(".")[0]
    told: dict[int, dict[str, Mapping[str, Any]]] = {}
    for said in page["events"]:
        if said["event"] in LOG_EVENTS:
            told.setdefault(said["position"], {})[said["event"]] = said["data"]
    return [_event(f"{log}.{position}", position, by_name) for position, by_name in sorted(told.items())]


def _event(cursor: Cursor, position: int, by_name: Mapping[str, Mapping[str, Any]]) -> Event:
    names = [name for name in LOG_EVENTS if name in by_name]
    data: dict[str, Any] = {}
    for name in reversed(names):
        data |= by_name[name]
    return Event(names[0], cursor, position, data)
