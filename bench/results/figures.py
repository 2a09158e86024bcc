"""From what the server logged and the screens showed to the figures, pure. Times are seconds since 1970."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bench.loop import Failed

PERSON = "op-"
"""What the operators' user ids begin with, as the log's ``updatedBy`` has them."""


@dataclass(frozen=True, slots=True)
class Logged:
    """An event of the server's log. ``at``: its commit's own time, cut to milliseconds."""

    order: int
    version: int
    kind: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A person's screen showed this version of this order from then on."""

    person: int
    order: int
    version: int
    at: float


def logged(history: Mapping[str, Any]) -> list[Logged]:
    """The answer of ``GET /api/orders/{id}/events``."""
    return [
        Logged(
            order=int(event["orderId"]),
            version=event["version"],
            kind=event["kind"],
            by=str(event["updatedBy"]),
            at=datetime.fromisoformat(event["at"]).timestamp(),
        )
        for event in history["events"]
    ]


def updates(log: Iterable[Logged], seen: Iterable[Seen], people: Iterable[int]) -> list[float]:
    """Seconds from each event until each person's screen showed it, or something newer of the order.

    Raises `Failed` where one never did.
    """
    shown: defaultdict[tuple[int, int], list[tuple[int, float]]] = defaultdict(list)
    for each in seen:
        known = shown[each.person, each.order]
        if not known or each.version > known[-1][0]:
            known.append((each.version, each.at))
    everybody = [*people]
    found = []
    for event in log:
        for person in everybody:
            known = shown[person, event.order]
            place = bisect_left(known, (event.version, -math.inf))
            if place == len(known):
                raise Failed(f"the screen of operator {person} never had version {event.version} of {event.order}")
            found.append(max(known[place][1] - event.at, 0.0))
    return found


def reactions(log: Iterable[Logged]) -> list[float]:
    """Seconds from each order's creation until the first act of a person on it. Raises `Failed` without one."""
    return [
        _after(events, [event for event in events if event.by.startswith(PERSON)]) for events in _by_order(log).values()
    ]


def contacts(log: Iterable[Logged]) -> list[float]:
    """Seconds from each order's creation until its first contact. Raises `Failed` unless there was exactly one."""
    found = []
    for order, events in _by_order(log).items():
        contacted = [event for event in events if event.kind == "contacted"]
        if len(contacted) > 1:
            raise Failed(f"order {order} was contacted {len(contacted)} times")
        found.append(_after(events, contacted))
    return found


def _by_order(log: Iterable[Logged]) -> dict[int, list[Logged]]:
    orders: defaultdict[int, list[Logged]] = defaultdict(list)
    for event in log:
        orders[event.order].append(event)
    return orders


def _after(events: Sequence[Logged], acts: Sequence[Logged]) -> float:
    created, order = events[0], events[0].order
    if created.kind != "created":
        raise Failed(f"the history of order {order} does not begin with its creation")
    if not acts:
        raise Failed(f"nobody has acted on order {order}")
    return acts[0].at - created.at


def requests(metrics: str) -> dict[str, float]:
    """HTTP requests by method, from the text of ``/metrics``."""
    return {
        sample.labels["method"]: sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "ordercast_requests_total"
    }


def per_minute(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Requests a minute by method between two readings of ``/metrics``, without the one that read the second."""
    counted = {method: number - before.get(method, 0.0) for method, number in after.items()}
    counted["GET"] = counted.get("GET", 0.0) - 1
    return {method: 60 * number / seconds for method, number in counted.items() if number}
