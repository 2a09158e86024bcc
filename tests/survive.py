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
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.checker import check
from tests.clients.eras import ERAS, TRANSPORTS
from tests.harness import CLIENTS, SERVE, Api, Json, ServerProcess, api_at, token
from tests.histories import Findings, read
from tests.proxy import HEALTHY, Faults, Proxy
from tests.sites import OneServer, Site

ROUGH = Faults(delay=(0.0, 0.02), cut=(1.0, 5.0), cut_upgrade=0.2, slow=50_000, slow_share=0.05)
"""Every connection lives for 1 to 5 s, and a fifth of the upgrades ends in the middle."""

PING = "4"  # s
"""A client whose upgrade was cut after the probe's answer stops polling, whatever its version, and only its own ping
timeout tells it (45 s by default)."""

BLACKHOLE = 0.5  # s, every now and then
CONNECT = FINISH = 90.0  # s that only bound failures
LAP = ("accepted", "preparing", "ready", "out_for_delivery", *("failed_delivery", "out_for_delivery") * 10_000)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many, how long, how fast. ``rate``: changes per second; ``kills``: of the server, evenly spread."""

    clients: int
    seconds: float
    rate: float = 50.0
    kills: int = 0
    seed: int = 1
    faults: Faults = ROUGH
    eras: tuple[str, ...] = ERAS
    transports: tuple[str, ...] = TRANSPORTS
    blackholes: bool = True


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    findings: Findings
    changes: int
    cuts: int
    upgrades_cut: int
    kills: int
    upset: int
    clients: int

    def __str__(self) -> str:
        found = self.findings
        return (
            f"{self.clients} clients, {self.changes} changes acknowledged, {self.cuts} cuts ({self.upgrades_cut} in "
            f"upgrades), {self.kills} kills: {found.connections} connections ({found.recovered} recovered, "
            f"{found.caught_up} caught up, {found.resyncs} told to resync), {found.heard} events heard, "
            f"{found.repeats} again after a reconnect, {found.conflated} conflated, {found.cursors_back} cursors "
            f"behind newer ones, {self.upset} errors inside client libraries, "
            f"{len(found.violations)} violations"
        )


class Unanswered(Exception):
    """A server, or what stands behind it, is away: the change may have been made or not."""


def api_of(site: Site) -> AbstractAsyncContextManager[Api]:
    """REST as the shop's backend."""
    return api_at(f"http://127.0.0.1:{site.port}")


