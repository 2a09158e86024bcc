"""Figures and targets in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from ordercast.orders.figures import Fact, Standing
from ordercast.orders.models import EventKind, Order, OrderEvent
from ordercast.testing.orders import MemoryLog, MemoryOrders


class MemoryTargets:
    """`Targets`."""

    def __init__(self) -> None:
        self._targets: dict[str, int | None] = {}

    async def read(self) -> Mapping[str, int | None]:
        return dict(self._targets)

    async def replace(self, targets: Mapping[str, int | None]) -> None:
        self._targets = dict(targets)


class MemoryFigures:
    """`Figures`."""

    def __init__(self, orders: MemoryOrders, log: MemoryLog) -> None:
        self._orders = orders
        self._log = log

    async def facts(self, since: datetime, position: int, limit: int) -> tuple[Sequence[Fact], int]:
        found: list[Fact] = []
        came: dict[str, datetime] = {}
        orders = {order.order_id: order for order in self._orders.all()}
        for event in self._log.events:
            moved = event.previous_status is not None or event.version == 1
            if (moved or event.kind is EventKind.CONTACTED) and event.position > position and event.at >= since:
                found.append(_fact(event, orders[event.order_id], came.get(event.order_id), moved))
            if moved:
                came[event.order_id] = event.at
        if len(found) < limit:
            return found, max(self._log.newest, position)
        return found[:limit], found[limit - 1].position

    async def standing(self, statuses: Collection[str]) -> Sequence[Standing]:
        groups: dict[tuple[str | None, str], list[Order]] = {}
        for order in self._orders.all():
            if order.status in statuses:
                groups.setdefault((order.shop_id, order.status), []).append(order)
        return [
            Standing(shop, status, len(found), sum(order.first_contact_at is None for order in found))
            for (shop, status), found in groups.items()
        ]


def _fact(event: OrderEvent, order: Order, came: datetime | None, moved: bool) -> Fact:
    first = event.kind is EventKind.CONTACTED and "first_contact_at" in event.fields
    contacted = order.first_contact_at if first else None
    return Fact(
        position=event.position,
        order_id=event.order_id,
        shop_id=event.shop_id,
        status=event.status if moved else None,
        left=event.previous_status,
        stayed=None if event.previous_status is None or came is None else _seconds(event.at - came),
        created_at=order.created_at if event.version == 1 else None,
        waited=None if contacted is None else _seconds(contacted - order.created_at),
    )


def _seconds(length: timedelta) -> float:
    return max(length / timedelta(seconds=1), 0.0)
