"""The face of the Socket.IO server: ``io.use``, ``io.on``, ``io.to(room).emit``. https://socket.io/docs/v4/server-api/"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, overload

from ordercast.engineio import EngineServer, Options, Session, disconnects
from ordercast.engineio.asgi import Receive, Scope, Send
from ordercast.engineio.asgi import app as engine_app
from ordercast.engineio.deadlines import Deadlines
from ordercast.engineio.drain import drain
from ordercast.engineio.uvicorn import protocol_class
from ordercast.socketio.client import Client
from ordercast.socketio.cluster import Cluster, OneNode
from ordercast.socketio.dynamic import DynamicNamespace, Match
from ordercast.socketio.namespace import Namespace
from ordercast.socketio.operator import BroadcastOperator
from ordercast.socketio.packet import Packet

_log = logging.getLogger("ordercast.socketio")

_NAMESPACE = re.compile(r"/[^,?\s]{0,127}")


class Server:
    """A Socket.IO server. Everything it offers for ``/`` is in `Namespace`; `of` gives the others.

    ``connect_timeout`` (s) ends sessions that join no namespace in time. ``max_attachments`` is how many binary
    attachments a client's packet may have (0: none), ``max_attachment_bytes`` how large they may be together, and
    ``attachment_timeout`` (s) how long they may take. ``max_depth`` bounds the levels of a payload's JSON, and
    ``max_digits`` its whole numbers. ``redis_url`` joins all servers that have the same one, of Node.js too;
    ``cluster`` is a `RedisCluster` of other settings, or another way to join them. The rest is
    `ordercast.engineio.Options`. Raises ``ValueError`` for a URL that is none, and for both of these.

    Mount ``server`` itself as an ASGI application; under uvicorn pass ``**server.uvicorn_settings()`` to
    ``uvicorn.run`` for the fast way in.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = 10,
        max_attachments: int = 0,
        max_attachment_bytes: int = 1_048_576,
        attachment_timeout: float = 10,
        max_depth: int = 32,
        max_digits: int = 1_024,
        redis_url: str | None = None,
        cluster: Cluster | None = None,
        **options: Any,
    ) -> None:
        self.max_attachments = max_attachments
        self.max_attachment_bytes = max_attachment_bytes
        self.max_depth = max_depth
        self.max_digits = max_digits
        self.engine = EngineServer(self, Options(**options))
        self.cluster = _choose(redis_url, cluster)
        self.cluster.bind(self)
        self._namespaces: dict[str, Namespace] = {}
        self._dynamic: list[DynamicNamespace] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: Deadlines[Session] = Deadlines(self.engine.timer, connect_timeout, self._connect_expired)
        self._attachments: Deadlines[tuple[Client, Packet]] = Deadlines(
            self.engine.timer, attachment_timeout, lambda waiting: waiting[0].attachments_due(waiting[1])
        )
        self._root = root = self.of("/")
        self.use = root.use
        self.on = root.on
        self.once = root.once
        self.off = root.off
        self.on_any = root.on_any
        self.off_any = root.off_any
        self.to = root.to
        self.in_ = root.to
        self.except_ = root.except_
        self.emit = root.emit
        self.send = root.send
        self.emit_with_ack = root.emit_with_ack
        self.sockets = root.sockets
        self.fetch_sockets = root.fetch_sockets
        self.sockets_join = root.sockets_join
        self.sockets_leave = root.sockets_leave
        self.disconnect_sockets = root.disconnect_sockets
        self.on_server_side_emit = root.on_server_side_emit
        self.off_server_side_emit = root.off_server_side_emit
        self.server_side_emit = root.server_side_emit
        self.server_side_emit_with_ack = root.server_side_emit_with_ack

    @overload
    def of(self, name: str) -> Namespace: ...
    @overload
    def of(self, name: Match) -> DynamicNamespace: ...
    def of(self, name: str | Match) -> Namespace:
        """The namespace of this name, made if need be. Raises ``ValueError`` for a name that is none.

        For a compiled pattern (of the whole name), or a function of name and ``auth``: a `DynamicNamespace`, whose
        children come to be when clients ask for them.
        """
        if not isinstance(name, str):
            dynamic = DynamicNamespace(self, name)
            self._dynamic.append(dynamic)
            return dynamic
        if not name.startswith("/"):
            name = "/" + name
        if not _NAMESPACE.fullmatch(name):
            raise ValueError(f"{name!r} is no namespace: '/' and up to 127 characters without , ? or white space")
        found = self._namespaces.get(name)
        return self._keep(Namespace(self, name)) if found is None else found

    def _keep(self, namespace: Namespace) -> Namespace:
        self._namespaces[namespace.name] = namespace
        self.cluster.namespace_changed(namespace)
        return namespace

    @property
    def local(self) -> BroadcastOperator:
        """Emits to the sockets of this node only."""
        return self._root.local

    @property
    def volatile(self) -> BroadcastOperator:
        """Events that may be lost; see `BroadcastOperator.volatile`."""
        return self._root.volatile

    @property
    def namespaces(self) -> list[Namespace]:
        """All namespaces."""
        return list(self._namespaces.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application: every HTTP request and WebSocket it gets is taken for this server's."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await engine_app(self.engine, scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def uvicorn_settings(self) -> dict[str, Any]:
        """Keyword arguments for ``uvicorn.Config`` that let frames bypass ASGI."""
        return {"http": protocol_class(self.engine), "ws": "websockets-sansio"}

    def adopt(self, **options: Any) -> None:
        """Sets other limits and options while clients are connected, by the names they have at the beginning; what is
        not named stays. To be called on the event loop.

        A connection that is there keeps its heartbeat, and the size of messages that it began with.
        """
        self._waiting.delay = options.pop("connect_timeout", self._waiting.delay)
        self._attachments.delay = options.pop("attachment_timeout", self._attachments.delay)
        for name in ("max_attachments", "max_attachment_bytes", "max_depth", "max_digits"):
            setattr(self, name, options.pop(name, getattr(self, name)))
        self.engine.adopt(replace(self.engine.options, **options))

    def start(self) -> None:
        """Joins the cluster, from within the event loop. At the latest the first client or emit does it too."""
        self.cluster.start()

    async def close(self, grace: float = 2.0, spread: float = 0.0) -> None:
        """Closes every connection (clients come back by themselves), ends what still runs and leaves the cluster.

        ``spread`` (s): over this long, a few at a time, where other nodes are there to take them. ``grace`` (s): for
        the last words to the last of them.
        """
        if spread:
            await drain(self.engine, spread)
        await self.engine.close(disconnects.SHUTDOWN, grace)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.cluster.close()

    # -- engineio.Handler ----------------------------------------------------------------------------------

    def on_open(self, session: Session) -> None:
        self.cluster.start()
        session.data = client = Client(self, session)
        self._waiting.add(session)
        client.begin()

    def on_message(self, session: Session, data: str | bytes) -> None:
        session.data.message(data)

    def on_close(self, session: Session, why: disconnects.Disconnect) -> None:
        session.data.closed(why)

    def _connect_expired(self, session: Session) -> None:
        if not session.data.joined:
            session.data.give_up()

    def await_attachments(self, client: Client, packet: Packet) -> None:
        """Bounds the time a packet's attachments may take."""
        self._attachments.add((client, packet))

    # -- what namespaces and clients call -------------------------------------------------------------------

    def find_existing(self, name: str) -> Namespace | None:
        """The namespace of this name, if there is one now."""
        return self._namespaces.get(name)

    def find_namespace(self, name: str, auth: dict[str, Any]) -> Namespace | None:
        """The namespace a client may connect to."""
        found = self._namespaces.get(name)
        if found is not None or not _NAMESPACE.fullmatch(name):
            return found
        for dynamic in self._dynamic:
            try:
                matches = dynamic.matches(name, auth)
            except Exception:
                _log.exception("a dynamic namespace's function failed", extra={"name_space": name})
                continue
            if matches:
                return self._keep(dynamic.child(name))
        return None

    def forget_namespace(self, namespace: Namespace) -> None:
        """A dynamic namespace has emptied."""
        self._namespaces.pop(namespace.name, None)
        self.cluster.namespace_changed(namespace)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Runs something in the background, held until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _choose(redis_url: str | None, cluster: Cluster | None) -> Cluster:
    if redis_url is None:
        return OneNode() if cluster is None else cluster
    if cluster is not None:
        raise ValueError("either redis_url or cluster")
    from ordercast.socketio.cluster_redis import RedisCluster  # redis-py takes a tenth of a second to import

    return RedisCluster(redis_url)
