"""The composition root: builds every part of Ordercast, wires it, and owns its lifespan."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Self

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from ordercast import wiring
from ordercast.adopting import Parts, Reloads, look
from ordercast.api.application import create_api
from ordercast.api.warm import warm
from ordercast.auth import TokenVerifier
from ordercast.auth.shares import ShareTokens
from ordercast.config import Settings, load_settings
from ordercast.config_changes import Changes
from ordercast.config_forms import NO_REDIS
from ordercast.errors import SettingsError
from ordercast.live.boards import Boards
from ordercast.live.every import every
from ordercast.live.feed import Feed
from ordercast.live.freshness import Freshness
from ordercast.live.hints import looking
from ordercast.live.limit import ConnectionLimit, SharedLimit
from ordercast.live.monitor import Monitor
from ordercast.live.nodes import Nodes, address_of
from ordercast.live.renewal import PER_LIFE, Renewal
from ordercast.live.sessions import TokenClock
from ordercast.measuring import bind
from ordercast.metrics import Metrics
from ordercast.orders.board import Board
from ordercast.orders.kept import Kept, OwnStorage
from ordercast.orders.principal import Principal
from ordercast.orders.service import OrderService
from ordercast.orders.workflow import load_workflow
from ordercast.socketio import Server
from ordercast.storage.database import Storage
from ordercast.storage.elsewhere import open_kept
from ordercast.webhooks.addresses import rules_of
from ordercast.webhooks.sender import Sender
from ordercast.webhooks.service import WebhookService
from ordercast.webhooks.when_needed import client_when_needed

if TYPE_CHECKING:
    from ordercast.socketio.cluster_redis import RedisCluster

_log = structlog.get_logger("ordercast")

SOCKET_PATH = "/socket.io/"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are counted by name: a client may invent any number of others."""


