"""Hostile traffic: generated bad packets by the ten thousand, and thousands of connections that want nothing good."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx2
import pytest
from websockets.speedups import apply_mask

from tests.harness import Api, Listener, ServerProcess, token

PACKETS = 10_000
LANES = 16  # clients at a time
GROWTH = 50 * 1024 * 1024  # bytes


@asynccontextmanager
async def undisturbed(server: ServerProcess) -> AsyncIterator[None]:
    """An operator hears every change that is made meanwhile; afterwards the server's memory and log are fine."""
    before = _resident(server)
    async with server.api() as api, server.listener("bystander", "operator") as listener:
        order = await api.create()
        changes = asyncio.create_task(_change(api, order["orderId"], listener))
        yield
        changes.cancel()
        with suppress(asyncio.CancelledError):
            await changes
        await api.patch(order["orderId"], note="the last")
        await listener.settle()
        versions = [data["version"] for data in listener.of("order:changed")]
        assert versions == list(range(2, len(versions) + 2)), "the bystander missed something"
        assert len(versions) > 2
    assert _resident(server) - before < GROWTH
    assert "Traceback" not in server.log
    assert "eyJhbGci" not in server.log


async def _change(api: Api, order: object, listener: Listener) -> None:
    for number in range(1_000_000):
        await api.patch(order, note=f"note {number}")
        await listener.until("order:changed", number + 1)
        await asyncio.sleep(0.05)


def _resident(server: ServerProcess) -> int:
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# -- bad packets -------------------------------------------------------------------------------------------------

GOOD = (
    '42["watch:order",17]',
    '421["watch:order",17]',
    '42["unwatch:order","a-b"]',
    "40",
    '40/admin,{"token":"x"}',
    "41",
    "2",
    "3",
    "2probe",
    "5",
    "6",
    "1",
    '43[{"a":1}]',
    '451-["x",{"_placeholder":true,"num":0}]',
    '44{"message":"no"}',
    "b4AAEC",
)
JUNK = '0123456789[]{}",:/-_ebn.\\ \x00\x1e\x7féß€\u2028🍕true null watch:order __proto__ constructor _placeholder num'


@dataclass
class Budget:
    """How many packets are still to be sent, by all lanes together."""

    left: int

    def take(self) -> bool:
        """Whether another one may be sent."""
        self.left -= self.left > 0
        return self.left > 0


def bad_packet(dice: random.Random) -> str:
    """A packet that is none, or one that no client of ours would send."""
    match dice.randrange(5):
        case 0:
            return "".join(dice.choices(JUNK, k=dice.randrange(60)))
        case 1:
            return dice.choice(GOOD)
        case 2:
            text = dice.choice(GOOD)
            at = dice.randrange(len(text) + 1)
            return text[:at] + "".join(dice.choices(JUNK, k=dice.randrange(4))) + text[at + dice.randrange(3) :]
        case 3:
            opening = dice.choice("[{")
            return f'42["watch:order",{opening * dice.choice((1, 40, 2_000, 15_000))}'
        case _:
            value = dice.choice((-1, 1.5, 10**400, True, None, "x" * 70, [], {}, [[1]], {"a": {"b": 1}}, "operators"))
            return "42" + json.dumps([dice.choice(("watch:order", "unwatch:order", "auth:refresh", "x")), value])


def bad_frame(dice: random.Random) -> bytes:
    """A WebSocket frame with such a packet, some of them broken as frames too."""
    text = bad_packet(dice).encode()
    kind = dice.choice((0x81, 0x81, 0x81, 0x81, 0x82, 0x80, 0x01, 0x88, 0x89, 0x8A, 0xC1, 0x83, 0x8F))
    if kind & 8:
        text = text[:125]
    mask = dice.randbytes(4)
    size = len(text)
    head = bytes((kind, 0x80 | size)) if size < 126 else bytes((kind, 0xFE)) + size.to_bytes(2, "big")
    frame = head + mask + (apply_mask(text, mask) if text else b"")
    return dice.randbytes(dice.randrange(1, 30)) if dice.randrange(20) == 0 else frame


