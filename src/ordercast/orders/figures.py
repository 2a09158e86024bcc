"""The figures of a day: how many orders are where, and how long they took. Pure.

Percentiles are by nearest rank: the p-th of n ascending values is the one at place ⌈p/100 · n⌉, so each is a value that
there was; the median of two is the smaller.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from ordercast.orders.models import to_utc
from ordercast.orders.workflow import Category, Workflow

MEDIAN, P90 = 50, 90

Shop = str | None
InShop = Callable[[Shop], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What an event of the log adds to a day's figures; durations in seconds.

    ``status``: which the order came into, if it came into one; ``left``: out of which; ``stayed``: how long it had
    been there, ``None`` where the log does not know any more. ``created_at``: the order's, where this made it;
    ``waited``: from that to the first contact, where this was it.
    """

    position: int
    order_id: str
    shop_id: Shop
    status: str | None = None
    left: str | None = None
    stayed: float | None = None
    created_at: datetime | None = None
    waited: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How many of a shop's orders are in a status, and how many of those nobody has contacted yet."""

    shop_id: Shop
    status: str
    orders: int
    waiting: int


def day_begin(at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment of the day that ``at`` is in over there, in UTC."""
    return to_utc(datetime.combine(at.astimezone(zone).date(), time(), zone))


def percentile(ascending: Sequence[float], p: int) -> float | None:
    """The ``p``-th percentile (1 to 100) by nearest rank; ``None`` of nothing."""
    return ascending[math.ceil(p * len(ascending) / 100) - 1] if ascending else None


def times(values: Iterable[float]) -> dict[str, Any]:
    """How many there are, and their percentiles."""
    ascending = sorted(values)
    return {"count": len(ascending), "median": percentile(ascending, MEDIAN), "p90": percentile(ascending, P90)}


@dataclass(slots=True)
class _Shop:
    created: int = 0
    waited: list[float] = field(default_factory=list)
    stayed: dict[str, list[float]] = field(default_factory=dict)


class Day:
    """What has happened since ``since``, as far as it was added: facts of rising positions, each once."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._shops: dict[Shop, _Shop] = {}
        self._came: dict[str, tuple[Shop, str]] = {}

    def add(self, facts: Iterable[Fact]) -> None:
        """Goes on."""
        for fact in facts:
            shop = self._shops.setdefault(fact.shop_id, _Shop())
            # An order that was brought in with a time before this day came into its status before, too.
            if fact.status is not None and (fact.created_at is None or fact.created_at >= self.since):
                self._came[fact.order_id] = (fact.shop_id, fact.status)
            if fact.left is not None and fact.stayed is not None:
                shop.stayed.setdefault(fact.left, []).append(fact.stayed)
            if fact.created_at is not None and fact.created_at >= self.since:
                shop.created += 1
            if fact.waited is not None:
                shop.waited.append(fact.waited)

    def figures(self, in_shop: InShop, standing: Iterable[Standing], workflow: Workflow) -> dict[str, Any]:
        """Of these shops, with how many orders stand where now."""
        shops = [shop for id, shop in self._shops.items() if in_shop(id)]
        here = [one for one in standing if in_shop(one.shop_id)]
        came = Counter(status for shop, status in self._came.values() if in_shop(shop))
        return {
            "orders": _orders(here, came, workflow),
            "created": sum(shop.created for shop in shops),
            "done": _ended(came, workflow, Category.DONE),
            "aborted": _ended(came, workflow, Category.ABORTED),
            "firstContact": times(value for shop in shops for value in shop.waited)
            | {"waiting": sum(one.waiting for one in here)},
            "timeInStatus": {
                status: times(value for shop in shops for value in shop.stayed.get(status, ()))
                for status in workflow.statuses
                if workflow.waits_in(status)
            },
        }


def _orders(here: Iterable[Standing], came: Mapping[str, int], workflow: Workflow) -> dict[str, int]:
    now: Counter[str] = Counter()
    for one in here:
        now[one.status] += one.orders
    is_open = {status.name for status in workflow.statuses.values() if status.category is Category.OPEN}
    return {status: (now if status in is_open else came)[status] for status in workflow.statuses}


def _ended(came: Mapping[str, int], workflow: Workflow, how: Category) -> int:
    return sum(came[status.name] for status in workflow.statuses.values() if status.category is how)
