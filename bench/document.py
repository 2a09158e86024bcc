"""Writes docs/benchmarks.md whole: what was measured, how, and where we lose. Its prose stands beside each scenario."""

from __future__ import annotations

import os
import platform
import textwrap
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from bench import contenders, plots
from bench.contenders import ALL
from bench.report import figure, goal_cells, percent
from bench.scenario import Outcomes, Scenario

DOCS = Path(__file__).parent.parent / "docs"

_INTRO = """\
Ordercast runs as `ordercast serve --log-level warning` runs it (none of the others logs either), with everything in
it: token checks, SQLite on disk, metrics, limits. The others do the same job as their documentation has it, with
orders in memory (`bench/peers/`). Each has one core and the load generator the other. They take turns, {rounds}
rounds of each, on {machine}. **Compare the columns, not the absolute times**: on a shared or virtual machine those
vary by half from one hour to the next, ratios much less. *Others' CPU* is the share of both cores that programs
other than the load and the server took meanwhile: where it is well above 10 %, or much higher for one server than
for another, a row is worth little."""

_HEAD = """\
# Benchmarks

Written by `make bench`; to change a word, change it in `bench/`. `python -m bench --only NAME` measures one of
them, `--quick` takes a first look, `python -m bench soak` leaves it running among clients that do not read.

{intro}

| server | what it is |
| --- | --- |
| Ordercast | this repository, Python {python}, uvloop {uvloop} |
| Node.js Socket.IO | `socket.io` 4.8 on `ws`, Express, `jsonwebtoken` |
| Bun Socket.IO | the same `socket.io` on `@socket.io/bun-engine` and Bun's own HTTP server |
| python-socketio | python-socketio {python_socketio} on FastAPI, uvicorn and uvloop |
| send loop | no server but a limit: frames built beforehand, one `send()` per client and event |

## What we want and what is

Medians of {rounds} rounds.

"""

_TRUST = """\
## Why the figures can be trusted

- **Nothing is lost unseen.** Every client is a TCP connection of its own with a token of its own, and every event
  that it gets is read and kept: order and version. At the end of a round each client must have had every event
  exactly once, in the order it was emitted. A round that lost an event or a connection counts as failed; it is
  shown as such and not averaged.
- **The load generator is not the limit.** It is one process on epoll without tasks or futures, and the same bytes
  are read only once for all clients. Wherever a rate is measured the tables have the *server's CPU* beside the
  *load's*, so that it can be seen who had no time left. The load can count three million deliveries a second where a
  server joins them (the row of Ordercast's burst). Where each comes in a system call of its own, as from the send loop
  and over long-polling, it is about as busy as who sends them: there the fastest servers may be held up by it, which
  makes their lead look smaller, and the CPU per delivery is the surer figure.
- **CPU** is the user and system time of the server's process with all its threads, from the kernel's own clock for
  it.

"""


def write(results: Mapping[Scenario, Outcomes], folder: Path = DOCS) -> Path:
    """Writes the page and its plots and returns where."""
    rounds = max(len(them) + len(o.failures[who]) for o in results.values() for who, them in o.figures.items())
    parts = [_head(rounds), _goals(results), _TRUST]
    for scenario, outcomes in results.items():
        parts.append(f"## {scenario.title}\n\n{filled(scenario.method)}\n\n")
        parts.append(_table(scenario, outcomes))
        parts += [
            f"![{scenario.title}: {name}]({path.relative_to(folder)})\n\n"
            for name, path in plots.write(scenario, outcomes, folder / "images")
        ]
        if scenario.verdict:
            parts.append(f"{filled(scenario.verdict)}\n\n")
    absent = [f"{contender.name} ({contender.missing})" for contender in ALL if contender.missing is not None]
    if absent:
        parts.append(f"Not taken part: {', '.join(absent)}.\n")
    path = folder / "benchmarks.md"
    path.write_text("".join(parts).rstrip() + "\n")
    return path


def filled(prose: str) -> str:
    """Paragraphs in lines of even length, whatever was put into them."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in prose.split("\n\n"))
    return "\n\n".join(textwrap.fill(paragraph, 118, break_on_hyphens=False) for paragraph in paragraphs)


def _head(rounds: int) -> str:
    intro = _INTRO.format(
        rounds=rounds,
        machine=f"{processor()}, Linux {platform.release().partition('-')[0]}",
    )
    return _HEAD.format(
        intro=filled(intro),
        rounds=rounds,
        python=platform.python_version(),
        uvloop=version("uvloop"),
        python_socketio=version("python-socketio"),
    )


def processor() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    return f"{len(contenders.cores())} of {os.cpu_count()} cores of an {model}"


def _goals(results: Mapping[Scenario, Outcomes]) -> str:
    lines = ["| work | at least | stretch | is | reached |", "| --- | --- | --- | --- | --- |"]
    for scenario, outcomes in results.items():
        for goal in scenario.goals:
            lines.append(f"| {goal.work} | {' | '.join(goal_cells(goal, scenario.ours, outcomes))} |")
    return "\n".join(lines) + "\n\n"


def _table(scenario: Scenario, outcomes: Outcomes) -> str:
    names = [column.name.strip() for column in scenario.columns]
    lines = [f"| server | {' | '.join(names)} | others' CPU % |", "| --- |" + " ---: |" * (len(names) + 1)]
    notes = []
    for contender, failures in outcomes.failures.items():
        cells = [figure(outcomes.median(contender, column.name), column) for column in scenario.columns]
        name = f"**{contender.name}**" if contender is scenario.ours else contender.name
        lines.append(f"| {name} | {' | '.join(cells)} | {percent(outcomes.disturbance(contender))} |")
        if failures:
            total = len(failures) + len(outcomes.figures[contender])
            notes.append(f"{contender.name} failed in {len(failures)} of {total} rounds: {failures[0]}.")
    return "\n".join(lines) + "\n\n" + "".join(f"{note}\n\n" for note in notes)
