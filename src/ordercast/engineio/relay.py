"""A WebSocket for another node's session: its bytes go there and back as they are."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.passing import elsewhere, head_of
from ordercast.engineio.peers import CONNECT, split
from ordercast.engineio.query import parse_handshake_query
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer


class End(asyncio.Protocol):
    """One of two connections whose ends belong together: what comes from either goes to the other."""

    def __init__(self, connections: set[Any] | None = None) -> None:
        """``connections``: uvicorn's, where it is the client's end."""
        self._connections = connections
        self.transport: asyncio.Transport | None = None
        self.other: End | None = None
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        if self._connections is not None:
            self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.lost:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if self._connections is not None:
            self._connections.discard(self)
        if self.other is not None:
            self.other.close()

    def close(self) -> None:
        """What was written still goes out."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    shutdown = close
    """uvicorn's last word to each connection when it stops. The client comes back on another node."""


def address_for(engine: EngineServer, request: Request) -> str | None:
    """Where the session is that a WebSocket is to upgrade; ``None`` where it is here, or is to be refused here."""
    if b"sid=" not in request.query_string:
        return None
    try:
        engine.gate.check_request(request)
        query = parse_handshake_query(engine, request.query_string)
        if query.sid is None or query.sid in engine.sessions:
            return None
        return elsewhere(engine, query.sid, request)
    except Refused:
        return None


async def relay(engine: EngineServer, client: End, request: Request, address: str, refused: bytes) -> None:
    """Connects the client's end, which does not read yet, with the node at this address; or answers ``refused``."""
    assert client.transport is not None
    node = End()
    try:
        async with asyncio.timeout(CONNECT):
            await asyncio.get_running_loop().create_connection(lambda: node, *split(address))
    except OSError:  # TimeoutError is one
        engine.journal.refusal(Refusal.UNKNOWN_SESSION, engine.gate.address_of(request))
        client.transport.write(refused)
        client.transport.close()
        return
    assert node.transport is not None
    client.other, node.other = node, client
    if client.lost:
        node.close()
        return
    node.transport.write(head_of("GET", request, upgrade=True))
    client.transport.resume_reading()
