"""One run: a site, a crowd, changes, and faults one after another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ordercast.config import Settings
from ordercast.storage.database import migrate
from tests.faults.health import during, have_said, watched
from tests.faults.measure import longest_pause, read_history, recoveries
from tests.faults.table import Row, Scene
from tests.histories import Log
from tests.postgres import PostgresServer
from tests.proxy import Faults
from tests.sites import ManyServers
from tests.survive import PING, Plan, Strike, survive

SWAYING = Faults(cut=(4.0, 20.0))
"""Every TCP connection lives for 4 to 20 s, so that people come and go during each fault."""

QUIET = 3.0  # s before a fault, and between two
AFTER = 5.0  # s of changes after the last: whatever comes to everyone then came within
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Struck:
    """What one fault did. Times in s; ``said``: words other than "ready" at /health/ready, each with the slowest node's
    time from the beginning, and how many nodes said it; ``ready``: from the end until all were ready."""

    name: str
    lasted: float
    everyone: float
    fresh: float
    waited: float
    said: dict[str, tuple[float, int]]
    ready: float


@dataclass(slots=True)
class Result:
    """What came of a run."""

    seed: int
    clients: int
    changes: int
    connections: int
    events: int
    notes: int
    pause: float
    violations: list[str]
    struck: list[Struck]

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)

    @staticmethod
    def of_json(said: dict[str, Any]) -> Result:
        """From a file."""
        return Result(**{**said, "struck": [Struck(**one) for one in said["struck"]]})


@asynccontextmanager
async def database(postgres: PostgresServer) -> AsyncIterator[str]:
    """The URL of one at the current schema, for one run alone."""
    name = await postgres.create()
    with ThreadPoolExecutor(1) as thread:  # which has no event loop
        await asyncio.wrap_future(thread.submit(migrate, Settings(database_url=postgres.url(name))))
    try:
        yield postgres.url(name)
    finally:
        await postgres.drop(name)


async def run(
    folder: Path,
    postgres: PostgresServer,
    rows: Sequence[Row],
    seed: int,
    clients: int,
    rate: float,
    url: str,
    *,
    quiet: float = QUIET,
    after: float = AFTER,
    until: Mapping[str, str] = NOTHING,
    **settings: str,
) -> Result:
    """Runs faults one after another, each ``row.times`` times. ``until``: by a row's key, what all nodes must have said
    before the fault ends. ``settings``: of the nodes."""
    site = ManyServers(folder, url, ping=PING)
    scene = Scene(site, postgres, random.Random(seed), max(clients * 2 // 3, 1), seed)
    faults = [(row, row.make(scene)) for row in rows]
    for node in site.nodes:
        node.settings |= settings
    plan = Plan(clients, 0, rate, seed=seed, faults=SWAYING, blackholes=False, after=after)
    async with watched(site) as said:
        strikes = []
        for row, fault in faults:
            enough = partial(have_said, said, until.get(row.key, ""), len(site.nodes))
            strikes += [Strike(fault, quiet, row.lasts, enough)] * row.times
        outcome = await survive(folder, plan, site, strikes)
    acknowledged, records = read_history(folder)
    struck = []
    found = recoveries(Log(outcome.log), acknowledged, records, outcome.moments)
    for moment, recovery in zip(outcome.moments, found, strict=True):
        words, ready = during(said, moment)
        lasted = moment.ended - moment.began
        spoken = {one.word: (one.after, one.nodes) for one in words}
        struck.append(Struck(moment.name, lasted, recovery.everyone, recovery.fresh, recovery.waited, spoken, ready))
    notes = sum(record["what"] == "note" for record in records)
    findings = outcome.findings
    return Result(
        seed,
        clients,
        outcome.changes,
        findings.connections,
        findings.heard,
        notes,
        longest_pause(acknowledged, outcome.moments),
        findings.violations,
        struck,
    )
