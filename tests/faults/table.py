"""The faults, each an object with `begin` and `end` (`tests.survive.Fault`), and how often and how long they last."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from ordercast.socketio.emitter import AsyncEmitter
from tests.faults.bus import Bus
from tests.faults.dying import ORDER, POINTS
from tests.faults.stalled import Stalled
from tests.harness import ROOT
from tests.postgres import PostgresServer
from tests.proxy import Proxy
from tests.sites import ManyServers, Node
from tests.survive import Fault

DIES = 20.0  # s that only bound a failure: under changes a node comes by everywhere within one
HOUR = 3_600  # s
NOTES = 0.03  # s between two events of the shop's own
LIBFAKETIME = "libfaketime.so.1"


@dataclass(frozen=True, slots=True)
class Scene:
    """What faults are made of: a site that has not started yet, its database server, and dice."""

    site: ManyServers
    postgres: PostgresServer
    dice: random.Random
    customers: int
    seed: int

    def bus(self) -> Bus:
        """The nodes' way to Redis, which is there once."""
        if not isinstance(self.site.redis_through, Bus):
            self.site.redis_through = Bus(self.seed)
        return self.site.redis_through


class _Base:
    name = ""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.site = scene.site

    async def end(self) -> None:
        """See `Fault`."""


class Dies(_Base):
    """kill -9 of a node at an exact point; started again at the end."""

    def __init__(self, scene: Scene, point: str) -> None:
        super().__init__(scene)
        self.name = f"killed {point}"
        self._point = point
        for node in self.site.nodes:
            node.command, node.pythonpath = ("tests.faults.dying", "serve"), str(ROOT)

    async def begin(self) -> None:
        """See `Fault`."""
        node = self.scene.dice.choice(self.site.nodes)
        order = node.folder / ORDER
        order.with_suffix(".new").write_text(f"{self._point} {self.scene.dice.randint(1, 8)}")
        order.with_suffix(".new").rename(order)
        async with asyncio.timeout(DIES):
            while node.runs:  # noqa: ASYNC110 - it has no way to say so
                await asyncio.sleep(0.005)
        order.unlink()

    async def end(self) -> None:
        """See `Fault`."""
        await self.site.revive()


class RedisKilled(_Base):
    """kill -9."""

    name = "Redis killed"

    async def begin(self) -> None:
        """See `Fault`."""
        self.site.redis.kill()

    async def end(self) -> None:
        """See `Fault`."""
        await asyncio.to_thread(self.site.redis.start)


class RedisFlushed(_Base):
    """All that it has is gone, and all subscribers are sent away."""

    name = "Redis flushed"

    async def begin(self) -> None:
        """See `Fault`."""
        async with Redis.from_url(self.site.redis.url) as redis:
            await redis.flushall()
            await redis.client_kill_filter(_type="pubsub")


class _Silent(_Base):
    proxy: Proxy

    async def begin(self) -> None:
        """See `Fault`."""
        self._hole = ExitStack()
        self._hole.enter_context(self.proxy.blackhole())

    async def end(self) -> None:
        """See `Fault`."""
        self._hole.close()


class RedisSilent(_Silent):
    """Takes every connection and says nothing."""

    name = "Redis silent"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.proxy = scene.bus()


class PostgresSilent(_Silent):
    """The same of the database."""

    name = "PostgreSQL silent"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self.proxy = self.site.database_through = Proxy(0)


class PostgresKilled(_Base):
    """kill -9 of all its processes."""

    name = "PostgreSQL killed"

    async def begin(self) -> None:
        """See `Fault`."""
        await asyncio.to_thread(self.scene.postgres.kill)

    async def end(self) -> None:
        """See `Fault`."""
        await asyncio.to_thread(self.scene.postgres.start)


class ClocksMoved(_Base):
    """One node's clock goes an hour forward and another's an hour back, while they run; then both are right again."""

    name = "clocks moved"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        for node in self.site.nodes[:2]:
            node.variables |= {
                "LD_PRELOAD": str(faketime()),
                "FAKETIME_TIMESTAMP_FILE": str(_clock(node)),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
            }
            _clock(node).write_text("+0\n")

    async def begin(self) -> None:
        """See `Fault`."""
        for node, offset in zip(self.site.nodes, (f"+{HOUR}", f"-{HOUR}"), strict=False):
            _clock(node).write_text(f"{offset}\n")

    async def end(self) -> None:
        """See `Fault`."""
        for node in self.site.nodes[:2]:
            _clock(node).write_text("+0\n")


