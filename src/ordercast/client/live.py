"""The live side of a client: a socket, REST in its place, and what is made of what they say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import aiohttp

from ordercast.client.arrivals import Arrivals
from ordercast.client.backoff import Backoff
from ordercast.client.connection import IDLE, Connection, Reason
from ordercast.client.cursors import Cursor, moved_to, newest
from ordercast.client.engine import Closed
from ordercast.client.errors import Ended
from ordercast.client.ids import Id, text_of
from ordercast.client.link import Link
from ordercast.client.models import GONE, LOG_EVENTS
from ordercast.client.order_watch import OrderWatch
from ordercast.client.poller import Page, poll
from ordercast.client.renewal import Renewal
from ordercast.client.rest import Rest
from ordercast.client.signals import Emitter, Listener, Signal, Tasks, stopped
from ordercast.client.steps import Steps
from ordercast.client.tokens import Tokens
from ordercast.client.watches import Watches

_log = logging.getLogger("ordercast.client")

FALLBACK_AFTER = 2
"""Tries to connect that fail before REST is asked: one may have met a restart."""

_CONTROL = (
    "position",
    "caught_up",
    "resync",
    "watching",
    "watch:denied",
    "token:expiring",
    "force_disconnect",
    "board:changed",
)


class Live:
    """What happens, and what comes of it."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        rest: Rest,
        tokens: Tokens,
        backoff: Backoff,
        patience: float,
        since: Cursor | None,
        *,
        fallback: bool,
    ) -> None:
        self.connection: Connection = IDLE
        self.changes = Signal()
        self.cursor = since
        self.heard_at = datetime.now(UTC)
        self._rest = rest
        self._tokens = tokens
        self._backoff = backoff
        self._fallback = fallback
        self._arrivals = Arrivals()
        self._tasks = Tasks()
        self._emitter = Emitter(self._tasks)
        self._link = Link(http, url, tokens, backoff, patience, lambda: self.cursor, self)
        self._running: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None
        self._session = object()  # the socket's connection: what was begun on an earlier one counts no more
        self._steps = Steps(rest, self._tasks)
        self.watches = Watches(
            self._tasks, lambda id: rest.call("GET", f"orders/{id}"), self._say, self._steps.step_of, backoff
        )
        self._renewal = Renewal(
            tokens, backoff, self._tasks, self._emitter, lambda: self._link.socket, self.watches.retry
        )

    # -- what the client asks for --------------------------------------------------------------------------------

    @property
    def transport(self) -> str | None:
        """The transport of the socket, if there is one."""
        return None if self._link.socket is None else self._link.socket.session.name

    def connect(self) -> None:
        """Begins."""
        if not self.connection.is_over:
            return
        self._become(self.connection.opening())
        self._tokens.ask_anew()
        self.watches.resume()
        self._steps.learn(self.watches.show)
        self._running = self._tasks.spawn(self._link.run(), self._broke)

    async def disconnect(self) -> None:
        """Ends, and waits until the socket has."""
        running = self._running
        self.ended("closed")
        if running is not None:
            await asyncio.wait([running])

    async def close(self) -> None:
        """Ends all of it."""
        await self.disconnect()
        await self._tasks.close()
        await self._tokens.close()

    def hurry(self) -> None:
        """Tries at once."""
        self._link.hurry()

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        """Adds a listener."""
        off = self._emitter.on(name, listener)
        self._connect_first()
        return off

    def watch(self, id: Id) -> OrderWatch:
        """Watches an order. Raises ``ValueError`` for what is no id."""
        text_of(id)
        self._connect_first()
        return OrderWatch(id, self.watches)

    def _connect_first(self) -> None:
        if self.connection.reason == "idle":
            self.connect()

    async def refresh(self, token: str | None) -> None:
        """Goes on with a new token."""
        await self._renewal.refresh(token)

    # -- what happens (`LinkEvents`, `PollerEvents`) -------------------------------------------------------------

    def connected(self, *, replays: bool, recovered: bool) -> None:
        self._session = object()
        self.alive()
        self._become(self.connection.connected())
        self.watches.connected(recovered=recovered)
        if not replays:
            self._synced()

    def lost(self) -> None:
        self._session = object()
        self._renewal.stop()
        self._become(self.connection.lost(self.heard_at))

    def failed(self, failures: int, why: Reason) -> None:
        if not self._fallback or why == "token":
            self._become(self.connection.failed(why))
        if self._fallback and failures >= FALLBACK_AFTER and self._polling is None:
            polling = poll(self._rest, self._backoff, lambda: self.cursor, self)
            self._polling = self._tasks.spawn(polling, self._broke)

    def ended(self, reason: Reason) -> None:
        self._session = object()
        self._running = stopped(self._running)
        self._polling = stopped(self._polling)
        self._renewal.stop()
        self.watches.pause(Ended(reason))
        self._become(self.connection.ended(reason, self.heard_at))  # last: who hears of it may connect again

    def _broke(self) -> None:
        self.ended("broken")

    def alive(self) -> None:
        self.heard_at = datetime.now(UTC)

    def heard(self, name: str, args: list[Any]) -> None:
        self.alive()
        data = args[0] if args else None
        if name in LOG_EVENTS:
            self._logged(name, data)
        elif name in _CONTROL:
            self._told(name, data)
        else:
            self._emitter.emit("message", name, args)

    async def restarted(self, page: Page) -> None:
        """As ``_resync``, where it polls: whoever keeps something themselves is told alike."""
        anew = self.cursor is not None or self.connection.last_synced_at is not None
        self.cursor = page["cursor"]
        self._arrivals = Arrivals(page["position"])
        if anew:
            self._emitter.emit("resync", {"position": page["position"]})
        await self.watches.reset()

    def polled(self, page: Page) -> None:
        self.alive()
        for said in page["events"]:
            if said["event"] in LOG_EVENTS:
                self._logged(said["event"], said["data"])
        self.cursor = newest(self.cursor, page["cursor"])
        before = self.connection.status
        self._become(self.connection.polled(self.heard_at))
        if before != "polling":
            self.watches.resume()
        if before == "offline":
            self._link.hurry()  # what brought REST back may have brought the socket back too

    def missed(self, why: Reason) -> None:
        if self._link.socket is None:
            self._become(self.connection.failed(why))

    # -- what comes of it ----------------------------------------------------------------------------------------

    def _become(self, after: Connection) -> None:
        before, self.connection = self.connection, after
        if after != before:
            self.changes.set()
            if after.status != before.status or after.status == "offline":
                self._emitter.emit("connection", after)

    def _synced(self) -> None:
        self._polling = stopped(self._polling)
        self.alive()
        self._become(self.connection.synced(self.heard_at))
        self.watches.resume()
        self._steps.learn(self.watches.show)

    def _told(self, name: str, data: Any) -> None:
        with _understanding(name):
            self._control(name, data)
            self._emitter.emit(name, data)

    def _control(self, name: str, data: Any) -> None:
        match name:
            case "position":
                self.cursor = newest(self.cursor, data)
            case "caught_up":
                self.cursor = moved_to(self.cursor, data["position"])
                self._synced()
            case "resync":
                self._resync(data["position"])
            case "watching":
                self.watches.acknowledged(data["orderId"])
                self.watches.heard(data["orderId"], lambda known: known.with_glimpse(data))
            case "watch:denied":
                self.watches.denied(data["orderId"], data["error"])
            case "token:expiring":
                self._renewal.expiring(data["expiresAt"])

    def _logged(self, name: str, data: Any) -> None:
        with _understanding(name):
            arrived = self._arrivals.with_event(name, data["position"])
            if name == GONE:
                if arrived is not None:  # once: it may have come back since
                    self.watches.gone(data["orderId"])
            elif name == "order:created":
                self.watches.heard(data["orderId"], lambda known: known.with_snapshot(data))
            else:
                self.watches.heard(data["orderId"], lambda known: known.with_event(data))
            if arrived is not None:
                self._arrivals = arrived
                self._emitter.emit(name, data)

    def _resync(self, position: int) -> None:
        """The server cannot tell what was missed, or has another log than the one known."""
        self.cursor = None  # the next `position` tells it; until then the connection's pid serves
        self._arrivals = Arrivals(position)
        self._polling = stopped(self._polling)
        self._tasks.spawn(self._start_anew(self._session), self._broke)

    async def _start_anew(self, session: object) -> None:
        await self.watches.reset()
        if session is self._session:
            self._synced()

    def _say(self, name: str, id: str) -> None:
        """Tells the server, where there is a connection to say it on."""
        if (socket := self._link.socket) is not None:
            self._tasks.spawn(_said(socket.emit(name, id)))


@contextmanager
def _understanding(name: str) -> Iterator[None]:
    """Lets an event that is not as it should be harm no other."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError):
        _log.exception("%s cannot be understood; is the server much newer?", name)


async def _said(saying: Awaitable[None]) -> None:
    with suppress(Closed):  # said again on the next connection
        await saying
