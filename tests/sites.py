"""What a run of `tests.survive` stands on: one server on a file, or several nodes behind nginx on one PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sqlite3
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import asyncpg

from tests.harness import ServerProcess
from tests.histories import Entry
from tests.nginx import Nginx
from tests.proxy import Proxy
from tests.redis_server import RedisServer

_LOG = (
    "SELECT position, order_id, version, status, customer_id, shop_id, kind, previous_status, fields "
    "FROM order_events ORDER BY position"
)
_HEAD = "SELECT n FROM log_head"


class Site(Protocol):
    """Where the clients and the shop's backend go."""

    port: int
    """Of 127.0.0.1; another may be after `revive`."""

    async def start(self) -> None:
        """Starts all of it."""

    async def kill(self, dice: random.Random) -> None:
        """A power cut, of one of the servers."""

    async def revive(self) -> None:
        """Starts those again that are dead."""

    async def stop(self) -> None:
        """Stops all of it, whatever state it is in."""

    async def head(self) -> int:
        """How far the event log goes."""

    async def log(self) -> list[Entry]:
        """The event log, as the database has it."""


def free_port() -> int:
    """One of 127.0.0.1 that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class OneServer:
    """``serve`` on SQLite."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.port = 0

    async def start(self) -> None:
        """See `Site`."""
        self.port = (await asyncio.to_thread(self._server.start)).port

    async def kill(self, dice: random.Random) -> None:
        """See `Site`."""
        self._server.kill()

    async def revive(self) -> None:
        """See `Site`."""
        await self.start()

    async def stop(self) -> None:
        """See `Site`."""
        await asyncio.to_thread(self._server.stop)

    async def head(self) -> int:
        """See `Site`."""
        ((head,),) = self._read(_HEAD)
        return int(head)

    async def log(self) -> list[Entry]:
        """See `Site`."""
        return _entries(self._read(_LOG))

    def _read(self, sql: str) -> list[Any]:
        db = sqlite3.connect(self._server.folder / "orders.db")
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()


class Node(ServerProcess):
    """One of several. ``variables``: what its environment has besides."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        super().__init__(folder)
        self.settings = dict(settings)
        self.variables: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """See `ServerProcess`."""
        return super().environment | self.variables

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None


class ManyServers:
    """``nodes`` of ``serve`` behind nginx in plain round-robin, on a PostgreSQL database and a Redis of their own.

    Whoever sets ``redis_through`` or ``database_through`` before the start, to a proxy that is not open yet, has the
    nodes reach them over it.
    """

    def __init__(self, folder: Path, database_url: str, nodes: int = 3, ping: str = "25") -> None:
        self._database_url = database_url
        folders = [folder / name for name in ("nginx", "redis", *(f"node-{number}" for number in range(nodes)))]
        for each in folders:
            each.mkdir()
        self._nginx_folder = folders[0]
        self._nginx: Nginx | None = None
        self._redis_port = free_port()
        self._proxies = AsyncExitStack()
        self.redis_through: Proxy | None = None
        self.database_through: Proxy | None = None
        self.redis = RedisServer(folders[1], "--port", str(self._redis_port))
        settings = {"trusted_proxies": "127.0.0.1", "ping_interval": ping, "ping_timeout": ping}
        self.nodes = [Node(each, settings) for each in folders[2:]]
        self.port = 0

    async def start(self) -> None:
        """See `Site`."""
        await asyncio.to_thread(self.redis.start)
        redis, database = self.redis.url, urlsplit(self._database_url)
        if self.redis_through is not None:
            self.redis_through.target = self._redis_port
            await self._proxies.enter_async_context(self.redis_through)
            redis = f"redis://127.0.0.1:{self.redis_through.port}"
        if self.database_through is not None:
            assert database.port is not None
            self.database_through.target = database.port
            await self._proxies.enter_async_context(self.database_through)
            login = database.netloc.rpartition("@")[0]
            database = database._replace(netloc=f"{login}@127.0.0.1:{self.database_through.port}")
        for node in self.nodes:
            node.settings |= {"redis_url": redis, "database_url": database.geturl()}
        await self.revive()
        self._nginx = Nginx(self._nginx_folder, [node.port for node in self.nodes], limits=False).start()
        self.port = self._nginx.port

    async def kill(self, dice: random.Random) -> None:
        """See `Site`."""
        dice.choice(self.nodes).kill()

    async def revive(self) -> None:
        """See `Site`."""
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in self.nodes if not node.runs))

    async def stop(self) -> None:
        """See `Site`."""
        if self._nginx is not None:
            self._nginx.__exit__()
        try:
            await asyncio.gather(*(asyncio.to_thread(node.stop) for node in self.nodes if node.runs))
        finally:
            self.redis.kill()
            await self._proxies.aclose()

    async def head(self) -> int:
        """See `Site`."""
        ((head,),) = await self._read(_HEAD)
        return int(head)

    async def log(self) -> list[Entry]:
        """See `Site`."""
        return _entries(await self._read(_LOG))

    async def _read(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self._database_url)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()


def _entries(rows: Iterable[Any]) -> list[Entry]:
    entries = []
    for position, order, version, status, customer, shop, kind, previous, fields in rows:
        public = kind == "created" or previous is not None or bool(set(json.loads(fields)) - {"claimed_by"})
        if kind != "created":
            kind = "status" if previous is not None else fields
        entries.append(Entry(position, order, version, status, customer, shop, public, kind))
    return entries
