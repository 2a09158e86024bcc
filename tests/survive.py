"""Clients of every era on a network that cuts them off again and again, under changes, while the server may be killed;
and what the checker says of it. By hand: ``python -m tests.survive --clients 500 --seconds 120 --kills 10``."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.checker import check
from tests.clients.eras import ERAS, TRANSPORTS
from tests.harness import CLIENTS, SERVE, Json, ServerProcess
from tests.histories import Entry, Findings, read
from tests.proxy import HEALTHY, Faults, Proxy
from tests.shop import Shop, old_token
from tests.sites import OneServer, Site

ROUGH = Faults(delay=(0.0, 0.02), cut=(1.0, 5.0), cut_upgrade=0.2, slow=50_000, slow_share=0.05)
"""Every connection lives for 1 to 5 s, and a fifth of the upgrades ends in the middle."""

PING = "4"  # s
"""A client whose upgrade was cut after the probe's answer stops polling, whatever its version, and only its own ping
timeout tells it (45 s by default)."""

BLACKHOLE = 0.5  # s, every now and then
CONNECT = FINISH = ENOUGH = 90.0  # s that only bound failures
HISTORY = "clients.jsonl"
ACKNOWLEDGED = "acknowledged.jsonl"


class Fault(Protocol):
    """Something that goes wrong at a site, as often as one likes."""

    name: str

    async def begin(self) -> None:
        """It has gone wrong when this returns."""

    async def end(self) -> None:
        """All that was taken away is there again when this returns."""


class Killed:
    """A power cut of one of the servers."""

    name = "killed"

    def __init__(self, site: Site, dice: random.Random) -> None:
        self._site = site
        self._dice = dice

    async def begin(self) -> None:
        """See `Fault`."""
        await self._site.kill(self._dice)

    async def end(self) -> None:
        """See `Fault`."""
        await self._site.revive()


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that lasts so many s, after a quiet time of so many s; longer, where ``enough`` does not hold by then,
    which is asked with the time (s since 1970) at which it began."""

    fault: Fault
    quiet: float
    lasts: float = 0.0
    enough: Callable[[float], bool] = lambda began: True


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fault was there, in s since 1970, and where the log stood when it had ended."""

    name: str
    began: float
    ended: float
    head: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How many, how long, how fast. ``rate``: changes per second; ``kills``: of the server, evenly spread; ``after``: s
    of changes after the last fault, however long that took; ``staff``: of so many clients one is an operator, and two
    watch orders."""

    clients: int
    seconds: float
    rate: float = 50.0
    kills: int = 0
    seed: int = 1
    faults: Faults = ROUGH
    eras: tuple[str, ...] = ERAS
    transports: tuple[str, ...] = TRANSPORTS
    blackholes: bool = True
    after: float = 0.0
    staff: int = 16


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    findings: Findings
    changes: int
    cuts: int
    upgrades_cut: int
    upset: int
    clients: int
    moments: tuple[Moment, ...]
    log: Sequence[Entry]

    @property
    def kills(self) -> int:
        """How often a server was killed."""
        return sum(moment.name == Killed.name for moment in self.moments)

    def __str__(self) -> str:
        found = self.findings
        return (
            f"{self.clients} clients, {self.changes} changes acknowledged, {self.cuts} cuts ({self.upgrades_cut} in "
            f"upgrades), {len(self.moments)} faults: {found.connections} connections ({found.recovered} recovered, "
            f"{found.caught_up} caught up, {found.resyncs} told to resync), {found.heard} events heard, "
            f"{found.repeats} again after a reconnect, {found.conflated} conflated, {found.cursors_back} cursors "
            f"behind newer ones, {self.upset} errors inside client libraries, "
            f"{len(found.violations)} violations"
        )


def crowd(plan: Plan, shop: Shop, barrier: Any) -> list[Json]:
    """Who comes: mostly customers, some of them twice or watching their own order too; operators; staff that watch."""
    dice = random.Random(plan.seed)
    kinds = [(era, transport) for era in plan.eras for transport in plan.transports]
    people: list[Json] = []
    for n in range(plan.clients):
        # 15 kinds, of which each takes its turn at it.
        role = {3: "operator", 7: "service", 11: "service"}.get(n % plan.staff, "customer")
        customer = dice.randrange(shop.customers)
        own = [order["orderId"] for order in shop.orders[customer]]
        everyone = [order["orderId"] for orders in shop.orders.values() for order in orders]
        user: Any = customer if role == "customer" else f"{role}-{n}"
        watches = dice.sample(everyone, min(3, len(everyone))) if role == "service" else []
        if role == "operator" or (role == "customer" and n % 4 == 0):
            watches = own[:1]
        era, transport = kinds[n % len(kinds)]
        me = {"client": f"{n}:{role}:{era}:{transport}", "user": user, "role": role, "watches": watches}
        barred = own[0] if role == "customer" else barrier
        people.append(me | {"era": era, "transport": transport, "token": old_token(user, role), "barrier": barred})
    return people


