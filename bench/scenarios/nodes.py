"""What a second node adds, on a machine where it has a core of its own only when the load leaves it one."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cluster import cluster, cpu_seconds
from bench.contenders import ONE_NODE, TWO_NODES, Running
from bench.crowd import Crowd, operators
from bench.http import Connection
from bench.loop import Loop, loaded
from bench.scenario import Column, Figures, Goal, Round, Scenario

WARM = 200
OPERATORS = 3_000
BURST, BURSTS = 200, 5
SINGLES = 100
PATIENCE = 60.0  # s


def measure(round: Round) -> Figures:
    """One round on so many nodes."""
    warm, more = WARM, round.size(OPERATORS, 800)
    loop = Loop()
    with cluster(round.contender) as nodes:
        crowd = Crowd(loop, [node.port for node in nodes])
        crowd.connect(operators(warm), at_once=100)
        later = operators(more, warm)
        before = cpu_seconds(nodes)
        with loaded() as connecting:
            crowd.connect(later, at_once=100)
        per_connect = (cpu_seconds(nodes) - before) / more
        loop.rest(0.5)
        trigger = Connection(loop, nodes[0].port)
        joined = _emit(crowd, nodes, trigger, BURSTS, BURST)
        single = _emit(crowd, nodes, trigger, round.size(SINGLES, 20), 1)
        crowd.check_seen([(str(number).encode(), 1) for number in range(1, joined.emits + single.emits + 1)])
        crowd.close()
        trigger.close()
    loop.close()
    return {
        "deliveries/s, in bursts": joined.rate,
        "CPU µs each": joined.cpu,
        "deliveries/s, one by one": single.rate,
        "CPU µs each ": single.cpu,
        "connects/s": more / connecting.seconds,
        "CPU ms per connect": 1000 * per_connect,
        "load's CPU %": 100 * max(joined.load, single.load, connecting.share),
    }


@dataclass(frozen=True, slots=True)
class _Emitted:
    emits: int
    rate: float
    cpu: float
    load: float


def _emit(crowd: Crowd, nodes: list[Running], trigger: Connection, times: int, at_once: int) -> _Emitted:
    """So many emits at once, the next when every client has the last."""
    before, wanted = cpu_seconds(nodes), crowd.received
    with loaded() as load:
        for _ in range(times):
            wanted += at_once * len(crowd.clients)
            trigger.send("POST", f"/bench/burst?n={at_once}", b"", lambda status, body: None)
            crowd.wait(wanted, PATIENCE)
    deliveries = times * at_once * len(crowd.clients)
    cpu = 1e6 * (cpu_seconds(nodes) - before) / deliveries
    return _Emitted(times * at_once, deliveries / load.seconds, cpu, load.share)


SCENARIO = Scenario(
    name="nodes",
    title=f"One node and two: {OPERATORS:,} operators connect, emits to all of them",
    contenders=(ONE_NODE, TWO_NODES),
    ours=TWO_NODES,
    columns=(
        Column("deliveries/s, in bursts", 0, higher_is_better=True),
        Column("CPU µs each", 2),
        Column("deliveries/s, one by one", 0, higher_is_better=True),
        Column("CPU µs each ", 2),
        Column("connects/s", 0, higher_is_better=True),
        Column("CPU ms per connect", 3),
        Column("load's CPU %", 0),
    ),
    measure=measure,
    goals=(
        Goal(
            "two nodes on two cores: deliveries/s",
            "deliveries/s, one by one",
            1.2,
            ONE_NODE,
            at_least=True,
            stretch=1.5,
        ),
        Goal("two nodes on two cores: connects/s", "connects/s", 1.2, ONE_NODE, at_least=True, stretch=1.5),
    ),
    plots=("deliveries/s, one by one", "connects/s"),
    method=f"""\
Here nothing has a core of its own: nodes, PostgreSQL, Redis and the load share both. {WARM} operators warm the nodes
up; {OPERATORS:,} more connect, by turns to each node and at most 100 at a time. Then `POST /bench/burst` at the first
node makes emits to the room `operators`, which reach the other node's clients through Redis: {BURSTS} times {BURST} at
once, and {SINGLES} times one, each when all have the last. Every client must have all of them, once and in order.
*CPU* is that of the nodes together.""",
    verdict="""\
Where each delivery costs a system call, and in connecting, the second node does half of the work on the second core; it
cannot be twice as fast, since the load needs its share of the same two cores. In bursts it is slower than one node
alone, which writes all that is emitted in one turn of its loop once per client: what comes through Redis arrives in
pieces, and each piece is a write. The load's own part is a third of the time there.""",
)
