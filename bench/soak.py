"""``python -m bench soak``: changes keep coming, and some of the clients never read.

Nobody else may be late for it, memory must stay flat, and each of those clients must be cut with its reason. Half of
them answer heartbeats all the same, as a page does whose tab is stuck; the others say nothing more.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.contenders import ORDERCAST, Running, running
from bench.crowd import Crowd, operators
from bench.http import Connection
from bench.loop import Loop, loaded
from bench.shop import Lateness, Shop

SLOW = 0.1  # of the clients
CONNECTIONS = 64
ORDERS = 1_000
SAMPLE = 2.0  # s between two looks at the memory; servers end HTTP connections that were idle for 5
SMALL_BUFFER = 16_384
"""Bytes that a slow client's kernel takes for it: between two processes on one machine it would be megabytes."""
PATIENCE = 60.0  # s

_CLOSED = re.compile(r'^ordercast_sessions_closed(?:_total)?\{reason="([^"]+)"\} (\d+)', re.MULTILINE)


@dataclass
class Soak:
    """What came of it. Times in seconds, memory in bytes. ``cut``: when, why, and how many were by then."""

    readers: int
    slow: int
    lateness: Lateness
    changes: int = 0
    memory: list[tuple[float, int]] = field(default_factory=list)
    cut: list[tuple[float, str, int]] = field(default_factory=list)
    server_share: float = 0.0
    load_share: float = 0.0

    def slope(self) -> float:
        """Bytes a minute: least squares over the second half, when caches are full and the slow ones gone."""
        half = self.memory[len(self.memory) // 2 :]
        if len(half) < 2:
            return 0.0
        mean_t = sum(t for t, _ in half) / len(half)
        mean_m = sum(m for _, m in half) / len(half)
        spread = sum((t - mean_t) ** 2 for t, _ in half)
        return 60 * sum((t - mean_t) * (m - mean_m) for t, m in half) / spread


def run(minutes: float, clients: int, rate: float, told: Callable[[float, Soak], None]) -> Soak:
    """Calls ``told(seconds, so_far)`` now and then. Raises `Failed` where a reader lost a message or its connection."""
    slow = int(clients * SLOW)
    loop = Loop()
    with running(ORDERCAST) as server:
        shop = Shop(loop, server.port, CONNECTIONS)
        result = Soak(clients - slow, slow, Lateness(shop.sent))
        crowd, deaf = Crowd(loop, server.port, result.lateness), Crowd(loop, server.port)
        deaf.receive_buffer = SMALL_BUFFER
        shop.create(range(ORDERS))
        crowd.connect(operators(result.readers))
        deaf.connect(operators(slow, result.readers))
        for client in deaf.clients:
            client.stop_reading()
        watch = _Watch(loop, server, crowd, deaf, result, told)
        before = server.cpu_seconds()
        with loaded() as load:
            shop.change_open(rate, int(rate * 60 * minutes), watch)
            result.changes = len(shop.changed)
            crowd.wait(result.changes * result.readers, PATIENCE)
        result.server_share = (server.cpu_seconds() - before) / load.seconds
        result.load_share = load.share
        loop.rest(1)
        watch.look()
        loop.rest(1)
        crowd.check()
        crowd.check_seen(shop.changed)
        for part in (crowd, deaf, shop):
            part.close()
    loop.close()
    return result


class _Watch:
    """Looks now and then at the memory and at who was cut, and answers heartbeats for half of those who do not read."""

    def __init__(
        self,
        loop: Loop,
        server: Running,
        crowd: Crowd,
        deaf: Crowd,
        result: Soak,
        told: Callable[[float, Soak], None],
    ) -> None:
        self._server, self._crowd, self._deaf, self._result, self._told = server, crowd, deaf, result, told
        self._metrics = Connection(loop, server.port)
        self._began = self._next = time.perf_counter()
        self._asked = False
        self._known: dict[str, int] = {}

    def __call__(self) -> None:
        if time.perf_counter() >= self._next:
            self._next += SAMPLE
            self.look()

    def look(self) -> None:
        """Now."""
        now = time.perf_counter() - self._began
        self._crowd.check()
        self._crowd.settle()
        for client in self._deaf.clients[::2]:
            client.pong()
        self._result.memory.append((now, self._server.resident()))
        if not self._asked:
            self._asked = True
            self._metrics.send("GET", "/metrics", b"", self._read)
        self._told(now, self._result)

    def _read(self, status: int, body: bytes) -> None:
        self._asked = False
        now = time.perf_counter() - self._began
        for reason, number in _CLOSED.findall(body.decode()):
            if int(number) > self._known.get(reason, 0):
                self._known[reason] = int(number)
                self._result.cut.append((now, reason, int(number)))
