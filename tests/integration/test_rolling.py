"""A deploy, one node after the other: each leaves its clients to the others a few at a time; nobody misses anything."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.harness import KEPT, ServerProcess
from tests.proxy import HEALTHY
from tests.redis_server import RedisServer
from tests.sites import ManyServers
from tests.survive import PING, Plan, survive

CLIENTS = 90  # six of each era and transport
SECONDS = 40.0
DRAIN = 6.0  # s
BACK = 15.0  # s after which a client that has been sent away must be on another node
POLL = "/socket.io/?EIO=4&transport=polling"


@dataclass
class Departure:
    """What was seen of one node's going."""

    left: int
    ready: int = 0
    handshake: int = 0
    back_after: float = 0.0
    opened: list[tuple[float, int]] = field(default_factory=list)
    """When, and how many sessions the others had opened by then."""

    def storm(self) -> float:
        """The most handshakes a second on the others, over any second."""
        worst = 0.0
        for number, (at, before) in enumerate(self.opened):
            later = next(((then, n) for then, n in self.opened[number:] if then >= at + 1), self.opened[-1])
            worst = max(worst, (later[1] - before) / max(later[0] - at, 1))
        return worst


class Deployed(ManyServers):
    """Whose trouble is a deploy: every node is told to stop and started again, as an operator would."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder, database_url, ping=PING)
        for node in self.nodes:
            node.settings["drain_time"] = str(DRAIN)
        self.departures: list[Departure] = []

    async def kill(self, dice: random.Random) -> None:
        """See `Deployed`."""
        async with httpx2.AsyncClient(timeout=BACK, limits=KEPT) as http:
            for node in dice.sample(self.nodes, len(self.nodes)):
                await self._restart(node, http)

    async def _restart(self, node: ServerProcess, http: httpx2.AsyncClient) -> None:
        others = [other for other in self.nodes if other is not node]
        before = await _total(http, others, "sessions_opened_total")
        gone = Departure(await _total(http, [node], "sessions"), opened=[(time.monotonic(), before)])
        self.departures.append(gone)
        began = time.monotonic()
        stopping = asyncio.create_task(asyncio.to_thread(node.stop))
        while gone.ready != 503:  # the signal has not arrived
            gone.ready = (await http.get(f"{node.url}/health/ready")).status_code
        gone.handshake = (await http.get(node.url + POLL)).status_code
        async with asyncio.timeout(BACK):
            while await _total(http, others, "sessions") < CLIENTS:
                gone.opened.append((time.monotonic(), await _total(http, others, "sessions_opened_total")))
                await asyncio.sleep(0.05)
        gone.opened.append((time.monotonic(), await _total(http, others, "sessions_opened_total")))
        gone.back_after = time.monotonic() - began
        assert await stopping == 0
        await asyncio.to_thread(node.start)


async def _total(http: httpx2.AsyncClient, nodes: Sequence[ServerProcess], name: str) -> int:
    texts = [(await http.get(f"{node.url}/metrics")).text for node in nodes]
    found = [re.search(rf"^ordercast_{name} ([\d.]+)$", text, re.MULTILINE) for text in texts]
    return sum(int(float(match[1])) for match in found if match is not None)


async def test_clients_leave_a_node_that_stops_a_few_at_a_time_and_miss_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    site = Deployed(tmp_path, postgres_url)
    plan = Plan(CLIENTS, SECONDS, kills=1, seed=3, faults=HEALTHY, blackholes=False)
    outcome = await survive(tmp_path, plan, site)
    said = "\n".join(map(str, (outcome, *site.departures)))
    assert outcome.findings.violations == [], said
    assert outcome.changes > SECONDS * 20, said
    assert len(site.departures) == len(site.nodes)
    for gone in site.departures:
        assert (gone.ready, gone.handshake) == (503, 503), said
        assert gone.back_after < BACK, said
    # A client comes back once for each node that went with its session, or with what that node passed on for it; not
    # again and again.
    moved = sum(gone.left for gone in site.departures)
    came = [gone.opened[-1][1] - gone.opened[0][1] for gone in site.departures]
    assert moved >= CLIENTS, said
    assert sum(came) <= 2 * moved, said
    # Spread over `DRAIN`: had they come at once, all would be within one second of it.
    for gone, count in zip(site.departures, came, strict=True):
        assert gone.storm() <= 0.75 * count, f"{gone.storm()}\n{said}"


def test_a_lone_node_does_not_wait_for_anyone_to_take_its_clients(
    tmp_path: Path, postgres_url: str, redis: RedisServer
) -> None:
    """`ServerProcess.stop` gives up long before these 600 s."""
    node = ServerProcess(tmp_path, database_url=postgres_url, redis_url=redis.url, drain_time="600")
    with node:
        assert asyncio.run(_open(node)) == 200
        assert node.stop() == 0


async def _open(node: ServerProcess) -> int:
    async with httpx2.AsyncClient() as http:
        return (await http.get(node.url + POLL)).status_code
