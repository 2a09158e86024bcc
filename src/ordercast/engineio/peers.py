"""HTTP to other nodes, over connections that are kept for the next request.

A request is written once. Where the answer does not come whole nobody knows whether the other node has done what it was
asked, and a poll that was answered there has taken its packets along: asking again could lose some unseen, so the
request fails. A kept connection that has ended is noticed before anything is written on it, and another one is taken.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from http import HTTPStatus
from time import monotonic
from typing import NamedTuple, cast

CONNECT = 2.0
"""s to reach another node: nodes are near each other, and the client waits."""

IDLE = 2.0
"""s that a connection is kept without a request: less than the 5 s after which uvicorn ends it at the other side."""

MOST_IDLE = 512
"""Connections kept to one node. An event for all answers all polls at once, and their clients ask again at once."""

MAX_ANSWER = 16_777_216
"""Bytes of an answer: a payload holds what waits for a client (`Options.max_queue_bytes`), sixteen times that."""

Headers = list[tuple[bytes, bytes]]

_MAX_HEAD = 16_384
_STATUSES = frozenset(status.value for status in HTTPStatus)


class Unanswered(Exception):
    """The other node gave no answer that could be read."""


class Answer(NamedTuple):
    """What the other node says; header names in lower case."""

    status: int
    headers: Headers
    body: bytes


class Peers:
    """Connections to other nodes, by their addresses (``http://host:port``). Lives on one event loop."""

    def __init__(self) -> None:
        self._idle: dict[str, deque[tuple[float, _Connection]]] = {}  # when it was left, the newest last
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(self, address: str, request: bytes, wait: float) -> Answer:
        """Puts a whole request to a node. Raises `Unanswered` where it does not answer within ``wait`` (s)."""
        try:
            connection = self._kept(address) or await _connect(address)
            answer = await connection.ask(request, wait)
        except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        self._keep(address, connection)
        return answer

    def idle(self, address: str) -> int:
        """How many connections to this node wait for a request."""
        return len(self._idle.get(address, ()))

    def close(self) -> None:
        """Ends those that wait, and keeps none any more; requests under way are their callers'."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for kept in self._idle.values():
            for _, connection in kept:
                connection.close()
        self._idle.clear()

    def _kept(self, address: str) -> _Connection | None:
        """The one used last, so that those of a busier time come to rest."""
        kept = self._idle.get(address)
        while kept:
            _, connection = kept.pop()
            if connection.usable():
                return connection
            connection.close()
        return None

    def _keep(self, address: str, connection: _Connection) -> None:
        kept = self._idle.setdefault(address, deque())
        if self._closed or not connection.lasts or len(kept) >= MOST_IDLE:
            connection.close()
            return
        kept.append((monotonic(), connection))
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(IDLE, self._end_idle)

    def _end_idle(self) -> None:
        now, self._sweep = monotonic(), None
        for address, kept in tuple(self._idle.items()):
            while kept and (kept[0][0] <= now - IDLE or not kept[0][1].lasts):
                kept.popleft()[1].close()
            if not kept:
                del self._idle[address]
        if self._idle:
            oldest = min(kept[0][0] for kept in self._idle.values())
            self._sweep = asyncio.get_running_loop().call_later(oldest + IDLE - now, self._end_idle)


async def _connect(address: str) -> _Connection:
    async with asyncio.timeout(CONNECT):
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, *split(address))
    return connection


def split(address: str) -> tuple[str, int]:
    """Host and port; an IPv6 host comes in brackets."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.lasts = True
        """Whether it may carry another request."""
        self._transport: asyncio.Transport
        self._poll = select.poll()
        self._answer: asyncio.Future[Answer] | None = None  # while one is due
        self._come = bytearray()
        self._head: tuple[int, Headers] | None = None
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not derive from it
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def usable(self) -> bool:
        """Whether the other side still listens. Asked of the kernel too: the loop may not have got there yet."""
        return self.lasts and not self._transport.is_closing() and not self._poll.poll(0)

    async def ask(self, request: bytes, wait: float) -> Answer:
        """Raises ``OSError`` (with it ``TimeoutError``), ``EOFError`` or ``ValueError``; then it is of no more use."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._answer = answer
        late = loop.call_later(wait, self._fail, TimeoutError(f"no answer within {wait:g} s"))
        try:
            if self._transport.is_closing():  # it was just made
                raise EOFError("the connection was closed")
            self._transport.write(request)
            return await answer
        except BaseException:  # who hangs up in mid poll is to be known there too
            self._transport.abort()
            raise
        finally:
            late.cancel()
            self._answer = None

    def close(self) -> None:
        """Ends it."""
        self.lasts = False
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.lasts = False  # nobody asked
            self._transport.abort()
            return
        self._come += data
        try:
            self._read(self._answer)
        except ValueError as error:
            self._fail(error)

    def _read(self, answer: asyncio.Future[Answer]) -> None:
        if self._head is None:
            end = self._come.find(b"\r\n\r\n")
            if max(end, len(self._come) if end < 0 else 0) > _MAX_HEAD:
                raise ValueError("an answer's head is too long")
            if end < 0:
                return
            self._head = status, headers = _parse(bytes(self._come[:end]))
            del self._come[: end + 4]
            fields = dict(headers)
            self._length = int(fields.get(b"content-length", b""))
            if not 0 <= self._length <= MAX_ANSWER:
                raise ValueError("an answer of no size that could be")
            # A node that refuses a request may not have read all of it, and hang up next.
            self.lasts = status == HTTPStatus.OK and fields.get(b"connection", b"").lower() != b"close"
        if len(self._come) >= self._length:
            status, headers = self._head
            self.lasts = self.lasts and len(self._come) == self._length
            answer.set_result(Answer(status, headers, bytes(self._come[: self._length])))
            self._head = None
            self._come.clear()

    def eof_received(self) -> None:
        self._fail(EOFError("the connection ended before the answer did"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or EOFError("the connection ended before the answer did"))

    def _fail(self, error: Exception) -> None:
        self.lasts = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _parse(head: bytes) -> tuple[int, Headers]:
    line, *lines = head.split(b"\r\n")
    version, _, rest = line.partition(b" ")
    status = int(rest[:3])
    if version != b"HTTP/1.1" or status not in _STATUSES:
        raise ValueError("no answer in HTTP/1.1")
    headers = []
    for each in lines:
        name, colon, value = each.partition(b":")
        if not colon:
            raise ValueError("a header without a colon")
        headers.append((name.lower(), value.strip()))
    return status, headers
