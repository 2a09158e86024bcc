"""Leaves the clients to other nodes: a few at a time, so that they do not all arrive there in the same moment."""

from __future__ import annotations

import asyncio
import math
import random

from ordercast.engineio import disconnects
from ordercast.engineio.server import EngineServer

SLICE = 0.1
"""s between two handfuls: a node takes some hundred connects in that time."""


async def drain(engine: EngineServer, seconds: float) -> None:
    """Ends all sessions within ``seconds``, in no order that anyone could guess; from the beginning none is opened.

    Those that remain are served as ever until it is their turn. Returns when the last has been told; its transport may
    still be open (`EngineServer.close` waits for that).
    """
    engine.stop_accepting()
    waiting = list(engine.sessions.values())
    random.shuffle(waiting)
    handful = math.ceil(len(waiting) * SLICE / max(seconds, SLICE))
    while waiting:
        turn, waiting = waiting[:handful], waiting[handful:]
        for session in turn:
            session.close(disconnects.SHUTDOWN)
        if waiting:
            await asyncio.sleep(SLICE * random.uniform(0.5, 1))  # noqa: S311 - to spread, not to hide
