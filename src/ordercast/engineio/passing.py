"""Requests for another node's session: asked there, and answered here with what it says.

Which node has a session is told by the name that the session's id begins with
(``docs/decisions/0007-a-session-says-whose-it-is.md``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.peers import Answer, Headers
from ordercast.engineio.request import Request

if TYPE_CHECKING:
    from ordercast.engineio.server import EngineServer

PASSED_ON = b"x-ordercast-passed-on"
"""The header of a request that came from another node, and goes no further."""

# RFC 9110, section 7.6.1: of one connection, not of the message. The rest the node that answers the client writes anew.
_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect", b"content-length")
)
_OURS = _HOP_BY_HOP | {b"content-type", b"cache-control", b"date", b"server"}


def elsewhere(engine: EngineServer, id: str, request: Request) -> str:
    """The address (``http://host:port``) of the node that has a session which is not ours. Raises `Refused`."""
    name, dot, _ = id.partition(".")
    if dot and name != engine.options.node and request.header(PASSED_ON) is None:
        address = engine.locate(name)
        if address is not None:
            return address
    raise Refused(Refusal.UNKNOWN_SESSION)


def head_of(method: str, request: Request, *, upgrade: bool, length: int = 0) -> bytes:
    """The request's head as the other node gets it."""
    target = request.path.encode() + b"?" + request.query_string
    lines = [b"%b %b HTTP/1.1" % (method.encode(), target)]
    # A handshake for a WebSocket is passed on as it is; of all other requests the connection is ours.
    dropped = frozenset({b"content-length"}) if upgrade else _HOP_BY_HOP
    lines += [b"%b: %b" % header for header in request.headers if header[0] not in dropped]
    if not upgrade:
        lines.append(b"content-length: %d" % length)
    return b"\r\n".join((*lines, PASSED_ON + b": 1", b"", b""))


async def ask(
    engine: EngineServer, address: str, method: str, request: Request, body: bytes
) -> tuple[Answer, bytes, Headers]:
    """Puts a request to another node. Returns what it says, the content's type, and the headers beside the content's
    type and length. Raises `Unanswered` where it says nothing for longer than a poll may wait."""
    options = engine.options
    wait = options.ping_interval + options.ping_timeout + options.linger
    head = head_of(method, request, upgrade=False, length=len(body))
    answer = await engine.peers.ask(address, head + body, wait)
    type = dict(answer.headers).get(b"content-type", b"text/plain")
    return answer, type, [header for header in answer.headers if header[0] not in _OURS]
