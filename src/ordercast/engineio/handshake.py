"""The server's side of a WebSocket handshake (RFC 6455, section 4.2), pure.

Our own because it is most of what a reconnect storm costs: the request has been parsed by then, and nothing is
negotiated, as neither extensions nor subprotocols are of use to Engine.IO (docs/decisions/0001).
"""

from __future__ import annotations

import binascii
from base64 import b64encode
from hashlib import sha1

from ordercast.engineio.errors import HandshakeError
from ordercast.engineio.request import Request

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3


def accept(request: Request, more: bytes = b"") -> bytes:
    """The answer that makes a request's connection a WebSocket, with ``more`` header lines.

    Raises `HandshakeError` for a request that does not ask for one as section 4.2.1 says.
    """
    key = b""
    version = connection = upgrade = b""
    for name, value in request.headers:
        if name == b"sec-websocket-key":
            if key:
                raise HandshakeError(400, "more than one Sec-WebSocket-Key")
            key = value.strip()
        elif name == b"sec-websocket-version":
            version = value.strip()
        elif name == b"connection":
            connection += b"," + value.lower()
        elif name == b"upgrade":
            upgrade += b"," + value.lower()
    if b"upgrade" not in _tokens(connection) or b"websocket" not in _tokens(upgrade):
        raise HandshakeError(426, "this is for WebSockets; send 'Connection: Upgrade' and 'Upgrade: websocket'")
    if version != b"13":
        raise HandshakeError(426, "Sec-WebSocket-Version must be 13")
    try:
        valid = len(binascii.a2b_base64(key, strict_mode=True)) == 16
    except ValueError:
        valid = False
    if not valid:
        raise HandshakeError(400, "Sec-WebSocket-Key must be 16 bytes in base64")
    proof = b64encode(sha1(key + _GUID, usedforsecurity=False).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n%b\r\n" % (proof, more)
    )


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip() for token in value.split(b",")]


def refuse(status: int, phrase: str, body: bytes, type: bytes = b"application/json") -> bytes:
    """An answer that leaves it at that."""
    upgrade = b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" if status == 426 else b""
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\nCache-Control: no-store\r\n"
        b"%b\r\n%b" % (status, phrase.encode(), type, len(body), upgrade, body)
    )
