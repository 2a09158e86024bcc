"""The tests' TCP proxy does to connections what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.proxy import HEALTHY, Faults, Proxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
UPGRADE = b"GET /socket.io/?EIO=4&transport=websocket&sid=1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """The port of a server that sends back what it is sent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def proxied(faults: Faults = HEALTHY, seed: int = 0) -> AsyncIterator[Proxy]:
    async with echo() as port, Proxy(port, faults, seed) as proxy:
        yield proxy


@asynccontextmanager
async def client(proxy: Proxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ask(streams: Streams, data: bytes = b"hello") -> bytes:
    """What comes back, within a time that only bounds a failure."""
    streams[1].write(data)
    return await asyncio.wait_for(streams[0].readexactly(len(data)), 20)


async def ends(streams: Streams) -> float:
    """Seconds until the connection is over."""
    started = asyncio.get_running_loop().time()
    with suppress(ConnectionError):
        assert await asyncio.wait_for(streams[0].read(), 20) == b""
    return asyncio.get_running_loop().time() - started


async def test_what_is_sent_arrives_both_ways() -> None:
    async with proxied() as proxy, client(proxy) as streams:
        big = bytes(range(256)) * 4_000
        assert await ask(streams, big) == big
        assert (proxy.accepted, proxy.cuts) == (1, 0)


async def test_delay_holds_each_chunk_back() -> None:
    async with proxied(Faults(delay=(0.1, 0.1))) as proxy, client(proxy) as streams:
        started = asyncio.get_running_loop().time()
        assert await ask(streams) == b"hello"
        assert asyncio.get_running_loop().time() - started >= 0.2


async def test_every_connection_is_cut_in_its_time() -> None:
    async with proxied(Faults(cut=(0.1, 0.3)), seed=7) as proxy, client(proxy) as first, client(proxy) as second:
        lives = await asyncio.gather(ends(first), ends(second))
        assert all(life >= 0.09 for life in lives)
        assert proxy.cuts == 2


async def test_an_upgrade_is_cut_in_the_middle_and_other_requests_are_not() -> None:
    async with proxied(Faults(cut_upgrade=1.0)) as proxy:
        async with client(proxy) as streams:
            streams[1].write(UPGRADE)
            with suppress(ConnectionError):
                await asyncio.wait_for(streams[0].read(), 20)
        async with client(proxy) as streams:
            polling = UPGRADE.replace(b"Upgrade: websocket\r\n", b"")
            assert await ask(streams, polling) == polling
        async with client(proxy) as streams:
            first = UPGRADE.replace(b"&sid=1", b"")  # a session that begins with WebSocket upgrades nothing
            assert await ask(streams, first) == first
        assert (proxy.upgrades_cut, proxy.cuts) == (1, 1)


async def test_a_black_hole_accepts_and_forwards_nothing_until_it_ends() -> None:
    async with proxied() as proxy, client(proxy) as streams:
        assert await ask(streams) == b"hello"
        with proxy.blackhole():
            async with client(proxy) as newcomer:
                newcomer[1].write(b"later")
                streams[1].write(b"later")
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(streams[0].read(1), 0.2)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(newcomer[0].read(1), 0.2)
        assert await asyncio.wait_for(streams[0].readexactly(5), 20) == b"later"


async def test_a_slow_connection_is_as_slow_as_it_says() -> None:
    async with proxied(Faults(slow=10_000)) as proxy, client(proxy) as streams:
        started = asyncio.get_running_loop().time()
        assert len(await ask(streams, bytes(3_000))) == 3_000
        assert asyncio.get_running_loop().time() - started >= 0.25


async def test_all_connections_can_be_cut_at_once() -> None:
    async with proxied() as proxy, client(proxy) as first, client(proxy) as second:
        await ask(first)
        await ask(second)
        proxy.cut_all()
        await asyncio.gather(ends(first), ends(second))
        assert proxy.cuts == 2


async def test_the_port_stays_while_the_server_is_away_and_when_it_moves() -> None:
    async with proxied() as proxy:
        target, proxy.target = proxy.target, 1  # nobody listens there
        async with client(proxy) as streams:
            await ends(streams)
        proxy.target = target
        async with client(proxy) as streams:
            assert await ask(streams) == b"hello"
