"""How much later a client of another node has an event."""

from __future__ import annotations

import time

from bench.cluster import cluster
from bench.contenders import ONE_NODE, TWO_NODES
from bench.crowd import Client, Crowd, operators
from bench.http import Connection
from bench.loop import Loop
from bench.packets import Key
from bench.scenario import Column, Figures, Round, Scenario
from bench.shop import Lateness, Shop

OPERATORS = 50
ORDERS = 50
WARM = 500
EVENTS = 500
RATE = 100.0
CONNECTIONS = 64
PATIENCE = 20.0  # s


class _ByNode:
    """What is heard, apart for each node: clients are dealt out by turns."""

    def __init__(self, nodes: int, sent: dict[Key, float]) -> None:
        self.late = [Lateness(sent) for _ in range(nodes)]

    def __call__(self, client: Client, keys: tuple[Key, ...]) -> None:
        self.late[client.number % len(self.late)](client, keys)

    def clear(self) -> None:
        """Begins anew."""
        for late in self.late:
            late.clear()

    def figures(self, what: str) -> Figures:
        """Milliseconds, as the columns have them."""
        return {
            f"{what} {where} {name} ms": 1000 * late.quantile(share)
            for where, late in zip(("here", "there"), self.late, strict=False)
            for name, share in (("p50", 0.5), ("p99", 0.99))
        }


def measure(round: Round) -> Figures:
    """One round on so many nodes."""
    events = round.size(EVENTS, 200)
    with cluster(round.contender) as nodes:
        ports = [node.port for node in nodes]
        return {**_changes(ports, events), **_emits(ports, events)}


def _changes(ports: list[int], events: int) -> Figures:
    loop = Loop()
    shop = Shop(loop, ports[0], CONNECTIONS)
    heard = _ByNode(len(ports), shop.sent)
    crowd = Crowd(loop, ports, heard)
    shop.create(range(ORDERS))
    crowd.connect(operators(OPERATORS))
    loop.rest(0.5)
    shop.change_open(RATE, WARM)
    crowd.wait(WARM * OPERATORS, PATIENCE)
    heard.clear()
    shop.change_open(RATE, events)
    crowd.wait((WARM + events) * OPERATORS, PATIENCE)
    crowd.check_seen(shop.changed)
    crowd.close()
    shop.close()
    loop.close()
    return heard.figures("change")


def _emits(ports: list[int], events: int) -> Figures:
    loop = Loop()
    sent: dict[Key, float] = {}
    heard = _ByNode(len(ports), sent)
    crowd = Crowd(loop, ports, heard)
    crowd.connect(operators(OPERATORS))
    loop.rest(0.5)
    trigger = Connection(loop, ports[0])
    began = time.perf_counter()
    for number in range(events):
        due = began + number / RATE
        loop.run(lambda due=due: time.perf_counter() >= due, PATIENCE)  # type: ignore[misc]
        sent[str(number + 1).encode(), 1] = time.perf_counter()
        trigger.send("POST", "/bench/burst?n=1", b"", lambda status, body: None)
    crowd.wait(events * OPERATORS, PATIENCE)
    crowd.check_seen(list(sent))
    crowd.close()
    trigger.close()
    loop.close()
    return heard.figures("emit")


SCENARIO = Scenario(
    name="redis",
    title=f"From one node to another's clients: {RATE:g} events/s, {OPERATORS} operators",
    contenders=(ONE_NODE, TWO_NODES),
    ours=TWO_NODES,
    columns=tuple(
        Column(f"{what} {where} {name} ms")
        for what in ("change", "emit")
        for where in ("here", "there")
        for name in ("p50", "p99")
    ),
    measure=measure,
    goals=(),
    method=f"""\
{EVENTS} events, one every {1000 / RATE:g} ms, all begun at the first node; half of the {OPERATORS} operators are at the
other. *change* is a `PATCH`, from its sending until the event is read: it is committed to PostgreSQL, and the other
node learns of it by a hint through Redis or from PostgreSQL, whichever comes first, and reads it from the log. *emit*
is the application's own `io.to("operators").emit`, which Redis carries whole. *here* are the operators of the node
where it began, *there* those of the other: the difference is what the way between nodes adds. All share both cores, and
{WARM} changes have gone before.""",
    verdict="""\
The way to another node's clients adds about a millisecond, to the median as to the slowest hundredth: one message
through Redis, and for a change one read of the log, which is what makes sure that nothing is missed when Redis loses
the hint. The clients of the node where it began lose nothing by the second node.""",
)