class Ordercast:
    """Live order status, as a library: what ``ordercast serve`` itself runs.

    ::

        oc = Ordercast(Settings(jwt_secret="…"))
        async with oc:                                  # in the host's lifespan
            app.mount("/live", oc.asgi)
            await oc.orders.change_status(17, "ready", updated_by="kitchen")
            oc.io.to("user:42").emit("hello")

    ``storage``: where orders are, if not in the database of the settings (`ordercast.storage.own`). Raises
    `SettingsError` for settings that cannot work, at once, and `StorageError` on entering.
    """

    orders: OrderService
    """Business code's way to the orders; there once entered."""

    def __init__(self, settings: Settings | None = None, *, storage: OwnStorage | None = None) -> None:
        self.settings = settings = settings or load_settings()
        self.workflow = load_workflow(settings.workflow, settings.status_map)
        self.verifier = TokenVerifier.from_settings(settings)
        self.cluster = _cluster(settings)
        self.monitor = Monitor()
        self.nodes = Nodes(self.monitor, settings.node_name)
        self.io = Server(
            cluster=self.cluster,
            node=self.nodes.name if settings.may_have_nodes else "",
            path=SOCKET_PATH,
            cors_origins=settings.cors_origins,
            trusted_proxies=settings.trusted_proxies,
            **settings.server_options(),
        )
        self.metrics = Metrics()
        self.reloads = Reloads()
        self.requests: Counter[str] = Counter()
        """HTTP requests so far by method, Engine.IO's left out."""
        self.port = settings.port
        """Where this node listens, for the others to reach it; who binds another port says so before entering."""
        self.board: Board
        self.shares: ShareTokens
        self.feed: Feed
        self.storage: Storage
        self.kept: Kept
        """Where the orders are."""
        self._own = storage
        self._parts: Parts
        self._reloading = asyncio.Lock()
        self._rest: ASGIApp | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Opens the database and starts following the log."""
        async with AsyncExitStack() as stack:
            storage, kept = await stack.enter_async_context(open_kept(self.settings, self._own))
            self.storage, self.kept = storage, kept
            self.nodes.here = self.settings.node_address or address_of(self.settings.host, self.port)
            self.io.engine.locate = self.nodes.address
            self.orders = OrderService(kept.orders, self.workflow)
            boards = Boards(self.io, self.cluster)
            self.board = Board(storage.targets, self.workflow, boards.tell)
            self.feed = Feed(self.io, kept.log, kept.orders, self._step)
            self.shares = self.verifier.shares = ShareTokens(storage.secret_key, self.settings.share_lifetime)
            clock = TokenClock()
            self.connection_limit = limit = self._limit(storage)
            self.replay = wiring.replay(self, storage, kept)
            watching = wiring.watching(self, storage)
            handlers = wiring.handlers(self, storage, clock, watching)
            stack.callback(storage.revocations.subscribe(handlers.revoked))
            settings = self.settings
            rules = rules_of(settings.webhook_allow_private)
            client = await stack.enter_async_context(client_when_needed(rules, settings.webhook_timeout))
            self.sender = sender = Sender(wiring.line(self, storage, kept, client))
            webhooks = WebhookService(storage.webhooks, client, kept.log.head, sender.wake)
            services = wiring.services(self, storage, kept, webhooks)
            self._rest = create_api(services, max_body=self.settings.max_body, cors_origins=self.settings.cors_origins)
            bind(self.metrics, self)
            stack.push_async_callback(self.verifier.close)
            await self.feed.start()
            stack.push_async_callback(self.feed.stop)
            await stack.enter_async_context(sender.running())
            freshness = Freshness(self.io, self.feed)
            position = await stack.enter_async_context(every(self.settings.position_interval, freshness.tell))
            self.renewal = Renewal(self.io, storage.watches)
            await stack.enter_async_context(every(self.settings.recovery_ttl / PER_LIFE, self.renewal.begin))
            await stack.enter_async_context(self.nodes.running(storage.nodes))
            if settings.may_have_nodes:
                await stack.enter_async_context(boards.following(self.board))
            news = await stack.enter_async_context(limit.running()) if isinstance(limit, SharedLimit) else None
            monitor = await stack.enter_async_context(every(self.settings.monitor_interval, self.nodes.log))
            self._parts = Parts(
                self.io,
                self.verifier,
                watching,
                self.replay,
                limit,
                storage,
                kept,
                services,
                client,
                sender.line,
                position,
                monitor,
            )
            stack.callback(clock.close)
            await self._listen_for_hints(stack, news)
            await warm(self._rest)
            self.io.start()
            stack.push_async_callback(self.io.close)
            self._stack = stack.pop_all()
        return self

    async def _listen_for_hints(self, stack: AsyncExitStack, logins: Callable[[], None] | None) -> None:
        """Has Redis say at once that another node has committed, or let a user in."""
        if (cluster := self.cluster) is None:
            return
        name = f"log.{self.kept.log.log_id}"  # of this log alone: who has another database may share our Redis
        if self.kept.catch_up is not None:
            cluster.on_hint(name, await stack.enter_async_context(looking(self.kept.catch_up)))
        self.kept.told.append(lambda: cluster.hint(name))
        if logins is not None:
            cluster.on_hint(f"logins.{self.nodes.run}", logins)

    async def __aexit__(self, *exc: object) -> None:
        """Closes every connection, then the rest in the reverse order of its opening."""
        await self._stack.aclose()
        self._rest = None

    async def authenticate(self, token: object) -> Principal:
        """Whose token it is, for routes of the host's own: as ours take it, with ``Bearer`` before it or not.

        Raises `AuthError`, also for one that has been revoked.
        """
        return await self._parts.services.authenticate(token)

    async def reload(self, read: Callable[[], Settings] = load_settings) -> Changes:
        """Takes over what the settings say now, without an end to any connection: all that can be, which the `Changes`
        name beside what needs a restart. ``read`` is called on a thread.

        Raises `SettingsError`, and changes nothing then.
        """
        async with self._reloading:
            if self._rest is None:
                raise RuntimeError("Ordercast is not running: there is nothing to reload")
            try:
                settings = await asyncio.to_thread(read)
                news = await asyncio.to_thread(look, self.settings, settings, self.workflow, self.verifier)
                services, rest = await self._parts.prepared(news)
                replaced = self._parts.adopt(news, services)
            except Exception:
                self.reloads.count(False)
                raise
            self._rest, self.settings, self.workflow = rest, news.changes.settings, news.workflow
            self.reloads.count(True)
            if replaced is not None:
                await replaced.close()
            return news.changes

    async def leave(self) -> None:
        """Ends all connections: over `Settings.drain_time` where other nodes are there to take the clients, else at
        once. To be called before the server that carries this application stops."""
        others = len(self.nodes.alive()) > 1
        await self.io.close(spread=self.settings.drain_time if others else 0)

    @property
    def asgi(self) -> ASGIApp:
        """The ASGI application: REST, Socket.IO and the pages. May be mounted below a path."""
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See `asgi`. As the root application of a server it runs its lifespan by itself."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._is_socket(scope):
            await self.io(scope, receive, send)
        elif scope["type"] == "http" and self._rest is not None:
            method = scope["method"]
            self.requests[method if method in _METHODS else "other"] += 1
            await self._rest(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            raise RuntimeError("Ordercast is not running: put 'async with oc:' into the host application's lifespan")

    async def problems(self) -> list[str]:
        """Why this node is not ready, a sentence each; empty where it is."""
        found = []
        if not self.io.engine.gate.accepting:
            found.append("The server is shutting down.")
        if self.feed.deaf:
            found.append("The event log could not be read for some seconds; clients here get no news.")
        return found

    def warnings(self) -> list[str]:
        """What is not as it should be although clients may be sent here, a sentence each."""
        if self.cluster is None or self.cluster.connected:
            return []
        # Not a reason to leave: all nodes have one Redis, and without it orders reach everyone all the same.
        return [
            "Redis does not answer: order events come from the database, but your own events reach this node's "
            "clients alone."
        ]

    def uvicorn_settings(self) -> dict[str, Any]:
        """Keyword arguments for ``uvicorn.Config`` that let Socket.IO frames bypass ASGI.

        For an application whose root is `asgi`; one that mounts it below a path works through plain ASGI.
        """
        return self.io.uvicorn_settings()

    def _step(self, status: str) -> int:
        return self.workflow.step(status)

    def _limit(self, storage: Storage) -> ConnectionLimit:
        most = self.settings.max_connections_per_user
        if storage.logins is None:
            return ConnectionLimit(self.io, most)
        limit = SharedLimit(self.io, most, storage.logins, self.nodes.run)
        if (cluster := self.cluster) is not None:
            limit.hint = lambda run: cluster.hint(f"logins.{run}")
        return limit

    def _is_socket(self, scope: Scope) -> bool:
        path: str = scope["path"]
        root: str = scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        return path in (SOCKET_PATH, SOCKET_PATH.rstrip("/"))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.__aenter__()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.__aexit__()
        await send({"type": "lifespan.shutdown.complete"})


def _cluster(settings: Settings) -> RedisCluster | None:
    """Not by the server's own ``redis_url``, since we ask more of the cluster than a server does."""
    if settings.redis_url is None:
        return None
    from ordercast.socketio.cluster_redis import RedisCluster  # redis takes a tenth of the time to the first answer

    try:
        return RedisCluster(settings.redis_url)
    except ValueError:
        raise SettingsError(NO_REDIS) from None
