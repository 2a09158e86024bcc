"""From the moment a backend sends a PATCH to the moment a screen has the event, with few online."""

from __future__ import annotations

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, running, token
from bench.crowd import Crowd, operators
from bench.loop import Failed, Loop
from bench.scenario import Column, Figures, Goal, Round, Scenario
from bench.shop import Lateness, Shop

OPERATORS = CUSTOMERS = 50
CHANGES = 500
RATE = 100.0
CONNECTIONS = 64
PATIENCE = 20.0  # s


def measure(round: Round) -> Figures:
    """One round on one server."""
    changes = round.size(CHANGES, 200)
    loop = Loop()
    with running(round.contender) as server:
        shop = Shop(loop, server.port, CONNECTIONS)
        lateness = Lateness(shop.sent)
        board, phones = Crowd(loop, server.port, lateness), Crowd(loop, server.port, lateness)
        shop.create(range(CUSTOMERS))
        board.connect(operators(OPERATORS))
        phones.connect([(str(n), token(str(n), "customer")) for n in range(CUSTOMERS)])
        loop.rest(0.3)
        before = server.cpu_seconds()
        shop.change_open(RATE, changes)
        board.wait(changes * OPERATORS, PATIENCE)
        phones.wait(changes, PATIENCE)
        cpu = server.cpu_seconds() - before
        board.check()
        board.check_seen(shop.changed)
        for phone in phones.clients:
            theirs = [key for key in shop.changed if str(shop.orders[key[0]]) == phone.user]
            if phone.seen != sorted(theirs, key=lambda key: key[1]):
                raise Failed(
                    f"customer {phone.user} saw {len(phone.seen)} of {len(theirs)} events, or in another order"
                )
        for part in (board, phones, shop):
            part.close()
    loop.close()
    return {
        "p50 ms": 1000 * lateness.quantile(0.5),
        "p99 ms": 1000 * lateness.quantile(0.99),
        "worst ms": 1000 * lateness.worst,
        "CPU ms per change": 1000 * cpu / changes,
    }


SCENARIO = Scenario(
    name="latency",
    title=f"PATCH sent → event received: {RATE:g} changes/s, {OPERATORS} operators, {CUSTOMERS} customers",
    contenders=(ORDERCAST, NODE, BUN, PYTHON_SOCKETIO),
    columns=(Column("p50 ms"), Column("p99 ms"), Column("worst ms"), Column("CPU ms per change", 2)),
    measure=measure,
    goals=(
        Goal(f"{RATE:g} changes/s, {OPERATORS} operators: p99 from PATCH to event", "p99 ms", 1, NODE, stretch=0.5),
    ),
    plots=("p99 ms",),
    method=f"""\
{CHANGES} changes, one every {1000 / RATE:g} ms whether or not the last is answered, on the orders of {CUSTOMERS}
customers who are online, as {OPERATORS} operators are. Every delivery counts, from the moment the `PATCH` was due
to be sent until the event has been read at the other end; operators must get every event, customers those of their
own orders and no others.""",
    verdict="""\
With few clients online nothing can be joined, and what counts is the path of one request. Ours goes to disk: the
change is committed, with the disk's own wait, before it is announced and answered, where the others change a map in
memory. Bun is fastest, and Node.js's worst percent may be ahead of ours, by about what a commit takes. On a disk
that answers an `fsync` faster the gap is smaller; we do not close it by announcing what is not yet safe.""",
)
