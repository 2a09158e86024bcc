"""The client for scripts without asyncio: the same calls, which wait. An event loop on a thread does the work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from ordercast.client.client import OrdercastClient
from ordercast.client.connection import Connection
from ordercast.client.cursors import Cursor
from ordercast.client.errors import Ended
from ordercast.client.following import Events
from ordercast.client.ids import Id
from ordercast.client.models import Event, Order
from ordercast.client.order_watch import OrderWatch
from ordercast.client.tokens import Token

P = ParamSpec("P")
T = TypeVar("T")
Doing = Coroutine[Any, Any, T]


def _waiting(method: Callable[Concatenate[OrdercastClient, P], Doing[T]]) -> Callable[Concatenate[ScriptClient, P], T]:
    def call(self: ScriptClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(lambda client: method(client, *args, **kwargs))

    return update_wrapper(call, method)


class ScriptClient:
    """`OrdercastClient` for scripts. Use it with ``with``, from any thread."""

    def __init__(self, url: str, token: Token, *, since: Cursor | None = None, fallback: bool = True) -> None:
        """As `OrdercastClient`."""
        self._client = OrdercastClient(url, token, since=since, fallback=fallback)
        self._thread = threading.Thread(target=self._work, name="ordercast-client", daemon=True)
        self._begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._begun.wait()
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _work(self) -> None:
        try:
            asyncio.run(self._live())
        finally:
            self._begun.set()

    async def _live(self) -> None:
        async with self._client:
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._begun.set()
            await self._end.wait()

    def run(self, doing: Callable[[OrdercastClient], Doing[T]]) -> T:
        """Has something done by the client on its thread, and waits for it. Ctrl-C ends it, too."""
        if self._loop is None or self._loop.is_closed():
            raise RuntimeError("write 'with connect(…) as client:' and use the client in there")
        future = asyncio.run_coroutine_threadsafe(doing(self._client), self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    get_order = _waiting(OrdercastClient.get_order)
    list_orders = _waiting(OrdercastClient.list_orders)
    create_order = _waiting(OrdercastClient.create_order)
    put_order = _waiting(OrdercastClient.put_order)
    change_order = _waiting(OrdercastClient.change_order)
    change_status = _waiting(OrdercastClient.change_status)
    contact = _waiting(OrdercastClient.contact)
    claim = _waiting(OrdercastClient.claim)
    release = _waiting(OrdercastClient.release)
    share = _waiting(OrdercastClient.share)
    history = _waiting(OrdercastClient.history)
    workflow = _waiting(OrdercastClient.workflow)
    call = _waiting(OrdercastClient.call)

    @property
    def connection(self) -> Connection:
        """How live it is."""
        return self._client.connection

    def events(self, since: Cursor | int | None = None) -> ScriptEvents:
        """As `OrdercastClient.events`: ``for event in client.events(since=cursor)``."""
        return ScriptEvents(self, self._client.events(since))

    def watch_order(self, id: Id) -> ScriptWatch:
        """As `OrdercastClient.watch_order`: ``for order in client.watch_order(17)``."""

        async def watch(client: OrdercastClient) -> OrderWatch:
            return client.watch_order(id)

        return ScriptWatch(self, self.run(watch))


class ScriptEvents:
    """`Events` for scripts."""

    def __init__(self, script: ScriptClient, events: Events) -> None:
        self._script = script
        self._events = events

    @property
    def cursor(self) -> Cursor | None:
        """Where to go on another time."""
        return self._events.cursor

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        return self._script.run(lambda _: self._events.__anext__())


class ScriptWatch:
    """`OrderWatch` for scripts."""

    def __init__(self, script: ScriptClient, watch: OrderWatch) -> None:
        self._script = script
        self._watch = watch

    @property
    def order(self) -> Order | None:
        """As far as it is known; ``None`` before the first answer."""
        return self._watch.order

    def changed(self, timeout: float | None = None) -> Order:
        """The order when it has changed since the last call. Raises ``TimeoutError`` after so many seconds, and as
        `OrderWatch.changed` does."""

        async def wait(_: OrdercastClient) -> Order:
            async with asyncio.timeout(timeout):
                return await self._watch.changed()

        return self._script.run(wait)

    def close(self) -> None:
        """Watches it no more."""

        async def close(_: OrdercastClient) -> None:
            self._watch.close()

        self._script.run(close)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Order:
        try:
            return self.changed()
        except Ended as end:
            if end.reason != "closed":
                raise
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(url: str, token: Token, *, since: Cursor | None = None, fallback: bool = True) -> ScriptClient:
    """A client for a script: ``with connect(url, token) as client:``."""
    return ScriptClient(url, token, since=since, fallback=fallback)
