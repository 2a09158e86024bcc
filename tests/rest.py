"""REST without a server: an API over orders in memory, asked over ASGI."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Message

from ordercast.api.context import Services
from ordercast.auth import TokenVerifier
from ordercast.auth.shares import ShareTokens
from ordercast.config import Settings
from ordercast.live.monitor import Monitor
from ordercast.live.nodes import Nodes
from ordercast.orders.board import Board
from ordercast.orders.models import NewOrder
from ordercast.orders.own_events import OwnEvents
from ordercast.orders.principal import Principal, Role
from ordercast.orders.privacy import Privacy
from ordercast.orders.service import OrderService
from ordercast.orders.stats import Stats
from ordercast.orders.workflow import load_workflow
from ordercast.testing import MemoryStorage, memory_storage
from ordercast.webhooks.addresses import AddressRefused
from ordercast.webhooks.hooks import Hooks
from ordercast.webhooks.models import Answer, Endpoint, new_secret
from ordercast.webhooks.service import WebhookService
from tests.harness import SECRET, token

MAX_BODY = 4_096
HOOK_SECRET, OLD_HOOK_SECRET = new_secret().value, new_secret().value
WORKFLOW = load_workflow()
SETTINGS = Settings(jwt_secret=SECRET, public_url="https://shop.example/live", shop_name="Trattoria")
VERIFIER = TokenVerifier.from_settings(SETTINGS)
SHARES = VERIFIER.shares = ShareTokens("a secret key of the tests that is long enough", SETTINGS.share_lifetime)
SHOP = Principal("shop", Role.SERVICE)
EXPIRY = time.time() + 10_000  # one time for all, so that both sides are asked the same

Headers = list[tuple[bytes, bytes]]


async def nothing_wrong() -> list[str]:
    return []


class Receiver:
    """Takes test messages, and no URL with ``private`` in it."""

    async def check(self, url: str) -> None:
        if "private" in url:
            raise AddressRefused("is private")

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        return Answer(200, body=body.decode())


class Side:
    """An API over orders of its own, with two of them: ``7`` of customer 42, ``north-1`` of the shop ``north``."""

    def __init__(self, storage: MemoryStorage) -> None:
        self.storage = storage
        self.orders = OrderService(storage.orders, WORKFLOW)
        self.monitor = Monitor()
        self.emitted: list[tuple[tuple[str, ...], str, tuple[Any, ...]]] = []  # the shop's own events
        self.boards: list[Mapping[str, int]] = []  # what boards were told
        self.receiver = Receiver()
        self.services = Services(
            orders=self.orders,
            repository=storage.orders,
            log=storage.log,
            workflow=WORKFLOW,
            verifier=VERIFIER,
            revocations=storage.revocations,
            privacy=Privacy(storage.orders, storage.personal, storage.revocations),
            own_events=OwnEvents(self.orders, storage.requests, self._emitted),
            presence=Nodes(self.monitor, "n1"),
            stats=Stats(storage.figures, WORKFLOW, SETTINGS.shop_time_zone, kept=0),
            board=Board(storage.targets, WORKFLOW, self.boards.append),
            webhooks=WebhookService(storage.webhooks, self.receiver, storage.log.head),
            hooks=Hooks({"till": (HOOK_SECRET, OLD_HOOK_SECRET)}, storage.hooks),
            shares=SHARES,
            shop=SETTINGS,
            ready=nothing_wrong,
            metrics=bytes,
        )

    def _emitted(self, rooms: Sequence[str], event: str, arguments: Sequence[Any]) -> None:
        self.emitted.append((tuple(rooms), event, tuple(arguments)))

    @classmethod
    async def open(cls) -> Side:
        side = cls(memory_storage())
        await side.orders.create(NewOrder(customer_id="42", order_id="7"), SHOP)
        await side.orders.create(NewOrder(customer_id="43", order_id="north-1", shop_id="north"), SHOP)
        return side


def bearer(role: str | None, user: object = "u", **claims: Any) -> Headers:
    text = token(user, role, lifetime=EXPIRY - time.time(), **{"iat": 1, **claims})
    return [(b"authorization", f"Bearer {text}".encode())]


BACKEND = bearer("service", "shop")
JSON: Headers = [(b"content-type", b"application/json")]


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    body: Iterable[bytes] = (b"",),
    headers: Headers = BACKEND + JSON,
    root: str = "",
    length: int | None = -1,
    query: bytes = b"",
) -> tuple[int, Headers, bytes]:
    """One request over ASGI, its body in pieces; ``length`` ``None`` leaves its announcement out."""
    pieces = list(body)
    if length == -1:
        length = sum(map(len, pieces))
    announced = [] if length is None or (length == 0 and method == "GET") else [(b"content-length", b"%d" % length)]
    incoming: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    incoming[-1]["more_body"] = False
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": root + path,
        "raw_path": (root + path).encode(),
        "root_path": root,
        "query_string": query,
        "headers": [(b"host", b"shop.example"), *headers, *announced],
        "server": ("shop.example", 80),
        "client": ("192.0.2.1", 1),
    }
    await app(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], list(sent[0]["headers"]), sent[1]["body"]
