"""From the moment a backend sends a PATCH to the moment a screen has the event: 50 operators, 50 customers."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from bench.contenders import Contender, running, token
from bench.fleet import Client, Fleet

OPERATORS = CUSTOMERS = 50
CHANGES = 200
STEPS = ("accepted", "preparing", "ready", "out_for_delivery")
EXPECTED = CHANGES * (OPERATORS + 1)
PATIENCE = 10.0  # s after the last change; what has not come by then counts as missing
_EVENT = re.compile(rb'"orderId":(\d+),"status":"(\w+)"')


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, over every delivery of a round; ``missing`` deliveries never came."""

    p50: float
    p99: float
    worst: float
    missing: int
    cpu_per_change: float


async def measure(contender: Contender, rate: float) -> Latency:
    """One round: 200 changes, ``rate`` a second (open loop: a slow server does not slow the senders down)."""
    sent: dict[tuple[bytes, bytes], float] = {}
    samples: list[float] = []
    complete = asyncio.Event()

    def heard(client: Client, packet: bytes) -> None:
        now = time.perf_counter()
        if b'"order:updated"' in packet[:20] or b'"order:status_changed"' in packet[:30]:
            found = _EVENT.search(packet)
            if found is not None and (start := sent.get((found[1], found[2]))) is not None:
                samples.append(now - start)
                if len(samples) == EXPECTED:
                    complete.set()

    with running(contender) as server:
        fleet = Fleet(server.port, heard)
        headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
        async with aiohttp.ClientSession(server.url, headers=headers) as http:
            orders = []
            for customer in range(CUSTOMERS):
                async with http.post("/api/orders", json={"customerId": customer}) as response:
                    orders.append((await response.json())["orderId"])
            await fleet.connect((f"op-{n}", token(f"op-{n}", "operator")) for n in range(OPERATORS))
            await fleet.connect((str(n), token(str(n), "customer")) for n in range(CUSTOMERS))
            before = server.cpu_seconds()
            changes = [(order, status) for status in STEPS for order in orders][:CHANGES]
            started = time.perf_counter()
            tasks = []
            for number, (order, status) in enumerate(changes):
                await asyncio.sleep(max(started + number / rate - time.perf_counter(), 0))
                sent[str(order).encode(), status.encode()] = time.perf_counter()
                tasks.append(asyncio.ensure_future(_patch(http, order, status)))
            await asyncio.gather(*tasks)
            with suppress(TimeoutError):
                await asyncio.wait_for(complete.wait(), PATIENCE)
            cpu = server.cpu_seconds() - before
        await fleet.close()
    samples.sort()
    return Latency(
        p50=1000 * samples[len(samples) // 2],
        p99=1000 * samples[len(samples) * 99 // 100],
        worst=1000 * samples[-1],
        missing=EXPECTED - len(samples),
        cpu_per_change=1000 * cpu / len(changes),
    )


async def _patch(http: aiohttp.ClientSession, order: object, status: str) -> None:
    async with http.patch(f"/api/orders/{order}", json={"status": status}) as response:
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {await response.text()}")
