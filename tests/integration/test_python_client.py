"""python-socketio's client, an implementation not ours, on each of its transports against ``ordercast serve``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.harness import Api, ServerProcess, token
from tests.python_socketio import PythonSocketIO

ROOT = Path(__file__).parent.parent.parent
WAYS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
WAIT = 60.0  # s; bounds a failure only
TEXT = "Tiramisù für 2 € 🍕 \u2028 \"'\\"
BYTES = bytes([0, 1, 2, 127, 128, 255, 254, 10, 13, 30])

pytestmark = pytest.mark.parametrize("way", WAYS)


@pytest.fixture(scope="module")
def echoing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Ordercast with handlers that send back what they get."""
    folder = tmp_path_factory.mktemp("echoing")
    command = ("tests.clients.era_server",)
    with ServerProcess(folder, command=command, pythonpath=str(ROOT), max_attachments="4") as process:
        yield process


class Client:
    """Keeps every event as it comes, those of the connection itself included."""

    def __init__(self, **options: Any) -> None:
        self.io = PythonSocketIO(**options)
        self.heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        for event in ("connect", "connect_error", "disconnect", "watching", "order:updated", "echo:back"):
            self.io.on(event, self._keeper(event))
        self.io.on("question", lambda text: (text, BYTES))

    def _keeper(self, event: str) -> Any:
        async def keep(*data: Any) -> None:
            self.heard.put_nowait((event, data[0] if len(data) == 1 else data))

        return keep

    async def open(self, server: ServerProcess, way: str, credential: str | None) -> None:
        """Connects, or raises `socketio.exceptions.ConnectionError`."""
        auth = {"token": credential} if credential is not None else None
        await self.io.connect(server.url, auth=auth, transports=WAYS[way], wait_timeout=WAIT)

    async def next(self, event: str) -> Any:
        """What comes next, which is this event."""
        async with asyncio.timeout(WAIT):
            name, data = await self.heard.get()
        assert name == event
        return data


@asynccontextmanager
async def connected(server: ServerProcess, way: str, **options: Any) -> AsyncIterator[Client]:
    """A client of customer 42's."""
    client = Client(**options)
    await client.open(server, way, token(42))
    try:
        await client.next("connect")
        yield client
    finally:
        await client.io.disconnect()


@pytest.mark.parametrize(
    ("credential", "message"),
    [
        (None, "Authentication required"),
        ("not.a.token", "Invalid token"),
        (token(42, secret="another-secret-that-is-long-enough-123456"), "Invalid token"),
        (token(42, lifetime=-1), "Token expired"),
    ],
    ids=["none", "garbage", "forged", "expired"],
)
async def test_who_is_refused_learns_why(server: ServerProcess, way: str, credential: str | None, message: str) -> None:
    client = Client()
    with pytest.raises(socketio.exceptions.ConnectionError, match="failed to connect"):
        await client.open(server, way, credential)
    assert (await client.next("connect_error"))["message"] == message
    assert not client.io.connected


async def test_watching_an_order(server: ServerProcess, api: Api, way: str) -> None:
    order = await api.create(customerId=42)
    async with connected(server, way) as client:
        assert client.io.transport() == WAYS[way][-1]
        answer = await client.io.call("watch:order", order["orderId"], timeout=WAIT)
        assert answer | {"position": 0} == {
            "orderId": order["orderId"],
            "status": "received",
            "version": 1,
            "position": 0,
        }
        assert await client.next("watching") == answer
        for version, status in enumerate(("accepted", "preparing", "ready"), start=2):
            await api.patch(order["orderId"], status=status)
            heard = await client.next("order:updated")
            assert (heard["orderId"], heard["status"], heard["version"]) == (order["orderId"], status, version)
        denied = await client.io.call("watch:order", "nobody's", timeout=WAIT)
        assert denied == {"orderId": None, "error": "invalid_order_id"}


async def test_leaving_and_coming_again(server: ServerProcess, api: Api, way: str) -> None:
    order = await api.create(customerId=42)
    async with connected(server, way) as client:
        first = client.io.sid
        await client.io.disconnect()
        assert await client.next("disconnect") == "client disconnect"
        await api.patch(order["orderId"], status="accepted")
        await client.open(server, way, token(42))
        await client.next("connect")
        assert client.io.sid != first
        await api.patch(order["orderId"], status="preparing")
        assert (await client.next("order:updated"))["version"] == 3, "what happened meanwhile is not sent late"


async def test_a_restart_of_the_server(fresh_server: ServerProcess, way: str) -> None:
    async with fresh_server.api() as api:
        order = await api.create(customerId=42)
    options = {"reconnection": True, "reconnection_delay": 0.05, "reconnection_delay_max": 0.2}
    async with connected(fresh_server, way, **options) as client:
        fresh_server.stop()
        # Not "server disconnect", after which the client would stay away.
        assert await client.next("disconnect") in ("transport close", "transport error")
        fresh_server.start()
        async with asyncio.timeout(WAIT):
            while (heard := await client.heard.get())[0] == "connect_error":
                pass  # it tried before the server was there
        assert heard[0] == "connect"
        async with fresh_server.api() as api:
            await api.patch(order["orderId"], status="accepted")
        assert (await client.next("order:updated"))["status"] == "accepted"


async def test_binary_both_ways(echoing: ServerProcess, way: str) -> None:
    data = {"bytes": BYTES, "list": [1, BYTES]}
    async with connected(echoing, way) as client:
        await client.io.emit("echo:event", (TEXT, data))
        assert await client.next("echo:back") == {"text": TEXT, "data": data}
        assert await client.io.call("echo:ack", (TEXT, data), timeout=WAIT) == (TEXT, data)
        assert await client.io.call("ask:me", TEXT, timeout=WAIT) is True
        await client.io.emit("send:me:away")
        assert await client.next("disconnect") == "server disconnect"
