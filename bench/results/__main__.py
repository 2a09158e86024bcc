"""``make results``: prints the table, plots it and writes docs/results.md. ``python -m bench.results --help``."""

from __future__ import annotations

import gc
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.company import alone
from bench.loop import Failed, raise_file_limit
from bench.results import document, memory, report
from bench.results.plan import Plan
from bench.results.report import LIVE, POLLING, Results
from bench.results.run import Measured, measure

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(highlight=False, width=130)

_TAIL = 45.0
"""s after the last order until the last customer is contacted and the last screen has it, for the bar alone."""


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    minutes: Annotated[float, typer.Option(min=0.05, help="How long orders come, in each of the two runs")] = 1.25,
    operators: Annotated[int, typer.Option(min=1, help="People at their screens")] = 50,
    team: Annotated[int, typer.Option(min=1, help="How many of them look after the same orders")] = 1,
    rate: Annotated[float, typer.Option(min=1, help="Orders a minute")] = 60,
    interval: Annotated[float, typer.Option(min=0.5, help="How often a polling screen asks, in seconds")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed: the same orders and the same people")] = 2016,
    page: Annotated[bool, typer.Option(help="Write docs/results.md and its plots")] = True,
) -> None:
    """The same people with polling and with live screens."""
    if context.invoked_subcommand is not None:
        return
    try:
        plan = Plan(60 * minutes, operators, team, rate, interval, seed)
        raise_file_limit()
        gc.disable()
        results = _both(plan)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except Failed as failure:
        console.print(f"The run failed: {failure}")
        raise typer.Exit(1) from None
    console.print(report.table(results))
    console.print(report.verdict(results))
    if page:
        memory.keep(results)
        write()


@app.command()
def write() -> None:
    """Write docs/results.md anew from the last results, without measuring."""
    try:
        results = memory.recall()
    except FileNotFoundError:
        raise typer.BadParameter("nothing was measured yet: run 'make results'") from None
    console.print(f"Written to {document.write(results)}")


def _both(plan: Plan) -> Results:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    modes: dict[str, Measured] = {}
    others: dict[str, float] = {}
    # Drawn seldom: it takes time from the screens, which are in this process.
    with Progress(*columns, console=console, transient=True, refresh_per_second=2) as progress:
        for mode in (POLLING, LIVE):
            bar = progress.add_task(mode, total=plan.seconds + _TAIL)

            def tell(seconds: float, contacted: int, mode: str = mode, bar: object = bar) -> None:
                words = f"{mode}: {contacted} of {plan.orders} customers contacted"
                progress.update(bar, completed=seconds, description=words)  # type: ignore[arg-type]

            shares: list[float] = []
            with alone(shares):
                modes[mode] = measure(plan, mode == LIVE, tell)
            others[mode] = shares[0]
            gc.collect()
    return Results(plan, modes, others)


if __name__ == "__main__":
    app()
