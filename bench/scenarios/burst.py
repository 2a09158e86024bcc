"""A burst of events to all operators, and a single one."""

from __future__ import annotations

import statistics
import time

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, SEND_LOOP, running
from bench.crowd import Crowd, operators
from bench.http import Connection
from bench.loop import Loop, loaded
from bench.scenario import Column, Figures, Goal, Round, Scenario

OPERATORS = 1_000
EMITS = 200
SINGLES = 20
PATIENCE = 60.0  # s
PAUSE = 50  # ms between single updates: each meets a server at rest


def measure(round: Round) -> Figures:
    """One round on one server."""
    count = round.size(OPERATORS, 200)
    loop = Loop()
    with running(round.contender) as server:
        crowd = Crowd(loop, server.port)
        trigger = Connection(loop, server.port)
        crowd.connect(operators(count))
        loop.rest(0.5)
        singles = []
        for _ in range(SINGLES):
            wanted = crowd.received + count
            began = time.perf_counter()
            trigger.send("POST", "/bench/burst?n=1", b"", lambda status, body: None)
            crowd.wait(wanted, PATIENCE)
            singles.append(time.perf_counter() - began)
            loop.rest(PAUSE / 1000)
        before = server.cpu_seconds()
        wanted = crowd.received + count * EMITS
        with loaded() as load:
            trigger.send("POST", f"/bench/burst?n={EMITS}", b"", lambda status, body: None)
            crowd.wait(wanted, PATIENCE)
        cpu = server.cpu_seconds() - before
        crowd.check()
        crowd.check_seen([(str(number).encode(), 1) for number in range(1, SINGLES + EMITS + 1)])
        crowd.close()
    loop.close()
    return {
        "deliveries/s": count * EMITS / load.seconds,
        "CPU µs per delivery": 1e6 * cpu / (count * EMITS),
        "one update ms": 1000 * statistics.median(singles),
        "server's CPU %": 100 * cpu / load.seconds,
        "load's CPU %": 100 * load.share,
    }


SCENARIO = Scenario(
    name="burst",
    title=f"{EMITS} emits to {OPERATORS:,} operators, and one",
    contenders=(ORDERCAST, NODE, BUN, PYTHON_SOCKETIO, SEND_LOOP),
    columns=(
        Column("deliveries/s", 0, higher_is_better=True),
        Column("CPU µs per delivery", 2),
        Column("one update ms"),
        Column("server's CPU %", 0),
        Column("load's CPU %", 0),
    ),
    measure=measure,
    goals=(
        Goal(f"burst: {EMITS} emits to {OPERATORS:,} operators", "deliveries/s", 10, NODE, at_least=True, stretch=15),
        Goal("the same, against python-socketio", "deliveries/s", 60, PYTHON_SOCKETIO, at_least=True),
        Goal(f"one update to {OPERATORS:,} operators", "one update ms", 0.75, NODE),
        Goal("the same, against the send loop", "one update ms", 1.5, SEND_LOOP, stretch=1.2),
    ),
    plots=("deliveries/s", "one update ms"),
    method=f"""\
{OPERATORS:,} operators are connected, each with its own token over its own TCP connection. The request `POST
/bench/burst` makes the server emit {EMITS} `order:status_changed` events to the room `operators` in a plain loop,
with no `await` between them (python-socketio's `emit` is a coroutine, so there each is awaited). The clock runs
from the request to the last event at the last client. Before that, {SINGLES} single events, {PAUSE} ms apart: the
median of the times from the request to the last client. Afterwards every client must have had every event, once and
in the order of the emits; else the round has failed.

The *send loop* is the limit for a server that sends every event by itself: frames built beforehand, one `send()`
per client and event, nothing else.""",
    verdict="""\
A burst is where joining writes pays most: the events of a loop turn leave in one `send()` per client, where the
others make one per event and client. Most of what is left is the kernel's copying. Python-socketio makes an object
and a task for every recipient of every event.

A single update gives nothing to join, so it costs one `send()` per client like everywhere, and we can only come
near the send loop. What we are behind it is the request that triggers the emit, the encoding, and a Python loop
that hands each client's frame to uvloop. Bun, whose loop is compiled, is as fast or faster here.""",
)
