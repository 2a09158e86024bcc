"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from bench.contenders import Contender
from bench.scenario import Column, Goal, Outcomes, Scenario
from bench.soak import Soak


def figure(value: float | None, column: Column) -> str:
    """A median as text."""
    return "–" if value is None else f"{value:,.{column.digits}f}"


def percent(share: float | None) -> str:
    """A share as text."""
    return "–" if share is None else f"{100 * share:.0f}"


def scenario_table(scenario: Scenario, outcomes: Outcomes) -> Table:
    """Medians of one scenario, with the ratio to ours."""
    table = Table(title=scenario.title, title_justify="left")
    table.add_column("server")
    for column in scenario.columns:
        table.add_column(column.name, justify="right")
    table.add_column("others' CPU %", justify="right")
    table.add_column("failed", justify="right")
    for contender, failures in outcomes.failures.items():
        cells = []
        for column in scenario.columns:
            value, ours = outcomes.median(contender, column.name), outcomes.median(scenario.ours, column.name)
            ratio = "" if contender is scenario.ours or not ours or value is None else f" ({value / ours:.2g}×)"
            cells.append(figure(value, column) + ratio)
        total = len(failures) + len(outcomes.figures[contender])
        table.add_row(
            contender.name,
            *cells,
            percent(outcomes.disturbance(contender)),
            f"{len(failures)} of {total}" if failures else "",
        )
    return table


def goal_cells(goal: Goal, ours: Contender, outcomes: Outcomes) -> tuple[str, str, str, str]:
    """What was wanted, what is, and whether that is enough."""
    sign = "≥" if goal.at_least else "≤"
    times = f" × {goal.of.name}" if goal.of else ""
    wanted = f"{sign} {goal.limit:g}{times}"
    stretch = "–" if goal.stretch is None else f"{sign} {goal.stretch:g}{times}"
    value = outcomes.median(ours, goal.column)
    other = outcomes.median(goal.of, goal.column) if goal.of else 1.0
    if value is None or not other:
        return wanted, stretch, "–", "not measured"
    ratio = value / other
    digits = 1 if ratio >= 10 else 2
    is_text = f"{ratio:.{digits}f}{' ×' if goal.of else ''}"
    if goal.stretch is not None and goal.reached(ratio, goal.stretch):
        return wanted, stretch, is_text, "stretch"
    return wanted, stretch, is_text, "yes" if goal.reached(ratio, goal.limit) else "no"


def goals_table(results: Mapping[Scenario, Outcomes]) -> Table:
    """All goals."""
    table = Table(title="Ordercast, medians", title_justify="left")
    table.add_column("work")
    for name in ("at least", "stretch", "is", "reached"):
        table.add_column(name, justify="right")
    for scenario, outcomes in results.items():
        for goal in scenario.goals:
            table.add_row(goal.work, *goal_cells(goal, scenario.ours, outcomes))
    return table


def soak_table(soak: Soak) -> Table:
    """What a soak showed."""
    table = Table(title=f"{soak.readers:,} clients that read, {soak.slow:,} that do not", title_justify="left")
    table.add_column("what")
    table.add_column("is", justify="right")
    table.add_row("changes, each delivered to every reader", f"{soak.changes:,}")
    for name, share in (("half", 0.5), ("99 %", 0.99), ("99.9 %", 0.999)):
        table.add_row(f"{name} of the deliveries within", f"{1000 * soak.lateness.quantile(share):.1f} ms")
    table.add_row("the latest", f"{1000 * soak.lateness.worst:.1f} ms")
    first, last = soak.memory[0][1], soak.memory[-1][1]
    highest = max(memory for _, memory in soak.memory)
    table.add_row("memory, first / highest / last", f"{first / 1e6:.1f} / {highest / 1e6:.1f} / {last / 1e6:.1f} MB")
    table.add_row("its slope over the second half", f"{soak.slope() / 1000:+.1f} kB a minute")
    table.add_row("the server's CPU, the load's", f"{100 * soak.server_share:.0f} %, {100 * soak.load_share:.0f} %")
    ended = {reason: (seconds, number) for seconds, reason, number in soak.cut}
    for reason, (seconds, number) in ended.items():
        first_cut = min(at for at, why, _ in soak.cut if why == reason)
        table.add_row(f"ended with {reason}", f"{number:,}, {first_cut:.0f} to {seconds:.0f} s after the start")
    left = soak.slow - sum(number for _, number in ended.values())
    table.add_row("not reading and still connected", f"{left:,}")
    return table
