"""Connections to other nodes are kept, and what has ended is not written to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ordercast.engineio import peers
from ordercast.engineio.peers import Peers, Unanswered
from tests.wire import PATIENCE

ASK = b"GET / HTTP/1.1\r\n\r\n"
SAID = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kept: 1\r\n\r\nhi"


class Other:
    """Another node: answers as it is told, and counts who connects. ``None``: says nothing, until `go_on`."""

    def __init__(self) -> None:
        self.answer: Callable[[], bytes | None] = lambda: SAID
        self.hangs_up = False
        self.connections: list[asyncio.StreamWriter] = []
        self.asked = 0
        self.asking = asyncio.Event()
        self.gone = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self.connections:
            writer.transport.abort()
        self.connections.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.asked += 1
                self.asking.set()
                if (said := self.answer()) is not None:
                    writer.write(said)
                if self.hangs_up:
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            self.gone.set()
        finally:
            writer.close()


@pytest.fixture
async def other() -> AsyncIterator[Other]:
    node = Other()
    await node.start()
    yield node
    await node.stop()


@pytest.fixture
async def ours() -> AsyncIterator[Peers]:
    ours = Peers()
    yield ours
    ours.close()


async def _ask(ours: Peers, other: Other, wait: float = PATIENCE) -> bytes:
    return (await ours.ask(other.address, ASK, wait)).body


async def test_one_request_after_another_takes_one_connection(ours: Peers, other: Other) -> None:
    answer = await ours.ask(other.address, ASK, PATIENCE)
    assert answer == (200, [(b"content-length", b"2"), (b"x-kept", b"1")], b"hi")
    for _ in range(5):
        assert await _ask(ours, other) == b"hi"
    assert (len(other.connections), other.asked, ours.idle(other.address)) == (1, 6, 1)


async def test_those_at_once_take_one_each_and_no_more_are_kept_than_said(
    ours: Peers, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "MOST_IDLE", 3)
    assert await asyncio.gather(*(_ask(ours, other) for _ in range(8))) == [b"hi"] * 8
    assert (len(other.connections), ours.idle(other.address)) == (8, 3)
    assert await asyncio.gather(*(_ask(ours, other) for _ in range(3))) == [b"hi"] * 3
    assert len(other.connections) == 8


async def test_an_answer_in_pieces_is_one(ours: Peers, other: Other) -> None:
    other.answer = lambda: None
    asking = asyncio.create_task(_ask(ours, other))
    await other.asking.wait()
    for byte in SAID:
        other.connections[0].write(bytes((byte,)))
        await asyncio.sleep(0.001)
    assert await asking == b"hi"
    assert ours.idle(other.address) == 1


async def test_a_node_that_has_restarted_is_asked_over_another_connection(ours: Peers, other: Other) -> None:
    await asyncio.gather(*(_ask(ours, other) for _ in range(4)))
    await other.stop()
    await other.start()
    assert await _ask(ours, other) == b"hi"
    assert (other.asked, ours.idle(other.address)) == (5, 1)


async def test_one_that_ended_in_the_same_moment_is_not_written_to(ours: Peers, other: Other) -> None:
    """The kernel knows before our loop does: nothing runs here between the end and the next request."""
    await _ask(ours, other)
    socket = other.connections[0].get_extra_info("socket")
    socket._sock.shutdown(2)
    assert await _ask(ours, other) == b"hi"
    assert (len(other.connections), other.asked) == (2, 2)


async def test_what_was_written_is_never_repeated(ours: Peers, other: Other) -> None:
    await _ask(ours, other)
    other.answer, other.hangs_up = lambda: None, True
    with pytest.raises(Unanswered, match="ended before the answer"):
        await _ask(ours, other)
    assert (other.asked, len(other.connections), ours.idle(other.address)) == (2, 1, 0)


async def test_a_node_that_does_not_answer_in_time_is_hung_up_on(ours: Peers, other: Other) -> None:
    other.answer = lambda: None
    with pytest.raises(Unanswered, match="no answer within"):
        await _ask(ours, other, 0.05)
    async with asyncio.timeout(PATIENCE):
        await other.gone.wait()
    assert ours.idle(other.address) == 0


async def test_who_stops_waiting_has_hung_up_there(ours: Peers, other: Other) -> None:
    await _ask(ours, other)
    other.answer = lambda: None
    other.asking.clear()
    asking = asyncio.create_task(_ask(ours, other))
    async with asyncio.timeout(PATIENCE):
        await other.asking.wait()
        asking.cancel()
        await other.gone.wait()
    assert ours.idle(other.address) == 0


async def test_those_that_idle_are_ended(ours: Peers, other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "IDLE", 0.02)
    await asyncio.gather(*(_ask(ours, other) for _ in range(3)))
    async with asyncio.timeout(PATIENCE):
        while ours.idle(other.address):  # noqa: ASYNC110 - until the sweep
            await asyncio.sleep(0.005)
        await other.gone.wait()
    assert await _ask(ours, other) == b"hi"


@pytest.mark.parametrize(
    "said",
    [
        SAID + b"more",
        SAID.replace(b"X-Kept: 1", b"Connection: Close"),
        SAID.replace(b"200 OK", b"400 Bad Request"),
    ],
    ids=["more than was asked", "says it closes", "a refusal"],
)
async def test_a_connection_of_which_one_cannot_be_sure_is_not_kept(ours: Peers, other: Other, said: bytes) -> None:
    other.answer = lambda: said
    assert await _ask(ours, other) == b"hi"
    assert ours.idle(other.address) == 0


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"x" * 20_000,
    ],
)
async def test_what_is_no_answer_is_none(ours: Peers, other: Other, said: bytes) -> None:
    other.answer = lambda: said
    with pytest.raises(Unanswered, match="ValueError"):
        await _ask(ours, other)
    assert ours.idle(other.address) == 0


async def test_a_node_that_is_not_there_is_unanswered(ours: Peers) -> None:
    with pytest.raises(Unanswered):
        await ours.ask("http://127.0.0.1:1", ASK, PATIENCE)


async def test_closed_it_keeps_none(ours: Peers, other: Other) -> None:
    await _ask(ours, other)
    ours.close()
    async with asyncio.timeout(PATIENCE):
        await other.gone.wait()
    assert await _ask(ours, other) == b"hi"
    assert ours.idle(other.address) == 0
