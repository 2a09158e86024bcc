"""``make bench``: prints a table of medians and ratios. ``python -m bench --help`` for parts of it."""

from __future__ import annotations

import gc
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import contenders, document, memory, report, scenarios, soak
from bench.company import alone
from bench.loop import Failed, raise_file_limit
from bench.scenario import Outcomes, Round, Scenario

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(highlight=False, width=130)

COMPARABLE = 3
"""Rounds from which on results are kept for the page."""

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


def _prepare() -> None:
    """The load on its own core, with files enough, and without pauses to collect what is not there."""
    _, core = contenders.cores()
    os.sched_setaffinity(0, {core})
    raise_file_limit()
    gc.disable()


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, in each of which all take their turn")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="Only this scenario; may be given again")] = None,
    quick: Annotated[bool, typer.Option(help="Smaller numbers, one round: for a look")] = False,
) -> None:
    """Every benchmark."""
    if context.invoked_subcommand is not None:
        return
    known = {scenario.name: scenario for scenario in scenarios.ALL}
    if unknown := set(only or ()) - known.keys():
        raise typer.BadParameter(f"there is no {unknown.pop()!r}; there are {', '.join(known)}", param_hint="--only")
    _prepare()
    for contender in contenders.ALL:
        if contender.missing is not None:
            console.print(f"{contender.name} does not take part: {contender.missing}")
    chosen = [known[name] for name in only] if only else [*scenarios.ALL]
    results = {}
    for scenario in chosen:
        results[scenario] = _run(scenario, 1 if quick else rounds, quick)
        if not quick and rounds >= COMPARABLE:
            memory.keep({scenario: results[scenario]})
    console.print(report.goals_table(results))
    if not only and not quick:
        write()


@app.command()
def write() -> None:
    """Write docs/benchmarks.md anew from the last results of each scenario, without measuring."""
    try:
        results = memory.recall()
    except FileNotFoundError:
        raise typer.BadParameter("nothing was measured yet") from None
    console.print(f"Written to {document.write(results)}")


@app.command("soak")
def soak_command(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long")] = 10,
    clients: Annotated[int, typer.Option(min=20, help="Operators online; one in ten never reads")] = 2_000,
    rate: Annotated[float, typer.Option(min=1, help="Changes a second")] = 50,
) -> None:
    """Changes keep coming while some of the clients never read: who is late, what grows, how the slow ones end."""
    _prepare()
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        bar = progress.add_task("soak", total=round(minutes * 60))

        def told(seconds: float, so_far: soak.Soak) -> None:
            progress.update(bar, completed=round(seconds), description=f"soak: {so_far.memory[-1][1] / 1e6:.1f} MB")

        try:
            with alone([]):
                result = soak.run(minutes, clients, rate, told)
        except Failed as failure:
            console.print(f"The soak failed: {failure}")
            raise typer.Exit(1) from None
    console.print(report.soak_table(result))


def _run(scenario: Scenario, rounds: int, quick: bool) -> Outcomes:
    taking_part = [contender for contender in scenario.contenders if contender.missing is None]
    outcomes = Outcomes(taking_part)
    with Progress(*_COLUMNS, console=console, transient=True) as progress:
        bar = progress.add_task(scenario.name, total=rounds * len(taking_part))
        for number in range(rounds):
            for contender in taking_part:
                progress.update(bar, description=f"{scenario.name}: {contender.name}")
                try:
                    with alone(outcomes.others[contender]):
                        outcomes.figures[contender].append(scenario.measure(Round(contender, quick, outcomes)))
                except Failed as failure:
                    outcomes.failures[contender].append(failure)
                    console.print(f"{scenario.name}, {contender.name}, round {number + 1} failed: {failure}")
                gc.collect()
                progress.advance(bar)
    console.print(report.scenario_table(scenario, outcomes))
    return outcomes


if __name__ == "__main__":
    app()
