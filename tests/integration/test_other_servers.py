"""Ordercast under servers that are not `ordercast serve`: every WebSocket goes through plain ASGI there.

hypercorn, which shares no code with uvicorn; and uvicorn as it comes, without our protocol classes.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.eras import every_era
from tests.harness import ROOT, Listener, ServerProcess, token
from tests.wire import NONCE, PATIENCE, Wire, frame

APP = "tests.clients.era_server:live"
SERVERS = {
    "hypercorn": ("hypercorn", APP, "--workers", "0", "--graceful-timeout", "1"),
    "uvicorn": ("uvicorn", APP, "--timeout-graceful-shutdown", "1"),
}
TEXT, CLOSE = 1, 8


@pytest.fixture(scope="module", params=SERVERS)
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Ordercast under another server, shared by the module's tests."""
    folder = tmp_path_factory.mktemp(request.param)
    command = SERVERS[request.param]
    limits = {"max_attachments": "4", "max_queue_bytes": "65536", "max_message_rate": "0"}
    with ServerProcess(folder, 0, command, str(ROOT), **limits) as process:
        yield process
        assert "Traceback" not in process.log


@asynccontextmanager
async def joined(server: ServerProcess, buffer: int = 65_536) -> AsyncIterator[Wire]:
    """A client in ``/`` that speaks frames. ``buffer``: how many bytes may wait for it to read."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", server.port))
    wire = Wire(*await asyncio.open_connection(sock=plain, limit=buffer))
    try:
        wire.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {NONCE}\r\n\r\n".encode()
        )
        assert (await wire.head())[0] == 101
        assert (await wire.frame())[1].startswith(b"0{")
        wire.write(text("40" + json.dumps({"token": token(42)})))
        assert (await wire.frame())[1].startswith(b"40{")
        yield wire
    finally:
        wire.writer.close()


def text(content: str) -> bytes:
    """A client's text message."""
    return frame(TEXT, content.encode())


async def test_clients_of_every_era(other: ServerProcess) -> None:
    await every_era(other)
    if "hypercorn" in other.command:  # uvicorn's own log of WebSockets has their query
        assert "eyJhbGci" not in other.log, "a token, or part of one, is in the log"


@pytest.mark.parametrize("transports", [["polling"], ["websocket"], ["polling", "websocket"]], ids=" then ".join)
async def test_python_socketio(other: ServerProcess, transports: list[str]) -> None:
    async with other.api() as api:
        order = await api.create(customerId=42)
        listener = Listener()
        await listener.connect(other.url, token(42), transports)
        assert listener.client.transport() == transports[-1]
        assert (await listener.watch(order["orderId"]))["status"] == "received"
        await api.patch(order["orderId"], status="accepted")
        (heard,) = await listener.until("order:updated")
        assert (heard["status"], heard["version"]) == ("accepted", 2)
        data = {"bytes": bytes(range(256)), "list": [1, b""]}
        assert await listener.client.call("echo:ack", ("€", data), timeout=PATIENCE) == ("€", data)
        await listener.close()


@pytest.mark.parametrize(
    ("sent", "code", "reason"),
    [
        ("x", 1008, "parse error"),
        ("4" + "x" * 20_000, 1009, "message too large"),
        ("1", 1000, "transport close"),
    ],
)
async def test_how_a_connection_ends(other: ServerProcess, sent: str, code: int, reason: str) -> None:
    async with joined(other) as wire:
        wire.write(text(sent))
        assert await wire.closed() == (code, reason)
        wire.write(frame(CLOSE, code.to_bytes(2, "big")))
        assert await wire.rest() == b""


async def test_the_server_ends_a_connection_after_its_last_words(other: ServerProcess) -> None:
    async with joined(other) as wire:
        wire.write(text('42["send:me:away"]'))
        assert await wire.frame() == (TEXT, b"41")
        assert await wire.closed() == (1000, "server namespace disconnect")


async def test_who_does_not_read_is_hung_up_on(other: ServerProcess) -> None:
    echo = text("42" + json.dumps(["echo:event", "x" * 15_000, None]))
    async with joined(other, buffer=4096) as wire:
        async with other.api(role=None) as api, asyncio.timeout(PATIENCE):
            while "slow_consumer" not in (await api.send("GET", "/metrics")).text:
                for _ in range(20):
                    wire.write(echo)
                await wire.writer.drain()
        assert b'42["echo:back"' in await wire.rest(), "what had been written, and the end"


# python-engineio lets go of a poll that is refused without reading the answer.
@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
@pytest.mark.parametrize("name", SERVERS)
async def test_a_shutdown_ends_in_time_and_clients_come_back(name: str, tmp_path: Path) -> None:
    news: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()

    def keep(event: str, way: str) -> Any:
        return lambda *data: news.put_nowait((event, way))

    with ServerProcess(tmp_path, command=SERVERS[name], pythonpath=str(ROOT)) as server:
        clients = []
        for way in ("polling", "websocket"):
            listener = Listener(reconnection=True, reconnection_delay=0.05, reconnection_delay_max=0.2)
            for event in ("connect", "disconnect"):
                listener.client.on(event, keep(event, way))
            await listener.connect(server.url, token(42), [way])
            clients.append(listener)
        async with asyncio.timeout(PATIENCE):
            assert {await news.get(), await news.get()} == {("connect", "polling"), ("connect", "websocket")}
            assert await asyncio.to_thread(server.stop) in (0, -15)
            assert {await news.get(), await news.get()} == {("disconnect", "polling"), ("disconnect", "websocket")}
            server.start()
            assert {await news.get(), await news.get()} == {("connect", "polling"), ("connect", "websocket")}
        for listener in clients:
            await listener.close()
    gc.collect()  # here, and not in the next test
