"""Clients of both eras on one server: each over its transport, in its encoding, from one room."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
import pytest

from ordercast.engineio import asgi
from ordercast.engineio.frames import BINARY, CLOSE, TEXT
from ordercast.socketio import Socket
from tests.fake_clients import AsgiCall
from tests.wire import Site, Wire, frame, running

TEXTS = "é€😀"
ORIGIN = "https://shop.example"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running(max_attachments=2, cors_origins=("*",)) as site:
        site.io.on("connection", lambda socket: socket.join("everyone"))
        site.io.on("echo", lambda socket, *args: args)
        yield site


async def ask(site: Site, query: str, body: bytes | None = None, method: str = "", **headers: str) -> AsgiCall:
    """One polling request: a POST where it has a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    call = AsgiCall(method or ("GET" if body is None else "POST"), query, named, body or b"")
    await asgi.app(site.io.engine, call.scope, call.receive, call.send)
    return call


@dataclass
class Polling:
    """A client that polls, connected."""

    site: Site
    query: str

    @classmethod
    async def open(cls, site: Site, query: str) -> Polling:
        first = (await ask(site, query)).body
        start = first.index(b"{")
        sid = msgspec.json.decode(first[start : first.index(b"}") + 1])["sid"]
        client = cls(site, f"{query}&sid={sid}")
        if "EIO=4" in query:
            await client.post(b"40")
            assert (await client.poll())[0].startswith(b"40{")
        else:
            assert first.endswith(b"}2:40")
        return client

    @property
    def sid(self) -> str:
        return self.query.rpartition("=")[2]

    async def poll(self) -> tuple[bytes, str]:
        """A payload and its type."""
        call = await ask(self.site, self.query)
        assert call.status == 200
        return call.body, call.headers["content-type"]

    async def post(self, body: bytes, content_type: str = "text/plain;charset=UTF-8") -> None:
        assert (await ask(self.site, self.query, body, content_type=content_type)).body == b"ok"


async def websocket(site: Site, query: str) -> Wire:
    """A client on a WebSocket, connected."""
    wire = await site.websocket(f"/socket.io/?{query}")
    assert (await wire.frame())[1][:1] == b"0"
    if "EIO=4" in query:
        wire.write(frame(TEXT, b"40"))
    assert (await wire.frame())[1][:2] == b"40"
    return wire


# -- one room -------------------------------------------------------------------------------------------------


async def test_one_event_reaches_everyone_in_their_own_encoding(site: Site) -> None:
    sockets = {
        query: await websocket(site, query + "&transport=websocket")
        for query in ("EIO=4", "EIO=3", "EIO=3&b64=1", "EIO=4&b64=1")
    }
    polls = {
        query: await Polling.open(site, query + "&transport=polling") for query in ("EIO=4", "EIO=3", "EIO=3&b64=1")
    }
    site.io.to("everyone").emit("news", TEXTS, b"\x00\xff")
    site.io.to("everyone").emit("text", TEXTS)
    assert site.io.of("/").delivered == 2 * 7

    news = f'451-["news","{TEXTS}",{{"_placeholder":true,"num":0}}]'
    text = f'42["text","{TEXTS}"]'
    expected = {
        "EIO=4": (BINARY, b"\x00\xff"),
        "EIO=4&b64=1": (BINARY, b"\x00\xff"),  # knows no such thing
        "EIO=3": (BINARY, b"\x04\x00\xff"),
        "EIO=3&b64=1": (TEXT, b"b4AP8="),
    }
    for query, wire in sockets.items():
        assert await wire.frame() == (TEXT, news.encode())
        assert await wire.frame() == expected[query]
        assert await wire.frame() == (TEXT, text.encode())

    escaped = r"\u00e9\u20ac\ud83d\ude00"
    news_v3, text_v3 = news.replace(TEXTS, escaped).encode(), text.replace(TEXTS, escaped).encode()
    plain, octets = "text/plain; charset=UTF-8", "application/octet-stream"
    assert await polls["EIO=4"].poll() == ("\x1e".join([news, "bAP8=", text]).encode(), plain)
    assert await polls["EIO=3&b64=1"].poll() == (
        b"%d:%b6:b4AP8=%d:%b" % (len(news_v3), news_v3, len(text_v3), text_v3),
        plain,
    )
    assert (len(news_v3), len(text_v3)) == (69, 37)
    assert await polls["EIO=3"].poll() == (
        b"\0\6\x09\xff" + news_v3 + b"\1\3\xff\4\0\xff" + b"\0\3\7\xff" + text_v3,
        octets,
    )
    site.io.to("everyone").emit("text", "a")
    assert await polls["EIO=3"].poll() == (b'14:42["text","a"]', plain)  # no need for the binary form