class Shop:
    """The shop's backend: creates orders and moves them on, and keeps what was acknowledged."""

    def __init__(self, site: Site, plan: Plan, history: Path) -> None:
        self._site = site
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self._history = history.open("w")
        self.customers = max(plan.clients * 2 // 3, 1)
        self.orders: dict[int, list[Json]] = {customer: [] for customer in range(self.customers)}
        self.changes = 0
        self._at: dict[Any, int] = {}

    def acknowledged(self, order: Json) -> None:
        """Keeps it, before anything else happens."""
        kept = {"writer": "shop", "orderId": order["orderId"], "version": order["version"], "status": order["status"]}
        print(json.dumps(kept), file=self._history, flush=True)
        self.changes += 1

    async def create(self, api: Api, customer: int) -> Json:
        """A new order of this customer."""
        order = await self._done(api, "POST", "/api/orders", {"customerId": customer})
        self.orders[customer].append(order)
        self._at[order["orderId"]] = 0
        return order

    async def work(self, until: float) -> None:
        """Makes changes at the plan's rate, each order's one after the other."""
        ids = [order["orderId"] for orders in self.orders.values() for order in orders]
        lanes = [ids[lane::16] for lane in range(16)]
        async with api_of(self._site) as api:
            await asyncio.gather(*(self._lane(api, lane, until) for lane in lanes if lane))

    async def _lane(self, api: Api, ids: list[Any], until: float) -> None:
        loop, pause = asyncio.get_running_loop(), 16 / self._plan.rate
        due = loop.time() + self._dice.uniform(0, pause)
        while loop.time() < until:
            await asyncio.sleep(max(due - loop.time(), 0))
            due = max(due + pause, loop.time() - 1)  # what a restart held up is made up for, within reason
            with suppress(httpx2.TransportError, Unanswered):
                await self._change(api, self._dice.choice(ids))

    async def _change(self, api: Api, id: Any) -> None:
        what = self._dice.random()
        if what < 0.03:
            await self.create(api, self._dice.randrange(self.customers))
        elif what < 0.1:
            await self._done(api, "PATCH", f"/api/orders/{id}", {"note": f"note {self.changes}"})
        else:
            place = self._at[id]
            if await self._done(api, "PATCH", f"/api/orders/{id}", {"status": LAP[place]}):
                self._at[id] = place + 1
            else:  # the answer to the change before was lost: it is further than we know
                status = (await self._send(api, "GET", f"/api/orders/{id}")).json()["status"]
                self._at[id] = LAP.index(status, max(place - 1, 0)) + 1

    async def _done(self, api: Api, method: str, path: str, body: Json) -> Json:
        """The order as it was acknowledged, which is kept; nothing where the workflow said no."""
        response = await self._send(api, method, path, json=body)
        if response.status_code == 409:
            return {}
        order: Json = response.json()
        self.acknowledged(order)
        return order

    async def _send(self, api: Api, method: str, path: str, **more: Any) -> httpx2.Response:
        response = await api.send(method, path, **more)
        if response.status_code in (502, 503, 504):
            raise Unanswered(response.text)
        assert response.status_code in (200, 201, 409), response.text
        return response

    def close(self) -> None:
        """No more changes."""
        self._history.close()


def crowd(plan: Plan, shop: Shop, barrier: Any) -> list[Json]:
    """Who comes: mostly customers, some of them twice or watching their own order too; operators; staff that watch."""
    dice = random.Random(plan.seed)
    kinds = [(era, transport) for era in plan.eras for transport in plan.transports]
    people: list[Json] = []
    for n in range(plan.clients):
        # Every 16th of a kind is an operator or watches: 15 kinds, so that all kinds take turns at it.
        role = {3: "operator", 7: "service", 11: "service"}.get(n % 16, "customer")
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
        people.append(me | {"era": era, "transport": transport, "token": token(user, role), "barrier": barred})
    return people


async def survive(folder: Path, plan: Plan, site: Site | None = None) -> Outcome:
    """Runs the plan, on one server where nothing else is given, and checks what everyone went through."""
    site = site or one_server(folder)
    shop = Shop(site, plan, folder / "acknowledged.jsonl")
    try:
        site.start()
        async with api_of(site) as api:
            for customer in range(shop.customers):
                await shop.create(api, customer)
            barrier = (await api.create(customerId="nobody"))["orderId"]
        async with Proxy(site.port, plan.faults, plan.seed) as proxy:
            history = folder / "clients.jsonl"
            config = {"url": proxy.url, "history": str(history), "clients": crowd(plan, shop, barrier)}
            (folder / "config.json").write_text(json.dumps(config))
            said = await _run(folder, plan, site, shop, proxy)
        log = await site.log()
    finally:
        shop.close()
        site.stop()
    with history.open() as clients, (folder / "acknowledged.jsonl").open() as acknowledged:
        findings = check(log, read(acknowledged), read(clients))
    return Outcome(
        findings, shop.changes, proxy.cuts, proxy.upgrades_cut, plan.kills, said["upset"], clients=plan.clients
    )


def one_server(folder: Path, command: Sequence[str] = SERVE, pythonpath: str = "") -> Site:
    """``serve``, or another command of ours, as the clients of this module need it."""
    return OneServer(
        ServerProcess(folder, command=command, pythonpath=pythonpath, ping_interval=PING, ping_timeout=PING)
    )


async def _run(folder: Path, plan: Plan, site: Site, shop: Shop, proxy: Proxy) -> Json:
    with (folder / "clients.log").open("wb") as errors:
        node = await asyncio.create_subprocess_exec(
            *("node", str(CLIENTS / "survivors.mjs"), str(folder / "config.json")),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=CLIENTS,
        )
    assert node.stdin is not None
    assert node.stdout is not None
    try:
        assert await asyncio.wait_for(node.stdout.readline(), CONNECT) == b"connected\n"
        until = asyncio.get_running_loop().time() + plan.seconds
        trouble = asyncio.create_task(_trouble(plan, proxy, until))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(shop.work(until))
                group.create_task(_kill(plan, site, proxy))
        finally:
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
        proxy.faults = HEALTHY
        proxy.cut_all()
        node.stdin.write(b"finish\n")
        said: Json = json.loads(await asyncio.wait_for(node.stdout.readline(), FINISH))
        await node.wait()
        return said
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()


async def _trouble(plan: Plan, proxy: Proxy, until: float) -> None:
    """A hole in the whole network, every now and then."""
    while plan.blackholes and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(7)
        with proxy.blackhole():
            await asyncio.sleep(BLACKHOLE)


async def _kill(plan: Plan, site: Site, proxy: Proxy) -> None:
    dice = random.Random(plan.seed)
    for _ in range(plan.kills):
        await asyncio.sleep(plan.seconds / (plan.kills + 1) * dice.uniform(0.8, 1.0))
        await site.kill(dice)
        proxy.target = site.port


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