async def survive(
    folder: Path, plan: Plan, site: Site | None = None, strikes: Sequence[Strike] | None = None
) -> Outcome:
    """Runs the plan, on one server where nothing else is given, and checks what everyone went through.

    ``strikes``: what goes wrong, in this order; the plan's kills where nothing else is given.
    """
    site = site or one_server(folder)
    if strikes is None:
        strikes = kills(plan, site)
    shop = Shop(site, max(plan.clients * 2 // 3, 1), plan.rate, plan.seed, folder / ACKNOWLEDGED)
    try:
        await site.start()
        barrier = await shop.open()
        async with (
            Proxy(site.port, plan.faults, plan.seed) as proxy,
            pages(folder, proxy.url, crowd(plan, shop, barrier)) as finish,
        ):
            said, moments = await _run(plan, site, shop, proxy, strikes, finish)
        log = await site.log()
    finally:
        shop.close()
        await site.stop()
    findings = checked(folder, log)
    return Outcome(
        findings, shop.changes, proxy.cuts, proxy.upgrades_cut, said["upset"], plan.clients, tuple(moments), log
    )


def checked(folder: Path, log: Sequence[Entry]) -> Findings:
    """What the checker says of a run's histories."""
    with (folder / HISTORY).open() as clients, (folder / ACKNOWLEDGED).open() as acknowledged:
        return check(log, read(acknowledged), read(clients))


def one_server(folder: Path, command: Sequence[str] = SERVE, pythonpath: str = "") -> Site:
    """``serve``, or another command of ours, as the clients of this module need it."""
    return OneServer(
        ServerProcess(folder, command=command, pythonpath=pythonpath, ping_interval=PING, ping_timeout=PING)
    )


@asynccontextmanager
async def pages(folder: Path, url: str, clients: Sequence[Json]) -> AsyncIterator[Callable[[], Awaitable[Json]]]:
    """These clients, all connected; gives what lets them end once they have all that was sent, and says how it was.

    What they went through goes to `HISTORY` in the folder.
    """
    config = folder / "config.json"
    config.write_text(json.dumps({"url": url, "history": str(folder / HISTORY), "clients": clients}))
    with (folder / "clients.log").open("wb") as errors:
        node = await asyncio.create_subprocess_exec(
            *("node", str(CLIENTS / "survivors.mjs"), str(config)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=CLIENTS,
        )
    assert node.stdin is not None
    assert node.stdout is not None
    stdin, stdout = node.stdin, node.stdout

    async def finish() -> Json:
        stdin.write(b"finish\n")
        said: Json = json.loads(await asyncio.wait_for(stdout.readline(), FINISH))
        await node.wait()
        return said

    try:
        assert await asyncio.wait_for(stdout.readline(), CONNECT) == b"connected\n"
        yield finish
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()


async def _run(
    plan: Plan, site: Site, shop: Shop, proxy: Proxy, strikes: Sequence[Strike], finish: Callable[[], Awaitable[Json]]
) -> tuple[Json, list[Moment]]:
    until = asyncio.get_running_loop().time() + plan.seconds
    trouble = asyncio.create_task(_trouble(plan, proxy))
    over = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(shop.work(over))
            moments = await _strike(strikes, site, proxy)
            await asyncio.sleep(max(until - asyncio.get_running_loop().time(), plan.after))
            over.set()
    finally:
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
    proxy.faults = HEALTHY
    proxy.cut_all()
    return await finish(), moments


async def _trouble(plan: Plan, proxy: Proxy) -> None:
    """A hole in the whole network, every now and then."""
    while plan.blackholes:
        await asyncio.sleep(7)
        with proxy.blackhole():
            await asyncio.sleep(BLACKHOLE)


async def _strike(strikes: Sequence[Strike], site: Site, proxy: Proxy) -> list[Moment]:
    moments = []
    for strike in strikes:
        await asyncio.sleep(strike.quiet)
        began = time.time()
        await strike.fault.begin()
        await asyncio.sleep(strike.lasts)
        waited = time.monotonic()
        while not strike.enough(began) and time.monotonic() < waited + ENOUGH:  # noqa: ASYNC110 - it cannot say so
            await asyncio.sleep(0.1)
        await strike.fault.end()
        ended = time.time()
        proxy.target = site.port
        moments.append(Moment(strike.fault.name, began, ended, await site.head()))
    return moments


def kills(plan: Plan, site: Site) -> list[Strike]:
    """The plan's kills, evenly spread."""
    dice = random.Random(plan.seed)
    kill = Killed(site, dice)
    return [Strike(kill, plan.seconds / (plan.kills + 1) * dice.uniform(0.8, 1.0)) for _ in range(plan.kills)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it as long as one likes; 1 where the checker found something."""
    parser = argparse.ArgumentParser(prog="python -m tests.survive", description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--rate", type=float, default=50, help="changes per second")
    parser.add_argument("--kills", type=int, default=0, help="kill -9 and restart of the server, so many times")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for histories and database, which stay there")
    given = parser.parse_args(arguments)
    plan = Plan(given.clients, given.seconds, given.rate, given.kills, given.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        outcome = asyncio.run(survive(folder, plan))
        print(f"{outcome} after {time.monotonic() - started:.0f} s")
        for violation in outcome.findings.violations[:50]:
            print(violation)
    return bool(outcome.findings.violations)


if __name__ == "__main__":
    sys.exit(main())
