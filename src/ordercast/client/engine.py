"""Engine.IO sessions over aiohttp: WebSocket, or long-polling where that cannot be had.

Each is read by one task, in order, and ends with it: nothing runs beside it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self

import aiohttp

from ordercast.client import packets
from ordercast.client.errors import Unreachable
from ordercast.client.packets import Opened, PacketError

FAREWELL = 2.0
"""s that saying goodbye may take; the server finds out by itself too."""

_FAILURES = (aiohttp.ClientError, TimeoutError, OSError, PacketError)

Alive = Callable[[], None]
"""Called with each heartbeat."""


class Closed(Exception):
    """The session is gone."""


class Session(Protocol):
    """An open session, over the transport of this ``name``."""

    name: str

    async def receive(self) -> str | bytes:
        """The next message. Raises `Closed`."""

    async def send(self, message: str) -> None:
        """Sends a packet. Raises `Closed`."""

    async def close(self) -> None:
        """Ends it. Twice does no harm."""


class WebSocket:
    """A session on a WebSocket."""

    name = "websocket"

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, alive: Alive) -> None:
        self._ws = ws
        self._alive = alive
        self._silence = packets.NO_SILENCE

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, url: str, alive: Alive) -> Self:
        """Connects. Raises `Unreachable`."""
        try:
            timeout = aiohttp.ClientWSTimeout(ws_close=FAREWELL)
            ws = await http.ws_connect(
                url, params={"EIO": "4", "transport": "websocket"}, max_msg_size=0, compress=0, timeout=timeout
            )
        except _FAILURES as error:
            raise Unreachable(f"no WebSocket to {url}: {error}") from error
        session = cls(ws, alive)
        try:
            session._silence = packets.read_opened(str(await session._next())).silence
        except (Closed, PacketError) as error:
            await session.close()
            raise Unreachable(f"no WebSocket to {url}: {error}") from error
        except BaseException:
            await session.close()
            raise
        return session

    async def _next(self) -> str | bytes:
        try:
            said = await self._ws.receive(timeout=self._silence)
        except _FAILURES as error:
            raise Closed(f"nothing heard: {error}") from error
        if said.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise Closed("the WebSocket was closed")
        data: str | bytes = said.data
        return data

    async def receive(self) -> str | bytes:
        while True:
            said = await self._next()
            self._alive()
            if isinstance(said, bytes):
                return said
            match said[:1]:
                case "4":
                    return said[1:]
                case "2":
                    await self.send(packets.PONG)
                case "1":
                    raise Closed("the server has closed the session")

    async def send(self, message: str) -> None:
        try:
            await self._ws.send_str(message)
        except _FAILURES as error:
            raise Closed(str(error)) from error

    async def close(self) -> None:
        with suppress(*_FAILURES):
            await self._ws.close()


class Polling:
    """A session over long-polling."""

    name = "polling"

    def __init__(self, http: aiohttp.ClientSession, url: str, alive: Alive) -> None:
        self._http = http
        self._url = url
        self._alive = alive
        self._query = {"EIO": "4", "transport": "polling"}
        self._opened: Opened | None = None
        self._waiting: deque[str | bytes] = deque()
        self._posting = asyncio.Lock()

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, url: str, alive: Alive) -> Self:
        """Connects. Raises `Unreachable`."""
        session = cls(http, url, alive)
        try:
            first, *others = packets.split_payload(await session._request("GET"))
            session._opened = packets.read_opened(str(first))
        except (Closed, PacketError) as error:
            raise Unreachable(f"no long-polling at {url}: {error}") from error
        session._query["sid"] = session._opened.sid
        session._waiting.extend(others)
        return session

    async def _request(self, method: str, body: str | None = None, patience: float | None = None) -> str:
        if patience is None:
            patience = self._opened.silence if self._opened else packets.NO_SILENCE
        timeout = aiohttp.ClientTimeout(total=patience)
        headers = {"Content-Type": "text/plain;charset=UTF-8"} if body is not None else {}
        data = None if body is None else body.encode()
        try:
            async with self._http.request(
                method, self._url, params=self._query, data=data, headers=headers, timeout=timeout
            ) as response:
                if response.status != 200:
                    raise Closed(f"the server answered {response.status}")
                return await response.text("utf-8")
        except _FAILURES as error:
            raise Closed(str(error)) from error

    async def receive(self) -> str | bytes:
        while True:
            while not self._waiting:
                try:
                    self._waiting.extend(packets.split_payload(await self._request("GET")))
                except PacketError as error:
                    raise Closed(str(error)) from error
                self._alive()
            said = self._waiting.popleft()
            if isinstance(said, bytes):
                return said
            match said[:1]:
                case "4":
                    return said[1:]
                case "2":
                    await self.send(packets.PONG)
                case "1":
                    self._opened = None
                    raise Closed("the server has closed the session")

    async def send(self, message: str) -> None:
        async with self._posting:
            await self._request("POST", message)

    async def close(self) -> None:
        if self._opened is None:
            return
        self._opened = None
        with suppress(Closed):
            await self._request("POST", packets.CLOSE, FAREWELL)
