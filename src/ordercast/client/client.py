"""One object for everything: a socket, REST where there is none, orders that keep themselves current, and the log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

import aiohttp

from ordercast.client.actions import Actions, Take
from ordercast.client.backoff import Backoff
from ordercast.client.connection import Connection
from ordercast.client.cursors import Cursor, read
from ordercast.client.errors import Ended
from ordercast.client.following import Events
from ordercast.client.ids import Id
from ordercast.client.live import Live
from ordercast.client.order_watch import OrderWatch
from ordercast.client.rest import Query, Rest, base_of
from ordercast.client.signals import Listener
from ordercast.client.tokens import Token, Tokens

CONNECT_TIMEOUT = 10.0  # s


class OrdercastClient(Actions):
    """A client of one server, as whoever the token says. Use it with ``async with``.

    REST and `events` need no connection. A socket is opened by the first thing that needs one: `watch_order`, `on` or
    `connect`.
    """

    def __init__(
        self,
        url: str,
        token: Token,
        *,
        since: Cursor | None = None,
        fallback: bool = True,
        backoff: Backoff | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        http: aiohttp.ClientSession | None = None,
    ) -> None:
        """``token``: one, or a function that gets one: called at first, before a token ends and when one was refused.
        ``since``: where an earlier client was (its `cursor`): what came after that is told first. ``fallback``: whether
        to ask REST while no socket can be had. ``connect_timeout``: s that a connection may take, with each transport.
        ``http``: a session of your own, for proxies and certificates; it stays open. Raises ``ValueError`` for a URL of
        no server and for what is no cursor, `TokenError` for a text that can be no token.
        """
        self._base = base_of(url)
        self._tokens = Tokens(token)
        self._since = None if since is None else read(since)
        self._fallback = fallback
        self._backoff = backoff or Backoff()
        self._connect_timeout = connect_timeout
        self._http = http
        self._owns_http = http is None
        self._parts: tuple[Rest, Live] | None = None

    async def __aenter__(self) -> Self:
        if self._http is None or self._http.closed:
            self._http, self._owns_http = aiohttp.ClientSession(), True
        rest = Rest(self._base, self._tokens, self._http)
        live = Live(
            self._http,
            f"{self._base}socket.io/",
            rest,
            self._tokens,
            self._backoff,
            self._connect_timeout,
            self._since,
            fallback=self._fallback,
        )
        self._parts = rest, live
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection and whatever waits for something. Twice does no harm."""
        if self._parts is not None:
            await self._live.close()
            self._since = self._live.cursor
        if self._http is not None and self._owns_http:
            await self._http.close()

    @property
    def _rest(self) -> Rest:
        return self._open()[0]

    @property
    def _live(self) -> Live:
        return self._open()[1]

    def _open(self) -> tuple[Rest, Live]:
        if self._parts is None:
            raise RuntimeError("write 'async with OrdercastClient(…) as client:' and use the client in there")
        return self._parts

    # -- the connection ------------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        """How live it is."""
        return self._live.connection

    @property
    def last_synced_at(self) -> datetime | None:
        """When what is shown was last known to be all there is; ``None``: never."""
        return self._live.heard_at if self.connection.status == "live" else self.connection.last_synced_at

    @property
    def cursor(self) -> Cursor | None:
        """Where the connection is in the log, to begin from another time (``since``); ``None``: not known yet."""
        return self._live.cursor

    @property
    def transport(self) -> str | None:
        """``websocket`` or ``polling`` while there is a socket."""
        return self._live.transport

    def connect(self) -> None:
        """Connects, also after the server has ended the connection for good."""
        self._live.connect()

    async def ready(self) -> Connection:
        """Connects, and waits until everything missed has been heard: `live`, or `polling`. Raises `Ended`."""
        self._live.connect()
        while self.connection.status not in ("live", "polling"):
            if self.connection.is_over:
                raise Ended(self.connection.reason or "ended")
            await self.changed()
        return self.connection

    async def changed(self) -> Connection:
        """Waits until `connection` changes."""
        await self._live.changes.after(self._live.changes.count)
        return self.connection

    async def disconnect(self) -> None:
        """Ends the connection until `connect`. What is watched stays so."""
        await self._live.disconnect()

    def retry_now(self) -> None:
        """Tries at once where it waits to try again: when the network is back."""
        self._live.hurry()

    async def refresh(self, token: str | None = None) -> None:
        """Goes on with this token, or with a new one of the token function. It does that by itself before a token ends,
        where it has a function. Raises `TokenError`, and `Problem` where the server does not take the token."""
        await self._live.refresh(token)

    # -- listening -----------------------------------------------------------------------------------------------

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        """Calls a function, ``async`` or not, with the payload of each event of this name; returns what ends that.

        Names are those of the contract (``order:updated``, ``order:created``, ``token:expiring``, ``resync`` …),
        ``connection`` (a `Connection`), ``token:refreshed``, ``token:refresh_failed``, and ``message`` (its name and
        its arguments) for events of the shop's own. Each event of the log is told once, but who is far behind hears
        only the newest of an order, and services hear only of what they watch: who must miss none follows `events`.
        """
        return self._live.on(name, listener)

    def watch_order(self, id: Id) -> OrderWatch:
        """An order that keeps itself current, until it is closed. Raises ``ValueError`` for what can be no id."""
        return self._live.watch(id)

    def events(self, since: Cursor | int | None = None) -> Events:
        """Every event that the token may see, once, in order: from after ``since`` on (`Event.cursor` of the last one
        that was dealt with; 0: the log's beginning), or from now on. Asks REST, which has all of it, whatever the
        connection is. Raises ``ValueError`` for what is no cursor.
        """
        return Events(self._rest, self._backoff, since)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        return await self._rest.call(method, path, query=query, body=body, idempotency_key=idempotency_key)

    def _taker(self, id: Id) -> Take:
        return self._live.watches.taker(id)