def _clock(node: Node) -> Path:
    return node.folder / "clock"


def faketime() -> Path:
    """The library of Debian's package faketime. Raises ``FileNotFoundError``."""
    for found in Path("/usr/lib").glob(f"*/faketime/{LIBFAKETIME}"):
        return found
    raise FileNotFoundError(f"{LIBFAKETIME} is missing: `make tools` installs it")


class RollingRestart(_Base):
    """SIGTERM, wait, start: one node after the other."""

    name = "rolling restart"

    async def begin(self) -> None:
        """See `Fault`."""
        for node in self.site.nodes:
            await asyncio.to_thread(node.stop)
            await asyncio.to_thread(node.start)


class BusMixed(_Base):
    """Redis's messages come twice or late, while the shop sends events of its own to its customers over it."""

    name = "bus mixed"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._bus = scene.bus()

    async def begin(self) -> None:
        """See `Fault`."""
        self._bus.mixing = True
        self._noting = asyncio.create_task(self._note())

    async def _note(self) -> None:
        async with AsyncEmitter(self.site.redis.url) as emitter:
            number = 0
            while True:
                user = self.scene.dice.randrange(self.scene.customers)
                number += 1
                await emitter.to(f"user:{user}").emit("shop:note", {"to": user, "note": number})
                await asyncio.sleep(NOTES)

    async def end(self) -> None:
        """See `Fault`."""
        self._noting.cancel()
        await asyncio.wait([self._noting])
        self._bus.mixing = False
        assert self._bus.doubled, "nothing came twice"
        assert self._bus.delayed, "nothing came late"


class StopReading(_Base):
    """200 operators that never read."""

    name = "clients that never read"
    COUNT = 200

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._stalled = Stalled(self.COUNT)

    async def begin(self) -> None:
        """See `Fault`."""
        await self._stalled.come([node.port for node in self.site.nodes])

    async def end(self) -> None:
        """See `Fault`."""
        await self._stalled.go()


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of the table: ``words`` for people, how to make it, how often a run has it, and for how many s."""

    key: str
    words: str
    make: Callable[[Scene], Fault]
    times: int
    lasts: float


_WHERE = {
    "before commit": "right before it commits a change",
    "after commit": "right after it has committed, before anybody is told",
    "before publish": "before it tells the other nodes over Redis",
    "after publish": "after it has told the other nodes over Redis",
}


def _dies(point: str) -> Row:
    words = f"`kill -9` of a node {_WHERE[point]}; started again after 1 s"
    return Row(f"kill-{point.replace(' ', '-')}", words, lambda scene: Dies(scene, point), 3, 1.0)


TABLE = (
    *map(_dies, POINTS),
    Row("redis-3s", "Redis killed (`kill -9`), back after 3 s", RedisKilled, 2, 3.0),
    Row("redis-30s", "Redis killed (`kill -9`), back after 30 s", RedisKilled, 1, 30.0),
    Row("redis-flushed", "Redis flushed, its subscribers sent away", RedisFlushed, 4, 0.0),
    Row("redis-silent", "Redis takes connections and says nothing, for 30 s", RedisSilent, 1, 30.0),
    Row("postgres-killed", "PostgreSQL killed (`kill -9`), back after 3 s", PostgresKilled, 2, 3.0),
    Row("postgres-silent", "PostgreSQL takes connections and says nothing, for 10 s", PostgresSilent, 1, 10.0),
    Row("clocks", "one node's clock an hour ahead, another's an hour behind, for 10 s", ClocksMoved, 1, 10.0),
    Row("rolling", "rolling restart: SIGTERM and start, one node after the other", RollingRestart, 1, 0.0),
    Row("bus", "a third of Redis's messages come twice, a third late and out of order, for 10 s", BusMixed, 1, 10.0),
    Row("no-reading", f"{StopReading.COUNT} operators connect and never read, for 15 s", StopReading, 1, 15.0),
)