async def websocket_lane(server: ServerProcess, eio: int, dice: random.Random, budget: Budget) -> None:
    """Connects, sends bad frames until hung up on, and starts anew."""
    while budget.left:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(
                f"GET /socket.io/?EIO={eio}&transport=websocket&token={token(42)} HTTP/1.1\r\nHost: x\r\n"
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                "Sec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            if eio == 4 and dice.random() < 0.8:
                writer.write(b"\x81\x82\0\0\0\x0040")
            await _say_until_hung_up_on(reader, writer, dice, budget)
        writer.close()


async def _say_until_hung_up_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dice: random.Random, budget: Budget
) -> None:
    number = 0
    while budget.take():
        number += 1
        mark = f"ping{number:06d}".encode()
        # A ping after each, so that its pong says that the server has got over it.
        writer.write(bad_frame(dice) + b"\x89\x8a\0\0\0\0" + mark)
        seen = b""
        while mark not in seen:
            chunk = await asyncio.wait_for(reader.read(65_536), 20)
            if not chunk:
                return
            seen = seen[-16:] + chunk
            if b"\x88" in chunk:  # perhaps a close frame: no pong would come after it
                return


async def polling_lane(server: ServerProcess, eio: int, dice: random.Random, budget: Budget) -> None:
    """The same with payloads over long-polling."""
    base = f"{server.url}/socket.io/?EIO={eio}&transport=polling"
    async with aiohttp.ClientSession() as http:
        while budget.left:
            async with http.get(f"{base}&token={token(42)}") as response:
                assert response.status == 200, await response.text()
                sid = re.search(r'"sid":"([^"]+)"', await response.text())
            assert sid is not None
            while budget.take():
                body = "\x1e".join(bad_packet(dice) for _ in range(dice.choice((1, 1, 1, 2, 5))))
                if eio == 3 and dice.random() < 0.7:
                    body = f"{len(body) + dice.choice((0, 0, 0, 1, -1))}:{body}"
                binary = dice.random() < 0.1
                headers = {"Content-Type": "application/octet-stream" if binary else "text/plain;charset=UTF-8"}
                data = dice.randbytes(dice.randrange(100)) if binary else body.encode("utf-8", "replace")
                async with http.post(f"{base}&sid={sid[1]}", data=data, headers=headers) as response:
                    assert response.status in (200, 400, 413), await response.text()
                    if response.status != 200:
                        break


@pytest.mark.parametrize("eio", [3, 4])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_ten_thousand_bad_packets_disturb_nobody(server: ServerProcess, transport: str, eio: int) -> None:
    lane = websocket_lane if transport == "websocket" else polling_lane
    budget = Budget(PACKETS)
    async with undisturbed(server):
        dice = [random.Random(f"{transport} {eio} {lane}") for lane in range(LANES)]
        await asyncio.gather(*(lane(server, eio, die, budget) for die in dice))
    assert budget.left == 0


# -- connections that want nothing good --------------------------------------------------------------------------

HEAD = b"HTTP/1.1\r\nHost: x\r\n"
UPGRADE = (
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n"
)
IDLE = {
    "a WebSocket that never joins": b"GET /socket.io/?EIO=4&transport=websocket " + HEAD + UPGRADE,
    "a legacy WebSocket without a token": b"GET /socket.io/?EIO=3&transport=websocket " + HEAD + UPGRADE,
    "a polling session that never joins": b"GET /socket.io/?EIO=4&transport=polling " + HEAD + b"\r\n",
    "half a head": b"GET /api/orders " + HEAD + b"Authorization: Bear",
    "not a byte": b"",
    "half a body": b"POST /api/orders " + HEAD + b"Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{",
    "half a frame": b"GET /socket.io/?EIO=4&transport=websocket " + HEAD + UPGRADE + b"\x81\xfe\x10\x00abcd",
}


async def test_two_thousand_connections_that_want_nothing_are_let_go(tmp_path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ServerProcess(tmp_path) as server:
        async with undisturbed(server):
            before = _open_files(server)
            sockets = []
            for number in range(2_000):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.write(list(IDLE.values())[number % len(IDLE)])
                sockets.append((reader, writer))
            ends = await asyncio.wait_for(asyncio.gather(*(_end(reader) for reader, _ in sockets)), 60)
            for _, writer in sockets:
                writer.close()
            assert max(ends) < 40, "that is, not the ping interval and timeout of 45 s"
            async with asyncio.timeout(60):
                while _open_files(server) > before or _sessions(server) > 1:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.2)
        assert "connect timeout" in server.log
        assert "too_slow" in server.log


async def _end(reader: asyncio.StreamReader) -> float:
    started = asyncio.get_running_loop().time()
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass
    return asyncio.get_running_loop().time() - started


def _open_files(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def _sessions(server: ServerProcess) -> int:
    found = re.search(r"^ordercast_sessions (\S+)$", httpx2.get(f"{server.url}/metrics").text, re.M)
    assert found is not None
    return int(float(found[1]))
