"""A server that a test plays, for the Python client's live side: sockets by hand, and REST as a function."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest

from ordercast.client import link
from ordercast.client.backoff import Backoff
from ordercast.client.connection import Connection
from ordercast.client.errors import Problem
from ordercast.client.live import Live
from ordercast.client.rest import Rest
from ordercast.client.sockets import Socket
from ordercast.client.tokens import Token, Tokens
from tests.harness import Json

WAIT = 60.0  # s; bounds a failure only
AT_ONCE = Backoff(0.0, 0.0)
NOT_FOUND = Problem(404, {"type": "urn:ordercast:not-found", "title": "There is no such order"})
WORKFLOW = {"statuses": [{"name": "received", "step": 1}, {"name": "accepted", "step": 2}]}


def order(version: int = 1, status: str = "received", **fields: Any) -> Json:
    at = "2026-01-01T00:00:00.000Z"
    made = {"orderId": 17, "customerId": 42, "status": status, "step": 1, "version": version, "items": []}
    return {**made, "fulfilment": "delivery", "statusSince": at, "createdAt": at, "updatedAt": at, **fields}


def updated(version: int, position: int | None = None) -> Json:
    at = f"2026-01-01T00:00:{version:02}.000Z"
    place = {"version": version, "position": position or version}
    return {"orderId": 17, "status": "accepted", "updatedAt": at, **place}


def page(*positions: int, cursor: int) -> Json:
    events = [{"event": "order:updated", "data": updated(p), "position": p} for p in positions]
    return {"events": events, "position": cursor, "cursor": f"log.{cursor}"}


class FakeSocket:
    """A connection that a test plays the server of."""

    name = "websocket"

    def __init__(self, auth: Mapping[str, Any]) -> None:
        self.auth = dict(auth)
        self.pid = "pid"
        self.session = self
        self.said: list[tuple[Any, ...]] = []
        self.coming: asyncio.Queue[tuple[str, list[Any]] | Exception] = asyncio.Queue()
        self.closed = False

    async def events(self) -> AsyncGenerator[tuple[str, list[Any]], None]:
        while True:
            what = await self.coming.get()
            if isinstance(what, Exception):
                raise what
            yield what

    async def emit(self, name: str, *args: Any) -> None:
        self.said.append((name, *args))

    async def ask(self, name: str, *args: Any, patience: float) -> Any:
        self.said.append((name, *args))
        return {"expiresAt": 1} if args[0] != "bad" else {"error": "Invalid token"}

    async def close(self) -> None:
        self.closed = True


class Shop:
    """The server. ``answers``: what tries to connect get, in turn; then each is let in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[Exception] = []
        self.sockets: asyncio.Queue[FakeSocket] = asyncio.Queue()
        self.tries: list[Json] = []
        self.order: Json | Exception = order()
        self.pages: asyncio.Queue[Json | Exception] = asyncio.Queue()
        self.asked: list[Mapping[str, Any]] = []
        monkeypatch.setattr(link, "open_socket", self._open)

    async def _open(self, http: Any, url: str, auth: Mapping[str, Any], patience: float, alive: Any) -> Socket:
        self.tries.append(dict(auth))
        if self.answers:
            raise self.answers.pop(0)
        socket = FakeSocket(auth)
        self.sockets.put_nowait(socket)
        return cast("Socket", socket)

    async def call(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, **_: Any) -> Any:
        if path == "workflow":
            return WORKFLOW
        if path == "events":
            self.asked.append(query or {})
            return _given(await self.pages.get())
        return _given(self.order)

    async def socket(self) -> FakeSocket:
        """The connection that comes next."""
        async with asyncio.timeout(WAIT):
            return await self.sockets.get()


def _given(answer: Json | Exception) -> Json:
    if isinstance(answer, Exception):
        raise answer
    return answer


class Seen:
    """A client's live side and what it has told."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.states: list[str] = []
        live._emitter.on("connection", lambda state: self.states.append(shown(state)))

    async def until(self, status: str) -> None:
        async with asyncio.timeout(WAIT):
            while shown(self.live.connection) != status:
                await self.live.changes.after(self.live.changes.count)


def shown(state: Connection) -> str:
    return state.status if state.reason is None else f"{state.status} {state.reason}"


@asynccontextmanager
async def living(shop: Shop, token: Token = "t", since: str | None = None, **options: Any) -> AsyncIterator[Seen]:
    rest = cast("Rest", shop)
    http = cast("aiohttp.ClientSession", None)
    backoff = options.pop("backoff", AT_ONCE)
    live = Live(http, "", rest, Tokens(token), backoff, 1.0, since, **{"fallback": True, **options})
    try:
        yield Seen(live)
    finally:
        await live.close()


async def turn() -> None:
    """Everything that can go on has gone on."""
    for _ in range(50):
        await asyncio.sleep(0)