@pytest.mark.parametrize(
    ("query", "sent", "answer"),
    [
        ("EIO=4", frame(BINARY, b"\x00\xff"), (BINARY, b"\x00\xff")),
        ("EIO=3", frame(BINARY, b"\x04\x00\xff"), (BINARY, b"\x04\x00\xff")),
        ("EIO=3&b64=1", frame(TEXT, b"b4AP8="), (TEXT, b"b4AP8=")),
        ("EIO=3", frame(TEXT, b"b4AP8="), (BINARY, b"\x04\x00\xff")),  # clients may, without saying so
    ],
)
async def test_binary_both_ways_over_websocket(site: Site, query: str, sent: bytes, answer: tuple[int, bytes]) -> None:
    wire = await websocket(site, query + "&transport=websocket")
    wire.write(frame(TEXT, f'451-7["echo","{TEXTS}",{{"_placeholder":true,"num":0}}]'.encode()) + sent)
    assert await wire.frame() == (TEXT, f'461-7["{TEXTS}",{{"_placeholder":true,"num":0}}]'.encode())
    assert await wire.frame() == answer


EVENT, ACK = '451-7["echo",{"_placeholder":true,"num":0}]', b'461-7[{"_placeholder":true,"num":0}]'


@pytest.mark.parametrize(
    ("query", "body", "content_type", "answer"),
    [
        ("EIO=4", f"{EVENT}\x1ebAP8=".encode(), "text/plain", ACK + b"\x1ebAP8="),
        ("EIO=3", f"43:{EVENT}6:b4AP8=".encode(), "text/plain", b"\0\3\6\xff" + ACK + b"\1\3\xff\4\0\xff"),
        (
            "EIO=3",
            b"\0\4\3\xff" + EVENT.encode() + b"\1\3\xff\4\0\xff",
            "application/octet-stream",
            b"\0\3\6\xff" + ACK + b"\1\3\xff\4\0\xff",
        ),
        ("EIO=3&b64=1", f"43:{EVENT}6:b4AP8=".encode(), "text/plain", b"36:" + ACK + b"6:b4AP8="),
    ],
    ids=["4", "3", "3 in binary form", "3 in base64"],
)
async def test_binary_both_ways_over_polling(
    site: Site, query: str, body: bytes, content_type: str, answer: bytes
) -> None:
    assert (len(EVENT), len(ACK)) == (43, 36)
    client = await Polling.open(site, query + "&transport=polling")
    await client.post(body, content_type)
    assert (await client.poll())[0] == answer


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x02probe", b"4text"])
async def test_binary_that_is_no_message_ends_a_legacy_session(site: Site, data: bytes) -> None:
    wire = await websocket(site, "EIO=3&transport=websocket")
    wire.write(frame(BINARY, data))
    assert await wire.closed() == (1008, "parse error")


@pytest.mark.parametrize("body", [b"", b"40", b"2:4", b"0:", b"\xff", b"2:\xc3\xa9", b"1:4\x1e1:4"])
async def test_a_payload_that_is_none_ends_a_legacy_session(site: Site, body: bytes) -> None:
    client = await Polling.open(site, "EIO=3&transport=polling")
    refused = await ask(site, client.query, body, "POST")
    assert (refused.status, msgspec.json.decode(refused.body)["code"]) == (400, 3)
    assert client.sid not in site.io.engine.sessions
    assert site.io.sockets == {}


# -- the heartbeat and the upgrade ----------------------------------------------------------------------------


