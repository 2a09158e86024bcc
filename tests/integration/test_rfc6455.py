"""WebSockets as RFC 6455 has them, byte by byte against `ordercast serve`, while another client misses nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ordercast.engineio.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from tests.harness import Api, ServerProcess, token
from tests.wire import ACCEPT, NONCE, PATIENCE, Wire

MASK = bytes.fromhex("37fa213d")
ASK = b'421["watch:order",null]'
DENIED = b'{"orderId":null,"error":"invalid_order_id"}'
LIMIT = 16_384  # bytes, the server's default


@pytest.fixture(autouse=True)
async def bystander(server: ServerProcess, api: Api) -> AsyncIterator[None]:
    """An operator who hears of every order that is made before, during and after what the others do."""
    async with server.listener("bystander", "operator") as listener:
        made = [(await api.create(customerId="someone"))["orderId"]]

        async def meanwhile() -> None:
            for _ in range(5):
                made.append((await api.create(customerId="someone"))["orderId"])

        orders = asyncio.create_task(meanwhile())
        yield
        await orders
        made.append((await api.create(customerId="someone"))["orderId"])
        await listener.until("order:created", len(made))
        await listener.settle()
        assert [order["orderId"] for order in listener.of("order:created")] == made
    assert "Traceback" not in server.log


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = MASK, size: int = -1
) -> bytes:
    """A frame by the plainest reading of section 5.2; ``size`` for a length that is not its payload's."""
    length = len(payload) if size < 0 else size
    head = bytes([fin << 7 | rsv << 4 | opcode])
    bit = 0 if mask is None else 0x80
    if length < 126:
        head += bytes([bit | length])
    elif length < 1 << 16:
        head += bytes([bit | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + length.to_bytes(8, "big")
    return head + (payload if mask is None else mask + masked(payload, mask))


def masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(payload, itertools.cycle(mask), strict=False))


@asynccontextmanager
async def joined(server: ServerProcess) -> AsyncIterator[Wire]:
    """A connected client that speaks bytes."""
    async with asyncio.timeout(PATIENCE):
        wire = Wire(*await asyncio.open_connection("127.0.0.1", server.port))
    try:
        wire.write(
            f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {NONCE}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        status, headers = await wire.head()
        assert (status, headers["sec-websocket-accept"]) == (101, ACCEPT)
        assert (await wire.frame())[1][:1] == b"0"
        wire.write(frame(TEXT, b"40" + json.dumps({"token": token(42)}).encode()))
        assert (await wire.frame())[1].startswith(b'40{"sid":')
        yield wire
    finally:
        wire.writer.transport.abort()


async def answered(wire: Wire) -> None:
    """The server answers `ASK`, an event and an acknowledgement."""
    assert {await wire.frame(), await wire.frame()} == {
        (TEXT, b'42["watch:denied",' + DENIED + b"]"),
        (TEXT, b"431[" + DENIED + b"]"),
    }


async def closed(server: ServerProcess, reason: str) -> int:
    """How many sessions have ended for a reason, a pattern."""
    async with server.api() as api:
        text = (await api.send("GET", "/metrics")).text
    return sum(
        map(int, re.findall(rf'^ordercast_sessions_closed_total{{reason="{reason}"}} (\d+)', text, re.MULTILINE))
    )


@asynccontextmanager
async def ends_one_session(server: ServerProcess, reason: str) -> AsyncIterator[None]:
    """One session ends for this reason, and is gone."""
    before = await closed(server, reason)
    yield
    async with asyncio.timeout(PATIENCE):
        while await closed(server, reason) == before:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)
    assert await closed(server, reason) == before + 1


# -- what is allowed ------------------------------------------------------------------------------------------

TEXT_OF_ALL_LENGTHS = '421["watch:order",null,"é€😀"]'.encode()
MESSAGES = {
    "in two": frame(TEXT, ASK[:7], fin=False) + frame(CONTINUATION, ASK[7:]),
    "in bytes, that cut its characters": frame(TEXT, TEXT_OF_ALL_LENGTHS[:1], fin=False)
    + b"".join(frame(CONTINUATION, TEXT_OF_ALL_LENGTHS[i : i + 1], fin=False) for i in range(1, 36))
    + frame(CONTINUATION, TEXT_OF_ALL_LENGTHS[36:]),
    "with empty fragments": frame(TEXT, fin=False)
    + frame(CONTINUATION, ASK, fin=False)
    + frame(CONTINUATION, fin=False)
    + frame(CONTINUATION),
    "with another mask per frame": frame(TEXT, ASK[:7], fin=False, mask=b"\x00\x00\x00\x00")
    + frame(CONTINUATION, ASK[7:], mask=b"\xff\x00\x80\x01"),
    "after a pong that nobody asked for": frame(PONG, b"hello") + frame(TEXT, ASK),
    "of all that is allowed": frame(TEXT, ASK[:-1] + b" " * (LIMIT - len(ASK)) + b"]"),
    "in as many fragments as are allowed": frame(TEXT, fin=False)
    + frame(CONTINUATION, fin=False) * 126
    + frame(CONTINUATION, ASK),
}


@pytest.mark.parametrize("what", MESSAGES)
@pytest.mark.parametrize("piece", [None, 1])
async def test_messages(server: ServerProcess, what: str, piece: int | None) -> None:
    async with joined(server) as wire:
        data = MESSAGES[what]
        step = piece or len(data)
        for i in range(0, len(data), step):
            wire.write(data[i : i + step])
            if len(data) < 2_000:
                await asyncio.sleep(0)
        await answered(wire)


async def test_control_frames_between_fragments(server: ServerProcess) -> None:
    async with joined(server) as wire:
        wire.write(frame(TEXT, ASK[:3], fin=False) + frame(PING, b"1") + frame(PONG, b"x"))
        assert await wire.frame() == (PONG, b"1")
        wire.write(frame(CONTINUATION, ASK[3:9], fin=False) + frame(PING, b"2") + frame(PING, b"3"))
        assert await wire.frame() == (PONG, b"2")
        assert await wire.frame() == (PONG, b"3")
        wire.write(frame(CONTINUATION, ASK[9:]))
        await answered(wire)


async def test_a_close_frame_between_fragments(server: ServerProcess) -> None:
    async with ends_one_session(server, "transport close"), joined(server) as wire:
        wire.write(frame(TEXT, ASK[:3], fin=False) + frame(CLOSE, b"\x03\xe8") + frame(CONTINUATION, ASK[3:]))
        assert await wire.closed() == (1000, "")
        assert await wire.rest() == b""


async def test_pings_are_answered_with_their_payload(server: ServerProcess) -> None:
    """Section 5.5.3: whatever it is, and up to all a control frame holds."""
    payloads = [b"", b"\x00", b"\xff\xfe", "é€😀".encode(), bytes(range(125)), *(b"x" * n for n in (124, 125))]
    async with joined(server) as wire:
        wire.write(b"".join(frame(PING, payload) for payload in payloads))
        assert [await wire.frame() for _ in payloads] == [(PONG, payload) for payload in payloads]
        wire.write(frame(TEXT, ASK))
        await answered(wire)


# -- closing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999])
async def test_close_codes_that_may_be_sent_come_back(server: ServerProcess, code: int) -> None:
    async with ends_one_session(server, "transport close"), joined(server) as wire:
        wire.write(frame(CLOSE, code.to_bytes(2, "big") + "Bye, é€😀".encode()))
        wire.write(frame(PING, b"too late") + frame(TEXT, ASK))
        assert (await wire.closed())[0] == code
        assert await wire.rest() == b""


async def test_a_close_frame_without_a_code(server: ServerProcess) -> None:
    async with ends_one_session(server, "transport close"), joined(server) as wire:
        wire.write(frame(CLOSE))
        assert await wire.closed() == (1000, "")
        assert await wire.rest() == b""


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
async def test_close_codes_that_must_not_be_sent(server: ServerProcess, code: int) -> None:
    async with ends_one_session(server, "transport error"), joined(server) as wire:
        wire.write(frame(CLOSE, code.to_bytes(2, "big")))
        assert (await wire.closed())[0] == 1002
        assert await wire.rest() == b""


# -- what breaks the rules ------------------------------------------------------------------------------------

BROKEN: dict[str, tuple[bytes, int]] = {
    "text without a mask": (frame(TEXT, ASK, mask=None), 1002),
    "ping without a mask": (frame(PING, b"x", mask=None), 1002),
    "close without a mask": (frame(CLOSE, b"\x03\xe8", mask=None), 1002),
    **{f"reserved bits {rsv:03b} on text": (frame(TEXT, ASK, rsv=rsv), 1002) for rsv in range(1, 8)},
    "reserved bit on a ping": (frame(PING, rsv=4), 1002),
    "reserved bit on a fragment": (frame(TEXT, ASK, fin=False) + frame(CONTINUATION, rsv=4), 1002),
    **{f"reserved opcode {opcode:x}": (frame(opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "continuation of nothing": (frame(CONTINUATION, ASK), 1002),
    "fragment of nothing": (frame(CONTINUATION, ASK, fin=False), 1002),
    "continuation after the end": (
        frame(TEXT, b"3", fin=False) + frame(CONTINUATION) + frame(CONTINUATION),
        1002,
    ),
    "text inside a message": (frame(TEXT, ASK, fin=False) + frame(TEXT, ASK), 1002),
    "binary inside a message": (frame(TEXT, ASK, fin=False) + frame(BINARY, b"x", fin=False), 1002),
    **{f"opcode {opcode:x} in fragments": (frame(opcode, fin=False), 1002) for opcode in (CLOSE, PING, PONG)},
    **{f"opcode {opcode:x} of 126 bytes": (frame(opcode, b"x" * 126), 1002) for opcode in (CLOSE, PING, PONG)},
    "ping that announces 64 kB": (frame(PING, size=65_536), 1002),
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close whose reason is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "text that is not UTF-8": (frame(TEXT, b"42\xff"), 1007),
    "overlong UTF-8": (frame(TEXT, b"42\xc0\xaf"), 1007),
    "surrogate in UTF-8": (frame(TEXT, b"42\xed\xa0\x80"), 1007),
    "past the last character": (frame(TEXT, b"42\xf4\x90\x80\x80"), 1007),
    "half a character": (frame(TEXT, b"42\xe2\x82"), 1007),
    "half a character, the rest in another message": (frame(TEXT, b"42\xe2") + frame(TEXT, b"\x82\xac"), 1007),
    "not UTF-8, in fragments": (frame(TEXT, b"42\xe2", fin=False) + frame(CONTINUATION, b"\x28\xa1"), 1007),
    "another mask than it says": (b"\x81\x82\x80\x80\x80\x80" + b"40", 1007),
    "a mask that was not used": (b"\x81\x82\x20\x20\x20\x20" + b"40", 1008),
    "one byte too many": (frame(TEXT, size=LIMIT + 1), 1009),
    "gigabytes announced": (frame(TEXT, size=1 << 40), 1009),
    "a length of 64 bits": (frame(BINARY, size=(1 << 64) - 1), 1009),
    "fragments that are too much together": (
        frame(TEXT, b"4" * LIMIT, fin=False) + frame(CONTINUATION, b"4"),
        1009,
    ),
    "more fragments than are allowed": (frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * 128, 1009),
}
REASONS = {1002: "transport error", 1007: "transport error", 1008: "parse error", 1009: "message too large"}


@pytest.mark.parametrize("what", BROKEN)
async def test_what_breaks_the_rules_ends_that_one_connection(server: ServerProcess, what: str) -> None:
    """With the code of section 7.4.1, after all that came before has been answered."""
    data, code = BROKEN[what]
    async with ends_one_session(server, REASONS[code]), joined(server) as wire:
        wire.write(frame(PING, b"before") + data)
        assert await wire.frame() == (PONG, b"before")
        assert (await wire.closed())[0] == code
        wire.write(frame(CLOSE))
        assert await wire.rest() == b""


# -- who vanishes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "last", [b"", frame(TEXT, ASK)[:9], frame(TEXT, ASK[:9], fin=False), b"\x81"], ids=["", "frame", "message", "byte"]
)
@pytest.mark.parametrize("how", ["reset", "end"])
async def test_a_peer_that_vanishes(server: ServerProcess, last: bytes, how: str) -> None:
    reason = "transport close" if how == "end" else "transport (?:close|error)"  # as the kernel tells it
    async with ends_one_session(server, reason), joined(server) as wire:
        wire.write(frame(PING, b"seen") + last)
        assert await wire.frame() == (PONG, b"seen")
        if how == "end":
            wire.writer.write_eof()
            assert await wire.rest() == b""
        else:
            # A reset, as from a machine that was restarted.
            peer = wire.writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            wire.writer.transport.abort()


async def test_a_peer_that_goes_silent(tmp_path: Path) -> None:
    """It takes what is sent and answers no PING: the heartbeat ends it, without a word that nobody would hear."""
    with ServerProcess(tmp_path, ping_interval="3", ping_timeout="0.1") as server:
        async with ends_one_session(server, "ping timeout"), joined(server) as wire:
            assert await wire.frame() == (TEXT, b"2")
            assert await wire.rest() == b""
