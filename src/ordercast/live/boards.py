"""Tells boards of new targets: those of every node, through Redis; without it, each node sees what others have set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import structlog

from ordercast.errors import StorageError
from ordercast.live.rooms import BOARD
from ordercast.socketio import Server

_log = structlog.get_logger("ordercast")

LOOK = 2.0
"""s between two looks at what others may have set, as the log is looked at where nothing hints at news."""


class Cluster(Protocol):
    """What joins the nodes."""

    @property
    def connected(self) -> bool: ...


class Settings(Protocol):
    """Where targets are: `ordercast.orders.board.Board`."""

    async def look(self) -> Mapping[str, int] | None: ...


class Boards:
    """All of them; ``cluster``: ``None`` where there is no Redis."""

    def __init__(self, io: Server, cluster: Cluster | None) -> None:
        self._io = io
        self._cluster = cluster

    def tell(self, targets: Mapping[str, int]) -> None:
        """Those of every node that can be reached from here."""
        self._io.to(BOARD).emit("board:changed", {"targets": targets})

    @asynccontextmanager
    async def following(self, settings: Settings, every: float = LOOK) -> AsyncIterator[None]:
        """Tells this node's boards what others set while the context is open."""
        task = asyncio.create_task(self._keep_looking(settings, every), name="ordercast boards")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _keep_looking(self, settings: Settings, every: float) -> None:
        told = False  # by Redis, all the time since the last look
        while True:
            before, told = told, self._joined
            try:
                if (targets := await settings.look()) is not None and not (before and told):
                    self._io.local.to(BOARD).emit("board:changed", {"targets": targets})
            except StorageError:
                pass  # whoever follows the log says so
            except Exception:
                _log.exception("boards here may show old targets")
            await asyncio.sleep(every)

    @property
    def _joined(self) -> bool:
        return self._cluster is not None and self._cluster.connected
