"""Requests for another node's session: asked there, and answered here with what it says.

Which node has a session is told by the name that the session's id begins with
(``docs/decisions/0007-a-session-says-whose-it-is.md``).
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.request import Request

if TYPE_CHECKING:
    from ordercast.engineio.server import EngineServer

PASSED_ON = b"x-ordercast-passed-on"
"""The header of a request that came from another node, and goes no further."""

CONNECT = 2.0
"""s to reach another node: nodes are near each other, and the client waits."""

MAX_ANSWER = 16_777_216
"""Bytes of an answer: a payload holds what waits for a client (`Options.max_queue_bytes`), sixteen times that."""

_MAX_HEAD = 16_384
_STATUSES = frozenset(status.value for status in HTTPStatus)
# RFC 9110, section 7.6.1: of one connection, not of the message. The rest the node that answers the client writes anew.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"content-length")
)
_OURS = _HOP_BY_HOP | {b"content-type", b"cache-control", b"date", b"server"}


class Unanswered(Exception):
    """The other node gave no answer that could be read."""


class Answer(NamedTuple):
    """What the other node says; ``headers`` beside the content's type and length."""

    status: int
    body: bytes
    type: bytes
    headers: list[tuple[bytes, bytes]]


def elsewhere(engine: EngineServer, id: str, request: Request) -> str:
    """The address (``http://host:port``) of the node that has a session which is not ours. Raises `Refused`."""
    name, dot, _ = id.partition(".")
    if dot and name != engine.options.node and request.header(PASSED_ON) is None:
        address = engine.locate(name)
        if address is not None:
            return address
    raise Refused(Refusal.UNKNOWN_SESSION)


def split(address: str) -> tuple[str, int]:
    """Host and port; an IPv6 host comes in brackets."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def head_of(method: str, request: Request, *, upgrade: bool, length: int = 0) -> bytes:
    """The request's head as the other node gets it."""
    target = request.path.encode() + b"?" + request.query_string
    lines = [b"%b %b HTTP/1.1" % (method.encode(), target)]
    # A handshake for a WebSocket is passed on as it is; of all other requests the connection is ours.
    dropped = frozenset({b"content-length"}) if upgrade else _HOP_BY_HOP
    lines += [b"%b: %b" % header for header in request.headers if header[0] not in dropped]
    if not upgrade:
        lines += [b"connection: close", b"content-length: %d" % length]
    return b"\r\n".join((*lines, PASSED_ON + b": 1", b"", b""))


async def ask(address: str, method: str, request: Request, body: bytes, wait: float) -> Answer:
    """Puts a request to another node. Raises `Unanswered` where it does not answer within ``wait`` (s)."""
    try:
        async with asyncio.timeout(wait):
            return await _ask(address, method, request, body)
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:  # TimeoutError is an OSError
        raise Unanswered(f"{type(error).__name__}: {error}") from error


async def _ask(address: str, method: str, request: Request, body: bytes) -> Answer:
    async with asyncio.timeout(CONNECT):
        reader, writer = await asyncio.open_connection(*split(address), limit=_MAX_HEAD)
    try:
        writer.write(head_of(method, request, upgrade=False, length=len(body)) + body)
        status, headers = _parse(await reader.readuntil(b"\r\n\r\n"))
        fields = dict(headers)
        length = int(fields.get(b"content-length", b""))
        if not 0 <= length <= MAX_ANSWER:
            raise ValueError("an answer of no size that could be")
        said = await reader.readexactly(length)
        kept = [header for header in headers if header[0] not in _OURS]
        return Answer(status, said, fields.get(b"content-type", b"text/plain"), kept)
    finally:
        writer.close()


def _parse(head: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    line, *lines = head[:-4].split(b"\r\n")
    version, _, rest = line.partition(b" ")
    status = int(rest[:3])
    if not version.startswith(b"HTTP/1.") or status not in _STATUSES:
        raise ValueError("no answer in HTTP/1.1")
    headers = []
    for each in lines:
        name, colon, value = each.partition(b":")
        if not colon:
            raise ValueError("a header without a colon")
        headers.append((name.lower(), value.strip()))
    return status, headers
