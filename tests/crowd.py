"""Thousands of clients of every era behind nginx, in plain round-robin over several nodes, while orders change: whether
each got everything in order, and how soon. By hand: ``python -m tests.crowd --clients 2000 --minutes 5 --rate 100``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.faults.measure import read_history
from tests.faults.run import database
from tests.histories import Findings, Record
from tests.postgres import PostgresServer
from tests.shop import Shop
from tests.sites import ManyServers
from tests.survive import ACKNOWLEDGED, Plan, checked, crowd, pages

ERAS = ("1.4.8", "1.7.4", "2.5.0", "3.1.3", *("4.8.4",) * 6)
"""Three of ten speak Engine.IO 3."""

TRANSPORTS = ("polling", "websocket", "websocket", "upgrade", "upgrade")
"""One of five polls all the time."""

STAFF = 101
"""Of so many clients one is an operator, who hears of all: 20 of 2,000. The 50 kinds take turns at it."""

_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Node:
    """What one node used. ``cpu``: of one core, while orders changed; ``memory``: in bytes, at the end."""

    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. ``waits``: s from each request for a change to each arrival of its event, ascending."""

    findings: Findings
    changes: int
    waits: Sequence[float]
    nodes: Sequence[Node]

    def __str__(self) -> str:
        found, waits = self.findings, self.waits
        figures = ", ".join(f"{name} {_at(waits, share) * 1e3:.0f} ms" for name, share in _SHARES)
        nodes = "; ".join(f"{node.cpu:.0%} CPU, {node.memory / 1e6:.0f} MB" for node in self.nodes)
        return (
            f"{self.changes} changes acknowledged, {found.connections} connections, {found.heard} events heard: "
            f"{len(found.violations)} violations\nfrom PATCH to event: {figures} ({len(waits)} deliveries)\n"
            f"each node: {nodes}"
        )


_SHARES = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))


async def run(folder: Path, plan: Plan, site: ManyServers, progress: Progress | None = None) -> Outcome:
    """Has the plan's clients come, changes orders for its seconds, and checks what everyone went through."""
    shop = Shop(site, max(plan.clients * 2 // 3, 1), plan.rate, plan.seed, folder / ACKNOWLEDGED)
    try:
        await site.start()
        barrier = await shop.open()
        opened = shop.changes
        everyone = crowd(plan, shop, barrier)
        async with pages(folder, f"http://127.0.0.1:{site.port}", everyone) as finish:
            pids = [node.pid for node in site.nodes]
            before = [_cpu(pid) for pid in pids]
            over = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(shop.work(over))
                await _wait(plan.seconds, progress)
                over.set()
            nodes = [
                Node((_cpu(pid) - then) / plan.seconds, _memory(pid)) for pid, then in zip(pids, before, strict=True)
            ]
            await finish()
        log = await site.log()
    finally:
        shop.close()
        await site.stop()
    acknowledged, heard = read_history(folder)
    return Outcome(checked(folder, log), shop.changes - opened, _waits(acknowledged[opened:], heard), nodes)


async def _wait(seconds: float, progress: Progress | None) -> None:
    task = None if progress is None else progress.add_task("changing orders", total=seconds)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        await asyncio.sleep(min(left, 1))
        if progress is not None and task is not None:
            progress.update(task, completed=seconds - max(end - loop.time(), 0))


def _waits(acknowledged: Iterable[Record], heard: Iterable[Record]) -> list[float]:
    asked = {(str(one["orderId"]), one["version"]): one["asked"] for one in acknowledged}
    found = []
    for record in heard:
        if record["what"] == "event":
            at = asked.get((str(record["orderId"]), record["version"]))
            if at is not None:
                found.append((record["at"] - at) / 1e3)
    return sorted(found)


def _at(ascending: Sequence[float], share: float) -> float:
    return ascending[min(round(share * len(ascending)), len(ascending) - 1)] if ascending else float("nan")


def _cpu(pid: int) -> float:
    """s of CPU that a process has had. proc(5)"""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    """Bytes that a process has in memory. proc(5)"""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def plan_of(clients: int, seconds: float, rate: float, seed: int = 1) -> Plan:
    """Of this crowd: its eras and transports, on a network that is well."""
    return Plan(clients, seconds, rate, seed=seed, eras=ERAS, transports=TRANSPORTS, staff=STAFF)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where the checker found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description=__doc__)
    parser.add_argument("--clients", type=int, default=2_000)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rate", type=float, default=100, help="changes per second")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    plan = plan_of(given.clients, given.minutes * 60, given.rate, given.seed)

    async def whole(folder: Path, postgres: PostgresServer, progress: Progress) -> Outcome:
        async with database(postgres) as url:
            return await run(folder, plan, ManyServers(folder, url, given.nodes), progress)

    with tempfile.TemporaryDirectory() as folder, PostgresServer() as postgres:
        with Progress(console=_console, transient=True) as progress:
            outcome = asyncio.run(whole(Path(folder), postgres, progress))
        _console.print(
            f"{plan.clients} clients, {plan.rate:g} changes/s, {plan.seconds:g} s, {given.nodes} nodes: {outcome}"
        )
        for violation in outcome.findings.violations[:50]:
            print(violation)
    return bool(outcome.findings.violations)


if __name__ == "__main__":
    sys.exit(main())