async def test_a_ping_is_answered_with_its_data(site: Site) -> None:
    wire = await websocket(site, "EIO=3&transport=websocket")
    wire.write(frame(TEXT, b"2") + frame(TEXT, f"2{TEXTS}".encode()))
    assert await wire.frame() == (TEXT, b"3")
    assert await wire.frame() == (TEXT, f"3{TEXTS}".encode())
    client = await Polling.open(site, "EIO=3&transport=polling")
    await client.post(b"1:2")
    assert (await client.poll())[0] == b"1:3"


async def test_an_upgrade(site: Site) -> None:
    client = await Polling.open(site, "EIO=3&transport=polling")
    wire = await site.websocket(f"/socket.io/?EIO=3&transport=websocket&sid={client.sid}")
    wire.write(frame(TEXT, b"2probe"))
    assert await wire.frame() == (TEXT, b"3probe")
    site.io.emit("before", b"\x01")
    assert (await client.poll())[0].endswith(b"\1\2\xff\4\1")
    assert (await client.poll())[0] == b"1:6"
    site.io.emit("after", b"\x02")
    wire.write(frame(TEXT, b"5"))
    assert await wire.frame() == (TEXT, b'451-["after",{"_placeholder":true,"num":0}]')
    assert await wire.frame() == (BINARY, b"\x04\x02")


@pytest.mark.parametrize(("ours", "other"), [(3, 4), (4, 3)])
async def test_a_session_keeps_its_protocol(site: Site, ours: int, other: int) -> None:
    client = await Polling.open(site, f"EIO={ours}&transport=polling")
    wrong = f"EIO={other}&transport=polling&sid={client.sid}"
    for call in (await ask(site, wrong), await ask(site, wrong, b"1")):
        assert (call.status, msgspec.json.decode(call.body)["code"]) == (400, 3)
    wire = await site.ask_websocket(f"/socket.io/?EIO={other}&transport=websocket&sid={client.sid}")
    status, body = await wire.answer()
    assert (status, msgspec.json.decode(body)["code"]) == (400, 3)
    site.io.emit("news")
    assert b'42["news"]' in (await client.poll())[0]


# -- letting in -----------------------------------------------------------------------------------------------


async def test_the_old_protocol_can_be_switched_off() -> None:
    async with running(allow_eio3=False) as site:
        refused = await ask(site, "EIO=3&transport=polling")
        wire = await site.ask_websocket("/socket.io/?EIO=3&transport=websocket")
        for status, body in ((refused.status, refused.body), await wire.answer()):
            assert (status, body) == (400, b'{"code":5,"message":"Unsupported protocol version"}')
        assert site.io.engine.opened == 0
        await websocket(site, "EIO=4&transport=websocket")
        await Polling.open(site, "EIO=4&transport=polling")


@pytest.mark.parametrize(
    ("origins", "query", "allowed"),
    [
        (("*",), "EIO=3", True),  # clients before 3.0 ask for credentials always
        (("*",), "EIO=4", False),
        ((ORIGIN,), "EIO=3", True),
        ((ORIGIN,), "EIO=4", True),
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
async def test_credentials_across_origins(origins: tuple[str, ...], query: str, allowed: bool, method: str) -> None:
    async with running(cors_origins=origins) as site:
        call = await ask(site, query + "&transport=polling", method=method, origin=ORIGIN)
        assert call.status == (200 if method == "GET" else 204)
        assert call.headers["access-control-allow-origin"] == ORIGIN
        assert call.headers.get("access-control-allow-credentials") == ("true" if allowed else None)
        assert call.headers["vary"] == "Origin"


async def test_no_credentials_for_other_origins() -> None:
    async with running(cors_origins=(ORIGIN,)) as site:
        call = await ask(site, "EIO=3&transport=polling", origin="https://other.example")
        assert call.status == 403
        assert not [name for name in call.headers if name.startswith("access-control")]


async def test_a_refused_client_hears_so_before_the_end() -> None:
    async with running(connect_timeout=0.05) as site:

        @site.io.use
        def refuse(socket: Socket) -> None:
            raise RuntimeError("not you")

        wire = await site.websocket("/socket.io/?EIO=3&transport=websocket")
        assert (await wire.frame())[1][:1] == b"0"
        assert await wire.frame() == (TEXT, b'44"Internal server error"')
        assert await wire.frame() == (TEXT, b"41")
        assert await wire.closed() == (1000, "refused")
        wire.write(frame(CLOSE))
        assert await wire.rest() == b""
