"""`python-socketio`'s client, an implementation not ours, as the tests use it."""

from __future__ import annotations

from typing import Any

import aiohttp
import socketio


class PythonSocketIO(socketio.AsyncClient):  # type: ignore[misc]  # python-socketio has no types
    """Reconnects only if told to, and owns its sessions of aiohttp.

    Left to itself it forgets a session that a quick reconnection opens while the one before it still closes, and keeps
    the one in which it was refused.
    """

    def __init__(self, **options: Any) -> None:
        self._sessions: list[aiohttp.ClientSession] = []
        super().__init__(**{"reconnection": False, "http_session": self._session, **options})

    def _session(self) -> aiohttp.ClientSession:
        self._sessions.append(aiohttp.ClientSession())
        return self._sessions[-1]

    async def connect(self, *args: Any, **options: Any) -> None:
        """Connects, or leaves nothing open."""
        try:
            await super().connect(*args, **options)
        except Exception:
            await self._close_sessions()
            raise

    async def disconnect(self) -> None:
        """Hangs up, and leaves nothing open."""
        await super().disconnect()
        await self._close_sessions()

    async def _close_sessions(self) -> None:
        while self._sessions:
            await self._sessions.pop().close()
