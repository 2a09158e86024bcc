"""What sockets watch is kept for a while after it was saved: here it is saved anew for those that are still there."""

from __future__ import annotations

import structlog

from ordercast.errors import StorageError
from ordercast.live.sessions import Member
from ordercast.orders.ports import Watches
from ordercast.socketio import Server

_log = structlog.get_logger("ordercast")

PER_LIFE = 4
"""How often within the time that a watch is kept: a server may be killed just before the next one is due."""


class Renewal:
    """A killed server says no goodbye, so what is watched is renewed while it runs."""

    def __init__(self, io: Server, watches: Watches) -> None:
        self._io = io
        self._watches = watches
        self._running = False

    def begin(self) -> None:
        """Renews all in the background, unless that is under way."""
        if not self._running:
            self._running = True
            self._io.spawn(self._renew())

    async def _renew(self) -> None:
        try:
            for socket in self._io.sockets.copy().values():
                member = socket.data
                if socket.connected and isinstance(member, Member) and member.watching and socket.pid is not None:
                    await self._watches.save_all(socket.pid, member.principal.user_id, tuple(member.watching))
        except StorageError as error:
            _log.warning("what is watched could not be renewed; it is tried again later", error=str(error))
        finally:
            self._running = False
