"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from bench.contenders import ORDERCAST
from bench.scenario import Column, Goal, Outcomes, Scenario


def figure(value: float | None, column: Column) -> str:
    """A median as text."""
    return "–" if value is None else f"{value:,.{column.digits}f}"


def scenario_table(scenario: Scenario, outcomes: Outcomes) -> Table:
    """Medians of one scenario, with the ratio to ours."""
    table = Table(title=scenario.title, title_justify="left")
    table.add_column("server")
    for column in scenario.columns:
        table.add_column(column.name, justify="right")
    table.add_column("failed", justify="right")
    for contender, failures in outcomes.failures.items():
        cells = []
        for column in scenario.columns:
            value, ours = outcomes.median(contender, column.name), outcomes.median(ORDERCAST, column.name)
            ratio = "" if contender is ORDERCAST or not ours or value is None else f" ({value / ours:.2g}×)"
            cells.append(figure(value, column) + ratio)
        total = len(failures) + len(outcomes.figures[contender])
        table.add_row(contender.name, *cells, f"{len(failures)} of {total}" if failures else "")
    return table


def goal_cells(goal: Goal, outcomes: Outcomes) -> tuple[str, str, str, str]:
    """What was wanted, what is, and whether that is enough."""
    sign = "≥" if goal.at_least else "≤"
    times = f" × {goal.of.name}" if goal.of else ""
    wanted = f"{sign} {goal.limit:g}{times}"
    stretch = "–" if goal.stretch is None else f"{sign} {goal.stretch:g}{times}"
    value = outcomes.median(ORDERCAST, goal.column)
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
            table.add_row(goal.work, *goal_cells(goal, outcomes))
    return table
