"""What the customer's page says of an order, in values: times, steps, what is expected, the tab's icon. Pure.

`web/apps/track/view.ts` says the same with each change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from math import floor
from typing import Any
from urllib.parse import quote

from ordercast.api.track_words import Words
from ordercast.orders.models import Fulfilment, Order, OrderEvent
from ordercast.orders.workflow import Category, Workflow

_SOON = 90
"""Minutes; what is further away is told by the clock alone."""


class Clock:
    """Times in one zone, as a page without a script says them."""

    def __init__(self, zone: tzinfo, now: datetime) -> None:
        self._zone = zone
        self._today = now.astimezone(zone).date()

    def say(self, at: datetime) -> str:
        """``18:45 CET``, with the day where that is not today."""
        local = at.astimezone(self._zone)
        return local.strftime("%H:%M %Z" if local.date() == self._today else "%Y-%m-%d %H:%M %Z")


def reached(events: Iterable[OrderEvent], order: Order, workflow: Workflow) -> dict[int, datetime]:
    """Since when the order has been at each step, as far as the log tells: where a step is of several statuses, at the
    last of them. A step back takes the times of the later ones away."""
    at, before = {1: order.created_at}, workflow.initial
    for status, when in (*((event.status, event.at) for event in events), (order.status, order.status_since)):
        step = workflow.step(status)
        if status != before and step > 0:
            at = {earlier: time for earlier, time in at.items() if earlier < step}
            for passed in range(1, step + 1):
                at.setdefault(passed, when)
        before = status
    return at


def step_kind(step: int, current: int, category: str) -> str:
    """``past``, ``current``, ``stopped`` or nothing, as CSS has it."""
    if step < current or (step == current and category == Category.DONE.value):
        return "past"
    if step > current:
        return ""
    return "stopped" if category == Category.ABORTED.value else "current"


def expected(
    order: Order, status: Mapping[str, Any], steps: Sequence[tuple[int, str]], words: Words, clock: Clock, now: datetime
) -> tuple[str, str, str]:
    """``ahead`` or ``late``, when it is expected, and in how long; nothing where there is nothing to wait for: an order
    to collect is waited for until it is at the last step but one."""
    pickup = order.fulfilment is Fulfilment.PICKUP
    collect = pickup and len(steps) > 1 and status["step"] >= steps[-2][0]
    if order.expected_at is None or status["category"] != Category.OPEN.value or collect:
        return "", "", ""
    time = clock.say(order.expected_at)
    minutes = (order.expected_at - now).total_seconds() / 60
    if minutes < 0:
        return "late", words["late"].format(time=time), ""
    return "ahead", words["expected_pickup" if pickup else "expected"].format(time=time), _in(minutes, words)


def _in(minutes: float, words: Words) -> str:
    """By fives while it is a while: nobody knows it better, and it stays calm."""
    if minutes > _SOON:
        return ""
    if minutes < 1:
        return str(words["soon"])
    by = 5 if minutes >= 15 else 1
    return str(words["in_minutes"].format(minutes=floor(minutes / by + 0.5) * by))


def icon(current: int, steps: int, category: str) -> str:
    """The tab's icon: a ring as far as the order has come, a tick, or a cross. An SVG as a ``data:`` address."""
    colour = "#a3261c" if category == Category.ABORTED.value else "#12805f"
    if category == Category.OPEN.value:
        shape = (
            '<circle cx="16" cy="16" r="12" stroke="#9aa" opacity=".5"/>'
            f'<path d="M16 4a12 12 0 1 1 0 24a12 12 0 1 1 0-24" stroke="{colour}" '
            f'pathLength="{steps}" stroke-dasharray="{current} {steps}"/>'
        )
    else:
        mark = "M9 17l5 5 9-11" if category == Category.DONE.value else "M11 11l10 10M21 11l-10 10"
        shape = f'<circle cx="16" cy="16" r="15" fill="{colour}"/><path d="{mark}" stroke="#fff" stroke-width="4"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke-width="6">{shape}</svg>'
    return "data:image/svg+xml," + quote(svg, safe="!'()*-._~")  # as encodeURIComponent does
