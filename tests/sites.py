"""What a run of `tests.survive` stands on: one server on a file, or several nodes behind nginx on one PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from tests.harness import ServerProcess
from tests.histories import Entry
from tests.nginx import Nginx
from tests.redis_server import RedisServer

_LOG = (
    "SELECT position, order_id, version, status, customer_id, shop_id, kind, previous_status, fields "
    "FROM order_events ORDER BY position"
)


class Site(Protocol):
    """Where the clients and the shop's backend go."""

    port: int
    """Of 127.0.0.1; another may be after `kill`."""

    def start(self) -> None:
        """Starts all of it."""

    async def kill(self, dice: random.Random) -> None:
        """A power cut, of one of the servers; it is back when this returns."""

    def stop(self) -> None:
        """Stops all of it, whatever state it is in."""

    async def log(self) -> list[Entry]:
        """The event log, as the database has it."""


class OneServer:
    """``serve`` on SQLite."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self.port = 0

    def start(self) -> None:
        """See `Site`."""
        self.port = self._server.start().port

    async def kill(self, dice: random.Random) -> None:
        """See `Site`."""
        self._server.kill()
        await asyncio.to_thread(self.start)

    def stop(self) -> None:
        """See `Site`."""
        self._server.stop()

    async def log(self) -> list[Entry]:
        """See `Site`."""
        db = sqlite3.connect(self._server.folder / "orders.db")
        try:
            return _entries(db.execute(_LOG))
        finally:
            db.close()


class ManyServers:
    """``nodes`` of ``serve`` behind nginx in plain round-robin, on a PostgreSQL database and a Redis of their own."""

    def __init__(self, folder: Path, database_url: str, nodes: int = 3, ping: str = "25") -> None:
        self._database_url = database_url
        folders = [folder / name for name in ("nginx", "redis", *(f"node-{number}" for number in range(nodes)))]
        for each in folders:
            each.mkdir()
        self._nginx_folder = folders[0]
        self._nginx: Nginx | None = None
        self.redis = RedisServer(folders[1])
        self.nodes = [
            ServerProcess(
                each,
                database_url=database_url,
                redis_url=self.redis.url,
                trusted_proxies="127.0.0.1",
                ping_interval=ping,
                ping_timeout=ping,
            )
            for each in folders[2:]
        ]
        self.port = 0

    def start(self) -> None:
        """See `Site`."""
        self.redis.start()
        for node in self.nodes:
            node.start()
        self._nginx = Nginx(self._nginx_folder, [node.port for node in self.nodes], limits=False).start()
        self.port = self._nginx.port

    async def kill(self, dice: random.Random) -> None:
        """See `Site`."""
        node = dice.choice(self.nodes)
        node.kill()
        await asyncio.to_thread(node.start)

    def stop(self) -> None:
        """See `Site`."""
        if self._nginx is not None:
            self._nginx.__exit__()
        try:
            for node in self.nodes:
                node.stop()
        finally:
            self.redis.kill()

    async def log(self) -> list[Entry]:
        """See `Site`."""
        connection = await asyncpg.connect(self._database_url)
        try:
            return _entries(await connection.fetch(_LOG))
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
