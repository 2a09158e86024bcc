"""What the query of an engine request says, and the CORS headers of its answer."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ordercast.engineio.errors import Refusal, Refused
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer

Headers = list[tuple[bytes, bytes]]

_MAX_FIELDS = 64
_PROTOCOLS = {b"3": 3, b"4": 4}


class HandshakeQuery(NamedTuple):
    """``sid`` is ``None`` for a handshake. ``stamp``: what clients make each of their polls another URL by."""

    transport: str
    sid: str | None
    protocol: int
    base64: bool
    stamp: bytes | None


def parse_handshake_query(server: EngineServer, query_string: bytes) -> HandshakeQuery:
    """Reads ``EIO``, ``transport`` and ``sid``. Raises `Refused` in the reference server's words.

    By hand, since every poll pays for it. Of a field that comes twice the first counts, and a blank one is none.
    """
    parts = query_string.split(b"&", _MAX_FIELDS)
    if len(parts) > _MAX_FIELDS:
        raise Refused(Refusal.BAD_REQUEST)
    fields: dict[bytes, bytes] = {}
    for part in parts:
        name, _, value = part.partition(b"=")
        if b"%" in part:
            name, value = unquote_to_bytes(name), unquote_to_bytes(value)
        if value:
            if name in fields and name == b"EIO":
                raise Refused(Refusal.UNSUPPORTED_VERSION)
            fields.setdefault(name, value)
    transport = fields.get(b"transport", b"").decode("latin-1")
    if transport not in server.options.transports:
        raise Refused(Refusal.UNKNOWN_TRANSPORT)
    protocol = _PROTOCOLS.get(fields.get(b"EIO", b""))
    if protocol is None or (protocol == 3 and not server.options.allow_eio3):
        raise Refused(Refusal.UNSUPPORTED_VERSION)
    sid = fields.get(b"sid")
    session = None if sid is None else sid.decode("latin-1")
    return HandshakeQuery(transport, session, protocol, b"b64" in fields, fields.get(b"t"))


def cors_headers(server: EngineServer, request: Request) -> Headers:
    """CORS headers (https://fetch.spec.whatwg.org/#http-responses) for an origin that is allowed."""
    origin = request.header(b"origin")
    if origin is None or not server.gate.origin_allowed(request):
        return []
    headers = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
    # Clients before 3.0 ask for credentials always, and fail where they are not allowed. There are none to send.
    if "*" not in server.options.cors_origins or b"EIO=3" in request.query_string:
        headers.append((b"access-control-allow-credentials", b"true"))
    if request.header(b"access-control-request-method") is not None:
        headers += [
            (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
            (b"access-control-allow-headers", b"authorization, content-type"),
            (b"access-control-max-age", b"600"),
        ]
    return headers
