"""Whether a delivery costs more where there are ten times as many clients."""

from __future__ import annotations

import statistics
import time

from bench.contenders import BUN, NODE, ORDERCAST, SEND_LOOP, Running, running
from bench.crowd import Crowd, operators
from bench.http import Connection
from bench.loop import Loop
from bench.scenario import Column, Figures, Goal, Round, Scenario

FEW = 1_000
MANY = 10_000
DELIVERIES = 60_000
EMITS = 20
PATIENCE = 60.0  # s


def measure(round: Round) -> Figures:
    """One round on one server."""
    few, many = round.size(FEW, 300), round.size(MANY, 3_000)
    loop = Loop()
    with running(round.contender) as server:
        crowd = Crowd(loop, server.port)
        trigger = Connection(loop, server.port)
        crowd.connect(operators(few))
        single_few, burst_few, _ = _costs(loop, server, crowd, trigger)
        crowd.connect(operators(many - few, few))
        crowd.forget()
        single_many, burst_many, last = _costs(loop, server, crowd, trigger)
        crowd.check()
        before = DELIVERIES // few + EMITS
        crowd.check_seen([(str(before + n).encode(), 1) for n in range(1, DELIVERIES // many + EMITS + 1)])
        crowd.close()
    loop.close()
    return {
        "µs at 1,000": single_few,
        "µs at 10,000": single_many,
        "ratio": single_many / single_few,
        "in bursts, µs at 1,000": burst_few,
        "µs at 10,000 ": burst_many,
        "ratio ": burst_many / burst_few,
        "one update to 10,000 ms": last,
    }


def _costs(loop: Loop, server: Running, crowd: Crowd, trigger: Connection) -> tuple[float, float, float]:
    """µs of the server's CPU per delivery, one update at a time and in a burst; ms to the last client."""
    count = len(crowd.clients)
    loop.rest(1)
    times = []
    before = server.cpu_seconds()
    for _ in range(DELIVERIES // count):
        times.append(_emit(crowd, trigger, 1))
        loop.rest(0.02)
    single = server.cpu_seconds() - before
    before = server.cpu_seconds()
    _emit(crowd, trigger, EMITS)
    burst = server.cpu_seconds() - before
    return 1e6 * single / DELIVERIES, 1e6 * burst / (count * EMITS), 1000 * statistics.median(times)


def _emit(crowd: Crowd, trigger: Connection, emits: int) -> float:
    wanted = crowd.received + len(crowd.clients) * emits
    began = time.perf_counter()
    trigger.send("POST", f"/bench/burst?n={emits}", b"", lambda status, body: None)
    crowd.wait(wanted, PATIENCE)
    return time.perf_counter() - began


SCENARIO = Scenario(
    name="many",
    title=f"A delivery among {FEW:,} connections and among {MANY:,}",
    contenders=(ORDERCAST, NODE, BUN, SEND_LOOP),
    columns=(
        Column("µs at 1,000", 2),
        Column("µs at 10,000", 2),
        Column("ratio", 2),
        Column("in bursts, µs at 1,000", 2),
        Column("µs at 10,000 ", 2),
        Column("ratio ", 2),
        Column("one update to 10,000 ms", 0),
    ),
    measure=measure,
    goals=(Goal("cost per delivery at 10,000 connections against 1,000", "ratio", 1.2, stretch=1.0),),
    plots=("µs at 10,000",),
    method=f"""\
The server's CPU per delivery: single updates, each sent when every client has the last one, {DELIVERIES:,}
deliveries in all; then one burst of {EMITS}. First with {FEW:,} operators online, then with {MANY:,}, on the same
server. What is compared is a server with itself. Most of the cost of a single update is the kernel's `send()`, and
a cache that holds the state of {FEW:,} sockets does not hold that of {MANY:,}: the send loop, which has next to no
state of its own, shows how much.""",
    verdict="""\
The send loop's own ratio is the kernel's share in ours: a `send()` finds less of its socket's state in the cache
among ten times as many sockets. Beyond that we have no cost that grows with the number of clients: a delivery
appends to a list and marks a session. In bursts the ratio is larger because the cost it multiplies is a tenth, and
all of it is memory.""",
)
