"""Tells boards of new targets: those of every node, through Redis; without it, each node sees what others have set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from ordercast.errors import StorageError
from ordercast.live.rooms import BOARD
from ordercast.socketio import Server

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
        while True:
            with suppress(StorageError):  # whoever follows the log says so
                if (targets := await settings.look()) is not None and not self._joined:
                    self._io.local.to(BOARD).emit("board:changed", {"targets": targets})
            await asyncio.sleep(every)

    @property
    def _joined(self) -> bool:
        return self._cluster is not None and self._cluster.connected
