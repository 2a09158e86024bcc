"""Which pages may talk to the engine: Origin against Host and the allow-list, and the CORS headers that say so.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio import EngineServer, Options
from ordercast.engineio.errors import Refusal, Refused
from tests.fake_clients import HANDSHAKE, AsgiCall, Polls
from tests.fakes import FakeHandler, request

OTHER = "https://other.example"
MALFORMED = ["http://[", "http://[x]", "https://[::1", "]", "//[", "[::1]"]


@pytest.mark.parametrize(
    ("origin", "allowed", "accepted"),
    [
        (None, (), True),  # no page at all: an app, a server
        ("https://shop.example", (), True),
        ("http://shop.example", (), True),  # TLS may end before us
        ("https://SHOP.example", (), True),
        ("https://shop.example:8443", (), False),
        ("https://shop.example.evil.example", (), False),
        ("https://evil.example/shop.example", (), False),
        ("https://evil.example?shop.example", (), False),
        ("https://shop.example@evil.example", (), False),
        ("https://evil.example@shop.example", (), False),
        ("https://notshop.example", (), False),
        ("shop.example", (), False),
        ("null", (), False),
        ("", (), False),
        ("file://", (), False),
        (OTHER, (), False),
        (OTHER, (OTHER,), True),
        (OTHER, ("https://a.example", OTHER), True),
        (OTHER + ":8443", (OTHER,), False),
        (OTHER + ".evil.example", (OTHER,), False),
        ("http://other.example", (OTHER,), False),
        ("https://shop.example", (OTHER,), True),
        ("null", (OTHER,), False),
        (OTHER, ("*",), True),
        ("null", ("*",), True),
        *((origin, (OTHER,), False) for origin in MALFORMED),
    ],
)
async def test_who_may(origin: str | None, allowed: tuple[str, ...], accepted: bool) -> None:
    polls = Polls(cors_origins=allowed)
    headers = {} if origin is None else {"origin": origin}
    call = await polls.run(AsgiCall(query=HANDSHAKE, headers=headers))
    engine = EngineServer(FakeHandler(), Options(cors_origins=allowed))
    asked = request(**{name: value.encode() for name, value in headers.items()})
    if accepted:
        assert call.status == 200
        assert call.headers.get("access-control-allow-origin") == origin
        engine.gate.check_request(asked)
    else:
        assert (call.status, call.body) == (403, b'{"code":4,"message":"Origin not allowed"}')
        assert not [name for name in call.headers if name.startswith("access-control")]
        assert polls.handler.opened == []
        assert polls.engine.journal.refused == {"forbidden_origin": 1}
        with pytest.raises(Refused) as caught:
            engine.gate.check_request(asked)
        assert caught.value.refusal is Refusal.FORBIDDEN_ORIGIN
    await polls.stop()


def test_an_origin_without_a_host_to_compare_it_with() -> None:
    engine = EngineServer(FakeHandler(), Options())
    for host in (b"", b"null"):
        for origin in (b"", b"null", b"file://", b"https://"):
            assert not engine.gate.origin_allowed(request(host=host, origin=origin))


@given(st.sampled_from(["", "//", "http://", "https://"]), st.text("[]:/@.%1shop\x00\xff", max_size=12))
def test_an_origin_of_any_shape_gets_an_answer(start: str, rest: str) -> None:
    engine = EngineServer(FakeHandler(), Options(cors_origins=(OTHER,)))
    asked = request(origin=(start + rest).encode("latin-1"), host=b"x.example")
    assert engine.gate.origin_allowed(asked) is False


async def test_cors_headers_for_a_named_origin() -> None:
    call = await Polls(cors_origins=(OTHER,)).run(AsgiCall(headers={"origin": OTHER}))
    cors = {name: value for name, value in call.headers.items() if name.startswith("access-control") or name == "vary"}
    assert cors == {
        "access-control-allow-origin": OTHER,
        "access-control-allow-credentials": "true",
        "vary": "Origin",
    }


async def test_any_origin_is_no_origin_to_trust_with_cookies() -> None:
    call = await Polls(cors_origins=("*",)).run(AsgiCall(headers={"origin": OTHER}))
    assert call.headers["access-control-allow-origin"] == OTHER
    assert "access-control-allow-credentials" not in call.headers


async def test_a_page_may_read_why_it_was_refused() -> None:
    call = await Polls(cors_origins=(OTHER,)).run(AsgiCall(query="EIO=9", headers={"origin": OTHER}))
    assert call.status == 400
    assert call.headers["access-control-allow-origin"] == OTHER


async def test_no_cors_headers_without_an_origin() -> None:
    call = await Polls(cors_origins=("*",)).run(AsgiCall())
    assert not [name for name in call.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("origin", "status"), [(OTHER, 204), ("https://shop.example", 204), ("https://evil.example", 403)]
)
async def test_preflight(origin: str, status: int) -> None:
    polls = Polls(cors_origins=(OTHER,))
    asks = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    call = await polls.run(AsgiCall("OPTIONS", HANDSHAKE, asks))
    assert call.status == status
    assert polls.handler.opened == []
    if status == 204:
        assert call.body == b""
        assert call.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
        assert call.headers["access-control-allow-headers"] == "authorization, content-type"
        assert int(call.headers["access-control-max-age"]) > 0
    else:
        assert "access-control-allow-methods" not in call.headers
