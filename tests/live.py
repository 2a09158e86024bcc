"""The live side over orders in memory: the real handlers, feed and replay, without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ordercast.live.feed import Feed
from ordercast.live.handlers import Handlers
from ordercast.live.limit import ConnectionLimit
from ordercast.live.monitor import Monitor
from ordercast.live.recovery import Pids
from ordercast.live.replay import Replay
from ordercast.live.sessions import TokenClock
from ordercast.live.watching import Watching
from ordercast.orders.cursors import format_cursor
from ordercast.orders.models import NewOrder
from ordercast.orders.service import OrderService
from ordercast.socketio import Server
from ordercast.testing import MemoryStorage, memory_storage
from tests.fake_clients import FakeClient, settled
from tests.harness import token
from tests.rest import SHOP, VERIFIER, WORKFLOW

Heard = tuple[str, Any]


class Live:
    """A node."""

    def __init__(self, max_watches: int = 1_000, storage: MemoryStorage | None = None, **options: Any) -> None:
        """``options`` are the Socket.IO server's."""
        self.io = Server(**options)
        self.storage = storage or memory_storage()
        self.orders = OrderService(self.storage.orders, WORKFLOW)
        self.feed = Feed(self.io, self.storage.log, self.storage.orders, WORKFLOW.step)
        self.clock = TokenClock()
        self.replay = Replay(
            self.feed,
            self.storage.log,
            self.storage.orders,
            self.orders,
            Pids("a secret key of the tests that is long enough"),
            self.storage.watches,
            10_000,
            86_400,
            max_watches,
        )
        self.handlers = Handlers(
            self.io,
            VERIFIER,
            self.orders,
            Monitor(),
            ConnectionLimit(self.io, 0),
            self.clock,
            self.replay,
            Watching(self.io, self.orders, self.feed, self.storage.watches, max_watches),
            self.storage.revocations,
        )

    @property
    def cursor(self) -> str:
        """The cursor of now."""
        return format_cursor(self.storage.log.log_id, self.storage.log.newest)

    async def create(self, order_id: str, customer_id: str = "42") -> None:
        """A new order, that those connected have heard of."""
        await self.orders.create(NewOrder(customer_id=customer_id, order_id=order_id), SHOP)
        await self.feed.reached(self.storage.log.newest)

    async def note(self, order_id: str, text: str) -> None:
        """A change of an order that customers and operators hear of."""
        await self.orders.update(order_id, SHOP, fields={"note": text})
        await self.feed.reached(self.storage.log.newest)

    def restarted(self) -> None:
        """Nothing of what has gone out is at hand any more."""
        self.feed.speaker._kept.clear()

    async def come(self, user: str = "ana", role: str = "operator", *, polls: bool = False, **auth: Any) -> Client:
        """A client that joins with a token and this ``auth``."""
        client = Client(self.io, polls)
        client.say("0" + json.dumps({"token": token(user, role), **auth}))
        await settled(self.io)
        return client


class Client(FakeClient):
    """Keeps the events it was told; one that ``polls`` is told when it does."""

    def __init__(self, io: Server, polls: bool) -> None:
        super().__init__(io)
        if polls:
            self.transport.name, self.transport.closes_apart = "polling", True

    def poll(self) -> None:
        self.transport.writable = True
        self.io.engine.flush_soon(self.session)

    async def told(self) -> list[Heard]:
        """The events since the last call, and the CONNECT and acknowledgements among them by their digits."""
        heard: list[Heard] = []
        for packet in map(str, await self.hear()):
            digits = packet[: len(packet) - len(packet.lstrip("0123456789"))]
            data = json.loads(packet[len(digits) :] or "null")  # DISCONNECT has none
            heard.append((data[0], data[1]) if digits == "2" else (digits, data))
        return heard


@asynccontextmanager
async def living(**options: Any) -> AsyncIterator[Live]:
    """A node that runs."""
    live = Live(**options)
    await live.feed.start()
    try:
        yield live
    finally:
        await live.io.close(grace=0)
        await live.feed.stop()
        live.clock.close()
