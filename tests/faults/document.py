"""Writes docs/reliability.md whole, from what was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.health import NO_ANSWER
from tests.faults.run import AFTER, QUIET, SWAYING, Result, Struck
from tests.faults.table import TABLE
from tests.harness import ROOT

PAGE = ROOT / "docs" / "reliability.md"

_HEAD = """\
# What happens when something breaks

Written by `python -m tests.faults`; to change a word, change it in `tests/faults/`. Three nodes of `ordercast
serve` behind nginx ([deploy/nginx](../deploy/nginx/ordercast.conf)), on one PostgreSQL and one Redis, with
{clients} clients and {rate:g} changes a second, go through each of these faults {runs} times, with other dice each
time. {summary}

"""

_HOW = """\
## What the columns say

- **changes**: acknowledged by REST to the shop's backend. Each must be in the log, exactly as it was acknowledged.
- **connections**, **events**: what the clients opened and heard.
- **wrong**: what the checker found: a change that was acknowledged and lost, an event that somebody missed, heard
  twice in one connection, heard out of order or was not meant to see, an end that differs from the log.
- **all back**: from the end of the fault until every client was connected and had all that had been committed by
  then; **next event**: from the end until somebody heard of a change made after it; **longest wait**: from a
  change's acknowledgement until a client heard of it, during the fault and the 10 s after, with clients that were
  away in between. Times in seconds, the longest of all runs.
- **no change for**: the longest time in which no change was acknowledged.
- **/health/ready**: what nodes said there besides `ready`, with the slowest node's time from the beginning of the
  fault. `not ready` is 503: the node's clients get no news, or it is shutting down. `degraded` is 200: orders reach
  everyone, but what a shop emits itself stays on its node; so says a node that has just started, too, until Redis has
  answered it. A node that is dead gives no answer.

## How it was measured

The clients are the official `socket.io-client` 1.4, 1.7, 2.5, 3.1 and 4.8, each over polling, WebSocket, and the
upgrade from one to the other: customers, operators, and staff that watch single orders. Every TCP connection of
theirs is cut after {cut[0]:g} to {cut[1]:g} s, so that people come and go during each fault. Each keeps a history
of all it hears; at the end every history is checked beside the log and what was acknowledged (`tests/checker.py`;
`tests/integration/test_checker_works.py` shows that it finds what it is there for). Heartbeats come every 4 s
instead of 25, so that a client whose upgrade was cut notices within a run. {quiet:g} s are quiet before each fault;
changes go on for {after:g} s and more after it.

A node is killed at an exact point by a hook from outside (`tests/faults/dying.py`), which sends SIGKILL to its own
process the n-th time that it comes by. Clocks are moved by libfaketime while the node runs; the tokens are two
hours old, since a node whose clock is an hour behind refuses newer ones (`Invalid token`): keep clocks in step.
Redis and PostgreSQL fall silent by a proxy that takes everything and passes nothing on; Redis's messages are
doubled and delayed by one that reads them (`tests/faults/bus.py`), while the shop sends events of its own to
customers over Redis. Clients that never read are connected straight to the nodes, with 16 kB of buffer; half of
them answer heartbeats all the same.

On {machine}: {clients} clients, {rate:g} changes/s, seeds {seeds}. Clients, nginx, databases and nodes share it, so
times would be shorter on machines of their own. `tests/integration/test_faults.py` runs all of them in little on
every change.
"""


def write(results: Mapping[str, Sequence[Result]], rate: float, page: Path = PAGE) -> None:
    """The page, of all runs of each fault, by its key."""
    every = [one for runs in results.values() for one in runs]
    lines = [
        "| fault | changes | connections | events | wrong | all back | next event | longest wait | no change for "
        "| /health/ready |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: | --- |",
    ]
    lines += [_line(row.words, results[row.key]) for row in TABLE if row.key in results]
    head = _HEAD.format(
        clients=every[0].clients, rate=rate, runs=len(next(iter(results.values()))), summary=_all(every)
    )
    how = _HOW.format(
        cut=SWAYING.cut,
        quiet=QUIET,
        after=AFTER,
        machine=_machine(),
        clients=every[0].clients,
        rate=rate,
        seeds=", ".join(str(seed) for seed in sorted({one.seed for one in every})),
    )
    page.write_text(head + "\n".join(lines) + "\n\n" + how)


def _machine() -> str:
    cores = f"{os.cpu_count()} cores of {platform.machine()}"
    return f"{cores}, Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}"


def _all(every: Sequence[Result]) -> str:
    changes, heard = sum(one.changes for one in every), sum(one.events for one in every)
    wrong = sum(len(one.violations) for one in every)
    slowest = max(struck.everyone for one in every for struck in one.struck)
    return (
        f"Of {changes:,} acknowledged changes and {heard:,} events heard, {wrong or 'none'} "
        f"{'was' if wrong == 1 else 'were'} lost, out of order, or seen by anyone they are not for; "
        f"everyone had everything again within {slowest:.1f} s."
    )


def _line(words: str, runs: Sequence[Result]) -> str:
    struck = [one for run in runs for one in run.struck]
    cells = [
        words,
        f"{sum(run.changes for run in runs):,}",
        f"{sum(run.connections for run in runs):,}",
        f"{sum(run.events for run in runs):,}",
        f"{sum(len(run.violations) for run in runs)}",
        f"{max(one.everyone for one in struck):.1f}",
        f"{max(one.fresh for one in struck):.1f}",
        f"{max(one.waited for one in struck):.1f}",
        f"{max(run.pause for run in runs):.1f}",
        health(struck),
    ]
    return f"| {' | '.join(cells)} |"


def health(struck: Sequence[Struck]) -> str:
    """What was said at /health/ready, in a few words."""
    words: dict[str, tuple[float, int]] = {}
    for one in struck:
        for word, (after, nodes) in one.said.items():
            known = words.get(word, (0.0, 0))
            words[word] = (max(known[0], after), max(known[1], nodes))
    if not words:
        return "`ready` throughout"
    told = []
    for word, (after, nodes) in words.items():
        which = {1: "one node", 2: "two nodes", 3: "all nodes"}[nodes]
        named = word if word == NO_ANSWER else f"`{word}`"
        told.append(f"{named} of {which}" if word == NO_ANSWER else f"{named} on {which} after {after:.1f} s")
    return f"{', '.join(told)}; all `ready` {max(one.ready for one in struck):.1f} s after the end"
