"""Everyone comes back at once after a restart."""

from __future__ import annotations

import time

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, running
from bench.crowd import RETRY, Crowd, operators
from bench.loop import Loop, loaded
from bench.scenario import Column, Figures, Goal, Round, Scenario

CLIENTS = 5_000
PATIENCE = 90.0  # s


def measure(round: Round) -> Figures:
    """One round on one server."""
    count = round.size(CLIENTS, 1_000)
    loop = Loop()
    with running(round.contender) as server:
        crowd = Crowd(loop, server.port)
        crowd.connect(operators(count), at_once=200)
        crowd.expect_losses = True
        server.kill()
        loop.run(lambda: crowd.joined == 0, PATIENCE)
        start = server.start()
        before = server.cpu_seconds()
        began = time.perf_counter()
        with loaded() as load:
            crowd.reconnect(PATIENCE)
        took = time.perf_counter() - began
        cpu = server.cpu_seconds() - before
        refused, slowest = crowd.refused, max(client.took for client in crowd.clients)
        crowd.close()
    loop.close()
    return {
        "all joined s": took,
        "CPU ms per connect": 1000 * cpu / count,
        "attempts refused": refused,
        "slowest attempt s": slowest,
        "start s": start,
        "load's CPU %": 100 * load.share,
    }


SCENARIO = Scenario(
    name="reconnect",
    title=f"{CLIENTS:,} operators reconnect at once after a restart",
    contenders=(ORDERCAST, NODE, BUN, PYTHON_SOCKETIO),
    columns=(
        Column("all joined s", 2),
        Column("CPU ms per connect", 2),
        Column("attempts refused", 0),
        Column("slowest attempt s", 2),
        Column("start s", 2),
        Column("load's CPU %", 0),
    ),
    measure=measure,
    goals=(
        Goal(
            f"{CLIENTS:,} clients reconnecting at once after a restart, until all are joined", "all joined s", 0.5, NODE
        ),
    ),
    plots=("all joined s",),
    method=f"""\
{CLIENTS:,} operators are connected; the server is killed and started again on its port, with its database. As soon
as it listens, all of them dial in the same instant, and go on until each has the answer to its CONNECT; one that is
refused or cut off comes again {1000 * RETRY:g} ms later. *start* is the time from the command until the server
listens, which is not part of *all joined*; *slowest attempt* the longest that one client's last attempt took, where
clients in the field give up after 20 s.""",
    verdict="""\
We lose to Bun, for the reason that a connect does (above), and in *start* to both Node.js and Bun: Python imports
more, and the database is opened and checked. Clients in the field spread themselves by a random wait, so that the
storm here is the worst case: all in one instant, each with a token to check. Nobody is refused by Ordercast in it;
the kernel's queue of connections to accept holds some, and the slowest waits as long as all take together.""",
)
