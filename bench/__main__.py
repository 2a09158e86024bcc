"""``make bench``: prints a table of medians and ratios. ``python -m bench --help`` for parts of it."""

from __future__ import annotations

import asyncio
import os
import statistics
from collections.abc import Sequence
from typing import Annotated

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import contenders, latency
from bench.contenders import Contender

app = typer.Typer(add_completion=False, help=__doc__)
console = Console(highlight=False, width=110)


@app.callback(invoke_without_command=True)
def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds per contender, taken in turn")] = 3,
    rate: Annotated[float, typer.Option(min=1, help="Changes a second")] = 100,
) -> None:
    """Every benchmark."""
    _, core = contenders.cores()
    os.sched_setaffinity(0, {core})
    taking_part = [contender for contender in contenders.ALL if contender.missing is None]
    for contender in contenders.ALL:
        if contender.missing is not None:
            console.print(f"{contender.name} does not take part: install {contender.missing}")
    results: dict[Contender, list[latency.Latency]] = {contender: [] for contender in taking_part}
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("Latency", total=rounds * len(taking_part))
        for _ in range(rounds):
            for contender in taking_part:
                progress.update(bar, description=f"Latency: {contender.name}")
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    results[contender].append(runner.run(latency.measure(contender, rate)))
                progress.advance(bar)
    console.print(_latency_table(results, rate, rounds))


def _latency_table(results: dict[Contender, list[latency.Latency]], rate: float, rounds: int) -> Table:
    table = Table(
        title=f"PATCH sent → event received: {latency.OPERATORS} operators, {latency.CUSTOMERS} customers, "
        f"{latency.CHANGES} changes at {rate:g}/s, medians of {rounds} rounds",
    )
    table.add_column("server")
    for name in ("p50 ms", "p99 ms", "worst ms", "CPU ms per change", "missing"):
        table.add_column(name, justify="right")
    ours = results[contenders.ORDERCAST]
    for contender, rounds_of in results.items():
        cells = [contender.name]
        for name in ("p50", "p99", "worst", "cpu_per_change"):
            value, own = _median(rounds_of, name), _median(ours, name)
            ratio = "" if contender is contenders.ORDERCAST or not own else f" ({value / own:.1f}×)"
            cells.append(f"{value:.2f}{ratio}")
        cells.append(str(sum(result.missing for result in rounds_of)))
        table.add_row(*cells)
    return table


def _median(rounds: Sequence[latency.Latency], name: str) -> float:
    return float(statistics.median(getattr(result, name) for result in rounds))


if __name__ == "__main__":
    app()
