"""One connection of Socket.IO: connects, hears events in order, says some."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp

from ordercast.client import packets
from ordercast.client.engine import FAREWELL, Alive, Closed, Polling, Session, WebSocket
from ordercast.client.errors import ClientError, Unreachable
from ordercast.client.packets import PacketError


class Refused(ClientError):
    """The server does not let one in: its text is why."""


class ServerEnded(Exception):
    """The server has ended the connection, so that the client stays away."""


@dataclass(slots=True)
class Socket:
    """An open connection. ``pid``: as whom to come back."""

    session: Session
    pid: str | None
    _ids: count[int] = field(default_factory=count)
    _asked: dict[int, asyncio.Future[list[Any]]] = field(default_factory=dict)

    async def events(self) -> AsyncGenerator[tuple[str, list[Any]], None]:
        """What the server says, in order: names and arguments. Ends by raising `Closed` or `ServerEnded`."""
        while True:
            packet = await _next(self.session)
            match packet.kind:
                case "event":
                    yield packet.data[0], packet.data[1:]
                case "ack" if packet.id in self._asked:
                    answer = self._asked.pop(packet.id)
                    if not answer.done():
                        answer.set_result(packet.data)
                case "disconnect":
                    raise ServerEnded

    async def emit(self, name: str, *args: Any) -> None:
        """Says something. Raises `Closed`."""
        await self.session.send(packets.event(name, args))

    async def ask(self, name: str, *args: Any, patience: float) -> Any:
        """Says something, and returns the answer. Raises `Closed`, also where none comes."""
        id = next(self._ids)
        answer = self._asked[id] = asyncio.get_running_loop().create_future()
        try:
            await self.session.send(packets.event(name, args, id))
            async with asyncio.timeout(patience):
                said = await answer
            return said[0] if said else None
        except TimeoutError:
            raise Closed(f"no answer to {name}") from None
        finally:
            self._asked.pop(id, None)

    async def close(self) -> None:
        """Leaves."""
        with suppress(Closed, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self.session.send(packets.DISCONNECT)
        await self.session.close()


async def _next(session: Session) -> packets.Packet:
    """The next packet, with its attachments. Raises `Closed`."""
    try:
        said = await session.receive()
        if isinstance(said, bytes):
            raise PacketError("a binary message of nothing")
        packet = packets.read(said)
        if packet.attachments == 0:
            return packet
        buffers = []
        for _ in range(packet.attachments):
            buffer = await session.receive()
            if isinstance(buffer, str):
                raise PacketError("text where a binary message belongs")
            buffers.append(buffer)
        return packets.Packet(packet.kind, packets.put_back(packet.data, buffers), packet.id)
    except PacketError as error:
        raise Closed(str(error)) from error


async def open_socket(
    http: aiohttp.ClientSession, url: str, auth: Mapping[str, Any], patience: float, alive: Alive
) -> Socket:
    """Connects over WebSocket, else over long-polling, each within ``patience`` seconds.

    Raises `Refused` where the server says no, `Unreachable`.
    """
    try:
        return await _within(patience, lambda: _open(WebSocket, http, url, auth, alive))
    except Unreachable:
        return await _within(patience, lambda: _open(Polling, http, url, auth, alive))


async def _within(patience: float, doing: Callable[[], Any]) -> Socket:
    try:
        async with asyncio.timeout(patience):
            socket: Socket = await doing()
            return socket
    except TimeoutError:
        raise Unreachable(f"no connection within {patience} s") from None


async def _open(
    transport: type[WebSocket | Polling], http: aiohttp.ClientSession, url: str, auth: Mapping[str, Any], alive: Alive
) -> Socket:
    session = await transport.open(http, url, alive)
    try:
        await session.send(packets.connect(dict(auth)))
        packet = await _next(session)
    except Closed as error:
        await session.close()
        raise Unreachable(str(error)) from error
    except BaseException:
        await session.close()
        raise
    if packet.kind == "connect":
        pid = (packet.data or {}).get("pid")
        return Socket(session, pid if isinstance(pid, str) else None)
    await session.close()
    if packet.kind == "refused":
        raise Refused(str((packet.data or {}).get("message", "")))
    raise Unreachable("the server speaks something else than Socket.IO")
