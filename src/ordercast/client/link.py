"""The socket's life: connects, comes back, or stays away where the server has said so."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Literal, Protocol

import aiohttp

from ordercast.client.backoff import Backoff
from ordercast.client.connection import Reason, ended_by
from ordercast.client.cursors import Cursor
from ordercast.client.engine import Closed
from ordercast.client.errors import TokenError, Unreachable
from ordercast.client.sockets import Refused, ServerEnded, Socket, open_socket
from ordercast.client.tokens import Tokens

SETTLED = 5.0
"""s after which a connection counts as one. Whatever cuts it sooner will most likely do so the next time."""

_log = logging.getLogger("ordercast.client")


class LinkEvents(Protocol):
    """What a link tells of."""

    def connected(self, *, replays: bool, recovered: bool) -> None:
        """``replays``: what was missed, then ``caught_up``, or else ``resync`` comes first. ``recovered``: the server
        still knows what was watched."""

    def lost(self) -> None:
        """The connection is gone."""

    def failed(self, failures: int, why: Reason) -> None:
        """A try has failed, so many in a row."""

    def ended(self, reason: Reason) -> None:
        """For good."""

    def heard(self, name: str, args: list[Any]) -> None:
        """An event."""

    def alive(self) -> None:
        """A heartbeat."""


class Link:
    """One socket after the other."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,
        backoff: Backoff,
        patience: float,
        cursor: Callable[[], Cursor | None],
        events: LinkEvents,
    ) -> None:
        """``url``: where ``/socket.io/`` is; ``patience``: s that a connection may take, with each transport."""
        self._http = http
        self._url = url
        self._tokens = tokens
        self._backoff = backoff
        self._patience = patience
        self._cursor = cursor
        self._events = events
        self._hurry = asyncio.Event()
        self._pid: str | None = None
        self._failures = 0  # in a row
        self._renewed = False  # the token was refused, and a new one got, since the last connection
        self.socket: Socket | None = None

    def hurry(self) -> None:
        """Does not wait to try again: the network may have come back."""
        self._hurry.set()

    async def run(self) -> None:
        """Until the end for good, or until it is cancelled."""
        self._failures, self._renewed = 0, False
        while True:
            try:
                end = await self._once()
            except (TokenError, Unreachable) as error:
                self._failures += 1
                if self._failures == 1:
                    _log.info("no connection, trying again: %s", error)
                self._events.failed(self._failures, "token" if isinstance(error, TokenError) else "unreachable")
                await self._pause(self._failures)
                continue
            if end == "lost":
                await self._pause(1)
            elif end != "renewed":
                self._events.ended(end)
                return

    async def _once(self) -> Reason | Literal["lost", "renewed"]:
        """One connection from its beginning to its end: why it was the last, or that the next may come later or, with
        a new token, at once. Raises `TokenError`, `Unreachable`."""
        token = await self._tokens.current()
        try:
            socket, replays, recovered = await self._open(token)
        except Refused as refusal:
            end = ended_by(str(refusal))
            if end is None:
                raise Unreachable(str(refusal)) from refusal
            if end == "new_login" or not self._tokens.renewable or self._renewed:
                return end
            await self._tokens.after(token)
            self._renewed = True
            return "renewed"
        self._renewed = False
        begun = time.monotonic()
        end = await self._serve(socket, replays=replays, recovered=recovered)
        if time.monotonic() - begun >= SETTLED:
            self._failures = 0
        elif end is None:
            raise Unreachable("the connection was lost as soon as it was there")
        if end == "token_expired" and self._tokens.renewable:  # lives for less than the minute of warning, or was late
            self._events.lost()
            await self._tokens.after(token)
            return "renewed"
        return end or "lost"

    async def _open(self, token: str) -> tuple[Socket, bool, bool]:
        since, pid = self._cursor(), self._pid
        auth = {"token": token}
        if pid is not None:
            auth["pid"] = pid
        if since is not None:
            auth |= {"since": since, "offset": since}
        socket = await open_socket(self._http, self._url, auth, self._patience, self._events.alive)
        self._pid = socket.pid
        return socket, since is not None or pid is not None, pid is not None and pid == socket.pid

    async def _serve(self, socket: Socket, *, replays: bool, recovered: bool) -> Reason | None:
        """Hears all that comes; why the server has ended it, ``None`` where it is only gone."""
        farewell: Reason | None = None
        self.socket = socket
        try:
            self._events.connected(replays=replays, recovered=recovered)
            async with aclosing(socket.events()) as events:
                async for name, args in events:
                    if name == "force_disconnect":
                        reason = args[0].get("reason") if args and isinstance(args[0], dict) else None
                        farewell = ended_by(str(reason))
                    self._events.heard(name, args)
        except Closed:
            self._forget(socket)
            self._events.lost()
            return None
        except ServerEnded:
            return farewell or "ended"
        finally:
            self._forget(socket)
            await socket.close()
        raise AssertionError("events end by raising")

    def _forget(self, socket: Socket) -> None:
        if self.socket is socket:
            self.socket = None

    async def _pause(self, failures: int) -> None:
        self._hurry.clear()
        try:
            async with asyncio.timeout(self._backoff.delay(failures, random.random())):  # noqa: S311 - spreads, hides nothing
                await self._hurry.wait()
        except TimeoutError:
            pass
