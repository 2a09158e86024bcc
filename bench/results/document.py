"""Writes docs/results.md whole. Its prose stands here."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from bench.document import DOCS, filled, processor
from bench.report import percent
from bench.results import plots, report
from bench.results.imagined import imagine
from bench.results.plan import Plan
from bench.results.report import LIVE, POLLING, RECIPE_CONTACT, Results, duration, times
from bench.shop import quantile

_BUSY = 0.1
"""The share of both cores that others may take before the page warns of it: as docs/benchmarks.md does."""
_IMAGINED = 1200.0  # s: twenty minutes of orders, more than anyone would wait for
_TEAMS = (1, 2, 5, 10, 50)

_HEAD = """\
# The recipe's results, again

Written by `make results`; to change a word, change it in `bench/results/`. `make results MINUTES=5` takes longer and
has more orders, `.venv/bin/python -m bench.results --help` shows what else can be chosen.

{intro}

{verdict}

"""

_INTRO = """\
The recipe that Ordercast grew from (Node.js, 2016) said of its users: updates in under 200 ms instead of 0 to 30 s,
no polling load, and a customer's first contact with a person after 38 s instead of 4.2 minutes. Here {operators}
simulated operators work off the same {orders} orders twice, in real time, on an `ordercast serve` with SQLite on disk:
once with a screen that loads the list of open orders every {interval:g} s, once with a Socket.IO client each. Orders
come at random, {rate:g} a minute on average, and move on in the kitchen meanwhile."""

_METHOD = """\
## How it was measured

- **A change reaches a screen**: from its commit (the time in the server's log, cut to milliseconds) until the client
  has it, for every change and every operator; where a poll brings a newer version of the order, that counts. All run
  on one machine, with one clock. What a browser needs to draw is in neither.
- **First act**, **first contact**: from the order's creation until an operator takes it, and until the contact that
  sets its `firstContactAt`, both from the server's log after the run, not from the simulation. Each order must have
  been contacted exactly once and every screen must have shown everything, else the run has failed and nothing is
  printed.
- **Requests**: the server's own count (`ordercast_requests_total` in `/metrics`), over the time in which orders came.
  Creating, moving, taking orders and noting the contact is the same in both runs. A live screen costs one handshake
  when it connects, and is told {pushed:,} times in all of what happened.
- **CPU**: the server's process with all its threads, over the same time.

"""

_MODEL = """\
## The people

{model}

{compare}

"""

_COMPARE = """\
The moments' numbers are chosen to be plain, not to flatter: a live screen could ring, and gets no credit for it. The
recipe does not say how it measured, or how busy and how attentive its people were; its 4.2 minutes are more than a
poll every 30 s costs by itself. {quick}So **compare the two screens**: what changes for the same people when only the
screen does. The recipe's two numbers are {theirs} apart, ours {ours}."""

_QUICK = """\
Ours are quicker: even with polling half of the customers are contacted within {polling}, before the recipe's 38 s.
"""

_SHARING = """\
## When more people share an order

Where several people look after the same orders, somebody's screen is loaded sooner; but a screen that is old shows
orders that a colleague has long taken, and going for those costs people time. A live screen shows it at once. Until
the first contact, over {minutes:g} minutes of such orders, by an imagined clock and on a server that takes no time
(`bench/results/imagined.py`): the model's numbers, not measured ones.

"""

_POOL = """\
In one pool of 50 in which all begin with the oldest order, polling is at its worst: most go for an order that is
taken by the time they have noticed it, and the queue grows for as long as orders come.
"""


def write(results: Results, folder: Path = DOCS) -> Path:
    """Writes the page and its plots and returns where."""
    plan = results.plan
    pushed = results.modes[LIVE].events * plan.operators
    intro = _INTRO.format(operators=plan.operators, orders=plan.orders, interval=plan.interval, rate=plan.rate)
    parts = [
        _HEAD.format(intro=filled(intro), verdict=filled(report.verdict(results))),
        markdown(report.HEADS, report.rows(results), "llrrrrr"),
    ]
    parts += [f"![{words}]({path.relative_to(folder)})\n\n" for words, path in plots.write(results, folder / "images")]
    parts += [_METHOD.format(pushed=pushed), filled(_circumstances(results)), "\n\n"]
    parts += [_MODEL.format(model=filled(report.model(plan)), compare=filled(_compare(results)))]
    parts += [_SHARING.format(minutes=_IMAGINED / 60), sharing(plan), _POOL]
    path = folder / "results.md"
    path.write_text("".join(parts).rstrip() + "\n")
    return path


def _compare(results: Results) -> str:
    polling, live = (quantile(results.modes[mode].contacts, 0.5) for mode in (POLLING, LIVE))
    before, after = RECIPE_CONTACT
    quick = _QUICK.format(polling=duration(polling)) if polling < after else ""
    return _COMPARE.format(quick=quick, theirs=times(before / after), ours=times(polling / live))


def _circumstances(results: Results) -> str:
    plan, others = results.plan, results.others
    share = f"{percent(others[POLLING])} % and {percent(others[LIVE])} %"
    busy = max(others.values()) > _BUSY
    return (
        f"On {processor()}, Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}, "
        f"Ordercast {version('ordercast')}, uvicorn {version('uvicorn')}, uvloop {version('uvloop')}; seed "
        f"{plan.seed}. Server and screens share the machine. Other programs took {share} of two cores in the two runs"
        + (", so that alone the server would be faster than this." if busy else ".")
    )


def sharing(plan: Plan) -> str:
    """The table of teams, imagined."""
    lines = []
    for team in (team for team in _TEAMS if plan.operators % team == 0):
        longer = replace(plan, team=team, seconds=_IMAGINED)
        runs = [imagine(longer, live) for live in (False, True)]
        contacts = [duration(quantile(run.contacts, share)) for run in runs for share in (0.5, 0.9)]
        late = [f"{run.conflicts / longer.orders:.1f}" for run in runs]
        lines.append((str(team), *contacts[:2], *contacts[2:], *late))
    heads = (
        "people per order",
        "polling: median",
        "p90",
        "live: median",
        "p90",
        "polling: claims too late per order",
        "live",
    )
    return markdown(heads, lines, "rrrrrrr")


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], sides: str) -> str:
    """A table. ``sides``: ``l`` or ``r`` for each column."""
    rule = ["---" if side == "l" else "---:" for side in sides]
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, rule, *rows)) + "\n"
