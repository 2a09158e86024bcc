"""What the customer's page says, in the reader's language: ``words.json`` has all of it. Pure.

The page's script is given the words by the server, so that they are in one place.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from ordercast.orders.models import Fulfilment, Order
from ordercast.orders.workflow import Category, Workflow, load_workflow

Words = dict[str, Any]

FALLBACK = "en"


@cache
def languages() -> dict[str, Words]:
    """Language → words."""
    found: dict[str, Words] = msgspec.json.decode(files("ordercast.api").joinpath("words.json").read_bytes())
    return found


def language(accepted: str | None) -> str:
    """The best of our languages for an ``Accept-Language`` (RFC 9110, section 12.5.4)."""
    wanted = []
    for at, part in enumerate((accepted or "")[:1_000].split(",")):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        wanted.append((-quality, at, tag.strip().lower().partition("-")[0]))
    for quality, _, primary in sorted(wanted):
        if quality < 0 and primary in languages():
            return primary
    return FALLBACK


@cache
def _default() -> Workflow:
    return load_workflow()


def statuses(workflow: Workflow, order: Order, words: Words) -> dict[str, dict[str, Any]]:
    """Each status as ``{label, more, step, category}``. Where the shop has words of its own for a status, those count,
    in its own language; ``more`` is empty then."""
    found = {}
    for name, status in workflow.statuses.items():
        label, more = status.label, ""
        default = _default().statuses.get(name)
        if name in words["statuses"] and default is not None and default.label == label:
            label, more = words["statuses"][name]
            if name == "ready" and order.fulfilment is Fulfilment.PICKUP:
                more = words["ready_to_collect"]
        found[name] = {"label": label, "more": more, "step": status.step, "category": status.category.value}
    return found


def steps(workflow: Workflow, order: Order, words: Words) -> list[tuple[int, str]]:
    """The steps and their names: of the default workflow in the reader's language, of any other its labels."""
    if workflow.statuses == _default().statuses:
        return list(enumerate(words["steps"][order.fulfilment.value], 1))
    by_step: dict[int, str] = {}
    for status in workflow.statuses.values():
        if status.step > 0 and status.category is not Category.ABORTED:
            by_step.setdefault(status.step, status.label)
    return sorted(by_step.items())
