"""What an event of the log says to an endpoint. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ordercast.orders.announcements import Audience, Step, addressed, announcements
from ordercast.orders.models import EventKind, Order, OrderEvent, iso
from ordercast.webhooks.models import TYPES, Delivery, Endpoint, Key

_ID = re.compile(r"msg_.+_([0-9]{1,18})_(created|status_changed|changed)_([0-9a-z_]+?)", re.ASCII)


def message_id(log_id: str, key: Key, endpoint_id: str) -> str:
    """The ``webhook-id``: the same at every attempt, another one for each message, log and endpoint.

    Without a full stop, which separates it from the rest of what is signed.
    """
    position, type = key
    return f"msg_{log_id}_{position}_{type.removeprefix('order.')}_{endpoint_id}"


def key_of(id: str, endpoint_id: str) -> Key:
    """The message that a `message_id` of this endpoint names. Raises ``ValueError``."""
    match = _ID.fullmatch(id)
    if match is None or match[3] != endpoint_id:
        raise ValueError("is no id of a message to this endpoint")
    return int(match[1]), f"order.{match[2]}"


def types_of(event: OrderEvent) -> Sequence[str]:
    """What the event says to services, without its order's values."""
    if event.kind is EventKind.CREATED:
        return TYPES[:1]
    return [_type(said.event) for said in announcements(event, None, lambda status: 0) if _for_services(said.audience)]


def wanted(endpoint: Endpoint, event: OrderEvent) -> list[Delivery]:
    """The messages that the endpoint gets of an event."""
    if not in_shops(endpoint, event):
        return []
    at = round(event.at.timestamp() * 1000)
    return [
        Delivery(position=event.position, type=type, order_id=event.order_id, at=at)
        for type in types_of(event)
        if type in endpoint.events
    ]


def in_shops(endpoint: Endpoint, event: OrderEvent) -> bool:
    """Whether the event is of one of the endpoint's shops."""
    return endpoint.shops is None or (event.shop_id is not None and event.shop_id in endpoint.shops)


def body_of(endpoint: Endpoint, type: str, event: OrderEvent, order: Order | None, step: Step) -> bytes | None:
    """The message's body; ``None`` where there is nothing to say (any more): the order is gone, or another shop's."""
    event = addressed(event, order)
    if not in_shops(endpoint, event):
        return None
    for said in announcements(event, order, step):
        if _for_services(said.audience) and _type(said.event) == type:
            return msgspec.json.encode({"type": type, "timestamp": iso(event.at), "data": said.data})
    return None


def _type(event: str) -> str:
    return event.replace(":", ".")


def _for_services(audience: Audience) -> bool:
    return audience is Audience.OPERATORS
