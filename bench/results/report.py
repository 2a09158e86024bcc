"""The table, for the terminal and for the page, pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.results.model import NOTICE, REACH, TALK
from bench.results.plan import Plan
from bench.results.run import Measured
from bench.shop import quantile

POLLING, LIVE = "polling", "live"
HEADS = ("", "screen", "median", "p90", "p99", "polling ÷ live", "the recipe said")


@dataclass(frozen=True)
class Results:
    """What both runs gave. ``others``: the share of both cores that other programs took meanwhile."""

    plan: Plan
    modes: Mapping[str, Measured]
    others: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Row:
    """``said``: what the recipe claims, with polling and live."""

    name: str
    values: Callable[[Measured], Sequence[float]]
    said: tuple[str, str] = ("–", "–")


RECIPE_UPDATE = 0.2
RECIPE_CONTACT = (4.2 * 60, 38.0)
"""s, with polling and live, as the recipe of 2016 has them."""

_ROWS = (
    _Row("a change reaches a screen", lambda run: run.updates, ("0–30 s", "under 200 ms")),
    _Row("first act on a new order", lambda run: run.reactions),
    _Row("first contact with its customer", lambda run: run.contacts, ("4.2 min", "38 s")),
)


def duration(seconds: float) -> str:
    """As people say it: ``3.4 ms``, ``14.9 s``, ``4.2 min``."""
    if seconds < 1:
        return f"{1000 * seconds:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def times(ratio: float) -> str:
    """``2.4 ×``, ``5,100 ×``: two figures are what it is worth."""
    if ratio < 10:
        return f"{ratio:.1f} ×"
    digits = len(str(int(ratio))) - 2
    return f"{round(ratio, -digits):,.0f} ×"


def rows(results: Results) -> list[tuple[str, ...]]:
    """The cells below `HEADS`, a line for each screen."""
    found: list[tuple[str, ...]] = []
    for row in _ROWS:
        medians = {}
        for mode, said in zip((POLLING, LIVE), row.said, strict=True):
            values = row.values(results.modes[mode])
            medians[mode] = quantile(values, 0.5)
            quantiles = [duration(quantile(values, share)) for share in (0.5, 0.9, 0.99)]
            ratio = times(medians[POLLING] / medians[LIVE]) if mode == LIVE and medians[LIVE] else ""
            found.append((row.name if mode == POLLING else "", mode, *quantiles, ratio, said))
    found += _rates("requests a minute at the server", results, lambda run: sum(run.requests.values()))
    asking = _rates("of these only to ask for news", results, lambda run: run.requests.get("GET", 0.0))
    found += [(*asking[0][:-1], "–"), (*asking[1][:-1], "none")]
    found += _rates("the server's CPU, % of a core", results, lambda run: 100 * run.cpu, 1)
    return found


def _rates(name: str, results: Results, value: Callable[[Measured], float], digits: int = 0) -> list[tuple[str, ...]]:
    before, after = (value(results.modes[mode]) for mode in (POLLING, LIVE))
    ratio = times(before / after) if round(after, digits) > 0 else "–"
    return [
        (name, POLLING, f"{before:.{digits}f}", "", "", "", "–"),
        ("", LIVE, f"{after:.{digits}f}", "", "", ratio, "–"),
    ]


def verdict(results: Results) -> str:
    """Whether the recipe's two numbers are beaten, in a sentence each."""
    live, polling = results.modes[LIVE], results.modes[POLLING]
    slowest, contact = quantile(live.updates, 0.99), quantile(live.contacts, 0.5)
    update = "beats" if slowest < RECIPE_UPDATE else "misses"
    reached = "beats" if contact < RECIPE_CONTACT[1] else "misses"
    saved = quantile(polling.contacts, 0.5) - contact
    than = f"{duration(abs(saved))} {'sooner' if saved >= 0 else 'later'} than"
    return (
        f"Live, 99 of 100 changes are on a screen within {duration(slowest)}, which {update} the recipe's 200 ms. Half "
        f"of the customers are contacted within {duration(contact)}, {than} by the same people "
        f"with polling, which {reached} the recipe's 38 s."
    )


def model(plan: Plan) -> str:
    """The person's model, in the words of a footnote."""
    share = "each order is for one of them" if plan.team == 1 else f"each order is for {plan.team} of them"
    return (
        f"{plan.operators} operators, {share}. A model of ours, not measured on people: who is free notices an order "
        f"{NOTICE.median:g} s after the screen shows it, takes it, reaches the customer {REACH.median:g} s later and "
        f"talks for {TALK.median:g} s (medians of lognormal times, σ {NOTICE.sigma:g}, {REACH.sigma:g}, "
        f"{TALK.sigma:g}); who is busy notices nothing. The same people, orders and times with either screen: seed "
        f"{plan.seed}."
    )


def table(results: Results) -> Table:
    """For the terminal."""
    plan = results.plan
    title = (
        f"{plan.operators} operators, {plan.orders} orders in {duration(plan.seconds)}; "
        f"screens that poll every {plan.interval:g} s, and live ones"
    )
    made = Table(title=title, title_justify="left", caption=model(plan), caption_justify="left")
    for head in HEADS[:2]:
        made.add_column(head)
    for head in HEADS[2:]:
        made.add_column(head, justify="right")
    for number, row in enumerate(rows(results)):
        made.add_row(*row, end_section=number % 2 == 1)
    return made
