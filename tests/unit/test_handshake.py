"""The WebSocket handshake against the tables of RFC 6455, and against the `websockets` library's client."""

from __future__ import annotations

import pytest
from websockets.client import ClientProtocol
from websockets.http11 import Response
from websockets.uri import parse_uri

from ordercast.engineio.errors import HandshakeError
from ordercast.engineio.handshake import accept, refuse
from ordercast.engineio.request import Request

GOOD = {
    "host": "server.example.com",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
}


def request(*more: tuple[str, str], **changed: str | None) -> Request:
    headers = GOOD | {name.replace("_", "-"): value for name, value in changed.items()}
    named = [(name, value) for name, value in headers.items() if value is not None]
    return Request("/", b"", [(name.encode(), value.encode()) for name, value in (*named, *more)])


def test_the_rfcs_own_example() -> None:
    """Section 1.3."""
    answer = accept(request()).decode()
    assert answer.startswith("HTTP/1.1 101 Switching Protocols\r\n")
    assert "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert answer.endswith("\r\n\r\n")


def test_another_librarys_client_takes_it() -> None:
    client = ClientProtocol(parse_uri("ws://server.example.com/"))
    asked = client.connect()
    client.send_request(asked)
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers.raw_items()]
    client.receive_data(accept(Request("/", b"", headers), b"Set-Cookie: io=1\r\n"))
    (answer,) = client.events_received()
    assert isinstance(answer, Response)
    assert client.handshake_exc is None
    assert answer.headers["Set-Cookie"] == "io=1"


@pytest.mark.parametrize(
    "changed",
    [
        {"connection": "keep-alive, Upgrade"},
        {"connection": "upgrade"},
        {"upgrade": "WebSocket"},
        {"upgrade": "h2c, websocket"},
        {"sec_websocket_key": " dGhlIHNhbXBsZSBub25jZQ== "},
        {"origin": "https://elsewhere.example"},
        {"sec_websocket_extensions": "permessage-deflate"},
        {"sec_websocket_protocol": "chat"},
    ],
)
def test_what_may_differ(changed: dict[str, str]) -> None:
    answer = accept(request(**changed))
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert b"Extensions" not in answer
    assert b"Protocol:" not in answer


@pytest.mark.parametrize(
    ("changed", "more", "status"),
    [
        ({"connection": None}, (), 426),
        ({"connection": "close"}, (), 426),
        ({"upgrade": None}, (), 426),
        ({"upgrade": "h2c"}, (), 426),
        ({"upgrade": "websockets"}, (), 426),
        ({"sec_websocket_version": None}, (), 426),
        ({"sec_websocket_version": "8"}, (), 426),
        ({"sec_websocket_key": None}, (), 400),
        ({"sec_websocket_key": "short"}, (), 400),
        ({"sec_websocket_key": "dGhlIHNhbXBsZSBub25j"}, (), 400),
        ({"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==x"}, (), 400),
        ({"sec_websocket_key": "dGhlIHNhb!BsZSBub25jZQ=="}, (), 400),
        ({}, (("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),), 400),
    ],
)
def test_what_is_no_handshake(changed: dict[str, str | None], more: tuple[tuple[str, str], ...], status: int) -> None:
    with pytest.raises(HandshakeError) as caught:
        accept(request(*more, **changed))
    assert caught.value.status == status


def test_a_refusal_says_which_version_we_speak_where_that_is_the_matter() -> None:
    """Section 4.4."""
    assert b"\r\nSec-WebSocket-Version: 13\r\n" in refuse(426, "Upgrade Required", b"{}")
    assert refuse(403, "Forbidden", b"{}") == (
        b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n"
        b"Cache-Control: no-store\r\n\r\n{}"
    )
