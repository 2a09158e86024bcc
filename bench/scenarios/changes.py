"""Status changes over REST as fast as they go, with all operators online; and at a pace."""

from __future__ import annotations

import time

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, running
from bench.crowd import Crowd, operators
from bench.loop import Loop, loaded
from bench.scenario import Column, Figures, Goal, Round, Scenario
from bench.shop import Lateness, Shop, quantile

OPERATORS = 1_000
IN_FLIGHT = 32
ORDERS = 400
SECONDS = 4
PACE = 4
SAMPLE = 10
PATIENCE = 30.0  # s


def measure(round: Round) -> Figures:
    """One round on one server."""
    count, seconds = round.size(OPERATORS, 200), round.size(SECONDS, 2)
    node = round.outcomes.median(NODE, "changes/s")
    loop = Loop()
    with running(round.contender) as server:
        shop = Shop(loop, server.port, IN_FLIGHT)
        lateness = Lateness(shop.sent, one_in=SAMPLE)
        crowd = Crowd(loop, server.port, lateness)
        shop.create(range(ORDERS))
        crowd.connect(operators(count))
        loop.rest(0.3)
        before = server.cpu_seconds()
        began = time.perf_counter()
        with loaded() as load:
            shop.change_closed(seconds)
            crowd.wait(len(shop.changed) * count, PATIENCE)
        cpu = server.cpu_seconds() - before
        took = time.perf_counter() - began
        changes = len(shop.changed)
        figures = {
            "changes/s": changes / took,
            "answer p99 ms": 1000 * quantile(shop.answers, 0.99),
            "event p99 ms": 1000 * lateness.quantile(0.99),
            "CPU ms per change": 1000 * cpu / changes,
            "server's CPU %": 100 * cpu / took,
            "load's CPU %": 100 * load.share,
        }
        if round.contender is ORDERCAST and node is not None:
            loop.rest(0.5)
            lateness.clear()
            shop.change_open(PACE * node, int(PACE * node * seconds))
            crowd.wait(len(shop.changed) * count, PATIENCE)
            figures[_PACED] = 1000 * lateness.quantile(0.99)
        crowd.check()
        crowd.check_seen(shop.changed)
        crowd.close()
        shop.close()
    loop.close()
    return figures


_PACED = f"event p99 ms at {PACE} × Node's rate"

SCENARIO = Scenario(
    name="changes",
    title=f"Status changes over REST, {IN_FLIGHT} in flight, {OPERATORS:,} operators online",
    contenders=(NODE, ORDERCAST, BUN, PYTHON_SOCKETIO),
    columns=(
        Column("changes/s", 0, higher_is_better=True),
        Column("answer p99 ms", 0),
        Column("event p99 ms", 0),
        Column(_PACED, 0),
        Column("CPU ms per change", 2),
        Column("server's CPU %", 0),
        Column("load's CPU %", 0),
    ),
    measure=measure,
    goals=(
        Goal(
            f"status changes/s, {IN_FLIGHT} in flight, {OPERATORS:,} operators",
            "changes/s",
            5,
            NODE,
            at_least=True,
            stretch=8,
        ),
        Goal(f"p99 at {PACE} × Node's rate (ms)", _PACED, 200),
    ),
    plots=("changes/s",),
    method=f"""\
{OPERATORS:,} operators are online. {IN_FLIGHT} connections each send a `PATCH /api/orders/…` with the next status
of one of {ORDERS} orders, and the next one as soon as it is answered, for {SECONDS} s. *changes/s* counts from the
first request until every operator has the event of every change; afterwards each of them must have had every change
once, and the versions of every order rising. *answer* is the reply to the `PATCH`, *event* the time from its
sending until an operator has the event, over all deliveries to every {SAMPLE}th operator.

Ordercast commits every change to SQLite on disk with `synchronous=FULL` before it answers. The others keep orders
in a map in memory, which favours them.

At a pace: the same connections send {PACE} times as many changes a second as Node.js made at its best in this run,
for another {SECONDS} s, whether or not the answers keep up; a change that has to wait for a connection counts from
when it was due.""",
    verdict="""\
We lose to nobody here, although only we commit to disk. Concurrent changes share a commit, and while a flush to
1,000 operators runs the next changes gather, so that they leave in one write per operator. The others write 1,000
times per change, and that is all they do. The load generator has most to do in this row, when Ordercast is
measured: its share says how near it is to its own limit, and a faster one would only favour us.""",
)
