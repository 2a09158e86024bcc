"""One update to clients that have no WebSocket."""

from __future__ import annotations

import statistics
import time

from bench.contenders import BUN, NODE, ORDERCAST, PYTHON_SOCKETIO, running
from bench.crowd import operators
from bench.http import Connection
from bench.loop import Failed, Loop, loaded
from bench.polling import PollingCrowd
from bench.scenario import Column, Figures, Goal, Round, Scenario

CLIENTS = 1_000
UPDATES = 12
PATIENCE = 30.0  # s


def measure(round: Round) -> Figures:
    """One round on one server."""
    count = round.size(CLIENTS, 300)
    loop = Loop()
    with running(round.contender) as server:
        crowd = PollingCrowd(loop, server.port)
        trigger = Connection(loop, server.port)
        crowd.connect(operators(count))
        times, share = [], []
        before = server.cpu_seconds()
        for number in range(UPDATES):
            _settle(loop, crowd)
            began = time.perf_counter()
            with loaded() as load:
                trigger.send("POST", "/bench/burst?n=1", b"", lambda status, body: None)
                crowd.wait(count * (number + 1), PATIENCE)
            times.append(time.perf_counter() - began)
            share.append(load.share)
        _settle(loop, crowd)
        cpu = server.cpu_seconds() - before
        for client in crowd.clients:
            if client.seen != [(str(number).encode(), 1) for number in range(1, UPDATES + 1)]:
                raise Failed(f"a client saw {len(client.seen)} of {UPDATES} events, or in another order")
        crowd.close()
    loop.close()
    return {
        "one update ms": 1000 * statistics.median(times),
        "CPU µs per delivery": 1e6 * cpu / (count * UPDATES),
        "load's CPU %": 100 * statistics.median(share),
    }


def _settle(loop: Loop, crowd: PollingCrowd) -> None:
    """Until every client's next poll has had the time to reach the server."""
    if not loop.run(lambda: all(client.polling for client in crowd.clients), PATIENCE):
        raise Failed("some clients were left without a poll")
    loop.rest(0.4)


SCENARIO = Scenario(
    name="polling",
    title=f"One update to {CLIENTS:,} long-polling operators",
    contenders=(ORDERCAST, NODE, BUN, PYTHON_SOCKETIO),
    columns=(Column("one update ms"), Column("CPU µs per delivery", 0), Column("load's CPU %", 0)),
    measure=measure,
    goals=(Goal(f"{CLIENTS:,} long-polling clients, one update to all", "one update ms", 1, NODE, stretch=0.5),),
    plots=("one update ms",),
    method=f"""\
{CLIENTS:,} operators are connected by HTTP long-polling and never upgrade; each has a poll waiting. The clock runs
from the request that makes the server emit one event until the last client has read the response that carries it;
the median of {UPDATES} updates, each sent when all clients poll again. *CPU* is all that a delivery costs the
server: the response and taking the next poll.""",
    verdict="""\
A poll is an HTTP request in full, there and back, and takes uvicorn's and ASGI's way through Python; a WebSocket
frame does not. That is why the distance to the other servers is small here, and why Bun needs less CPU. Clients that
poll are few (proxies that break WebSockets, old devices), and most upgrade after the first poll.""",
)
