"""``python -m tests.faults``: every fault with every seed, and the page of what came of it.

``--only redis-silent clocks`` runs some of them, and writes no page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.faults import document
from tests.faults.run import Result, database, run
from tests.faults.table import TABLE, Row
from tests.postgres import PostgresServer

DONE = "result.json"
WITHIN = 10.0  # s after a fault in which everyone must have everything again

_console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where something was wrong, or took too long."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    keys = [row.key for row in TABLE]
    parser.add_argument("--only", nargs="+", choices=keys, metavar="FAULT", help=", ".join(keys))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--clients", type=int, default=75)
    parser.add_argument("--rate", type=float, default=40, help="changes per second")
    parser.add_argument("--keep", type=Path, help="a folder for what is kept; runs done there count")
    given = parser.parse_args(arguments)
    rows = [row for row in TABLE if given.only is None or row.key in given.only]
    results: dict[str, list[Result]] = {row.key: [] for row in rows}
    well = True
    with tempfile.TemporaryDirectory() as temporary, PostgresServer() as postgres:
        base = given.keep or Path(temporary)
        count = 0
        for row in rows:
            for seed in given.seeds:
                count += 1
                folder = base / f"{row.key}-{seed}"
                if (folder / DONE).exists():
                    results[row.key].append(Result.of_json(json.loads((folder / DONE).read_text())))
                    continue
                with _console.status(f"{count}/{len(rows) * len(given.seeds)} {row.key}, seed {seed} …"):
                    began = time.monotonic()
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.mkdir(parents=True)
                    result = asyncio.run(_run(folder, postgres, row, seed, given.clients, given.rate))
                (folder / DONE).write_text(json.dumps(result.as_json()))
                results[row.key].append(result)
                well &= _tell(row, result, time.monotonic() - began)
    if given.only is None:
        document.write(results, given.rate)
        _console.print(f"wrote {document.PAGE}")
    return not well


async def _run(folder: Path, postgres: PostgresServer, row: Row, seed: int, clients: int, rate: float) -> Result:
    async with database(postgres) as url:
        return await run(folder, postgres, [row], seed, clients, rate, url)


def _tell(row: Row, result: Result, took: float) -> bool:
    everyone = max(one.everyone for one in result.struck)
    fresh = max(one.fresh for one in result.struck)
    well = not result.violations and everyone <= WITHIN and fresh <= WITHIN
    _console.print(
        f"{'[green]ok[/]' if well else '[red]bad[/]'} {row.key}, seed {result.seed}: {result.changes} changes, "
        f"{result.connections} connections, {result.events} events, {result.notes} notes, "
        f"{len(result.violations)} wrong; "
        f"all back after {everyone:.2f} s, next event after {fresh:.2f} s, longest wait "
        f"{max(one.waited for one in result.struck):.2f} s, no change for {result.pause:.2f} s; "
        f"{document.health(result.struck)} ({took:.0f} s)",
        soft_wrap=True,
    )
    for violation in result.violations[:10]:
        _console.print(f"    {violation}", markup=False)
    return well


if __name__ == "__main__":
    sys.exit(main())
