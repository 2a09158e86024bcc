"""The short way and FastAPI's: the same answer, byte for byte, and the same orders afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordercast.api.application import documented_api
from ordercast.api.express import Express
from ordercast.errors import StorageError
from ordercast.testing import memory_storage
from tests.contract.support import Clock
from tests.harness import token
from tests.rest import BACKEND, JSON, MAX_BODY, Headers, Side, ask, bearer

LONG = documented_api(Side(memory_storage()).services, max_body=MAX_BODY)


@pytest.fixture(autouse=True, scope="module")
def clock() -> Iterator[Clock]:
    """Both sides write at the same time."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock()
        patch.setattr("ordercast.testing.orders.now", clock)
        yield clock


CALLERS: list[Headers] = [
    BACKEND,
    bearer("operator"),
    bearer("operator", shops=["north"]),
    bearer("customer", 42),
    bearer("customer", 41),
    [],
    [(b"authorization", b"Bearer not.a.token")],
    [(b"authorization", b"Bearer " + token("shop", "service", lifetime=-1).encode())],
    [*bearer("customer", 41), *bearer("service", "shop")],
]
TYPES: list[Headers] = [
    JSON,
    [(b"content-type", b"application/json; charset=utf-8")],
    [(b"content-type", b"Application/JSON")],
    [(b"content-type", b"application/problem+json")],
    [(b"content-type", b"text/plain")],
    [],
    [*JSON, (b"content-type", b"text/plain")],
]


async def both(*requests: tuple[Any, ...], **options: Any) -> tuple[int, Headers, bytes]:
    """The last answer to these requests, after both ways gave the same to each and made the same of the orders."""
    long, short = await Side.open(), await Side.open()
    express = Express(LONG, short.services, max_body=MAX_BODY, cors=False)
    for request in requests:
        LONG.state.services = long.services
        wanted = await ask(LONG, *request, **options)
        LONG.state.services = short.services
        assert await ask(express, *request, **options) == wanted
        assert short.storage.log.events == long.storage.log.events
    for event in long.storage.log.events:
        assert await short.storage.orders.get(event.order_id) == await long.storage.orders.get(event.order_id)
    return wanted


# -- the same ------------------------------------------------------------------------------------------------


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


ANY: st.SearchStrategy[Any] = st.sampled_from([None, True, 3, -1, 1.0, 1.5, "", "x", [], {}, "\ud7ff", "x\0y", 10**30])
TEXTS = st.sampled_from(["x" * n for n in (0, 1, 64, 65, 128, 129, 500, 501, 2_000, 2_001)] + ["ü\n", "x\0y"])
IDS = st.sampled_from([0, 42, "42", "007", "a.b:c-1_2", "", "a b", "x" * 64, "x" * 65, 10**63, 10**64, "7", "north"])
PATCH = {
    "status": st.sampled_from(["received", "accepted", "delivered", "teleported"]) | TEXTS,
    "expectedAt": st.sampled_from(
        [None, "2026-01-01T12:00:00Z", "2026-01-01T12:00:00", "0001-01-01T00:00:00+14:00", 0]
    ),
    "note": TEXTS,
    "contact": st.sampled_from([{}, {"phone": "+49"}, deep(31), deep(32), deep(33), {"x": [deep(31)]}]),
    "expectedVersion": st.sampled_from([0, 1, 2, 1.0, "1", True, 10**30]),
    "reason": TEXTS,
    "updatedBy": IDS,
    "force": st.booleans() | st.sampled_from([0, 1, "yes"]),
}
CREATE = {
    "customerId": IDS,
    "orderId": IDS,
    "shopId": IDS,
    "reference": TEXTS,
    "fulfilment": st.sampled_from(["delivery", "pickup", "teleport"]),
    "items": st.sampled_from([[], [1, None, "x"], [0] * 500, [0] * 501, [deep(31)], [deep(32)]]),
    "total": st.sampled_from([0, -0.0, 12.5, 12, -1, 1e12, 999_999_999_999.5, "12", True, 10**30]),
    "currency": st.sampled_from(["EUR", "eur", "EURO", "EUR\n", "EU\n", "ÄÖÜ", "E1R"]),
    "note": TEXTS,
    "contact": PATCH["contact"],
    "expectedAt": PATCH["expectedAt"],
}

TIMES = st.sampled_from(
    [
        None, 0, "2026-01-01T12:00:00Z", "2026-01-01T12:00:00.1234567Z", "2026-01-01T12:00:00.123456+05:30",
        "2026-01-01T24:00:00Z", "2026-01-01T12:00:60Z", "2026-02-30T12:00:00Z", "2026-01-01T12:00:00-00:00",
        "2026-01-01T12:00:00+24:00", "2026-01-01 12:00:00z", "2026-01-01T12:00:00", "2026-01-01", "1767225600",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999-00:01",
        "１９７０-01-01T00:00:00Z",
    ]
)  # fmt: skip
PUT = {
    **CREATE,
    "orderId": st.sampled_from(["7", 7, "north-1", "nowhere", "x", True]),
    "expectedAt": TIMES,
    "createdAt": TIMES,
    "status": PATCH["status"],
    "updatedBy": IDS,
    "reason": TEXTS,
}


def bodies(fields: dict[str, st.SearchStrategy[Any]], needed: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Mostly good ones; some with a field of any kind, an unknown one or the same one twice, some broken."""
    known = st.fixed_dictionaries({}, optional=fields).map(lambda found: {**needed, **found})
    odd = st.dictionaries(st.sampled_from([*fields, "expected_version", "stauts"]), ANY, max_size=1)
    texts = st.tuples(known, odd).map(lambda both: json.dumps({**both[0], **both[1]}).encode())
    twice = st.tuples(known, st.sampled_from([*fields]), ANY).map(
        lambda found: json.dumps({found[1]: found[2]}).encode()[:-1] + b"," + json.dumps(found[0]).encode()[1:]
    )
    broken = st.sampled_from(
        [b"", b"null", b"[]", b"{", b'{"note": NaN}', b'{"note": "\xff"}', b"\xef\xbb\xbf{}", b"[" * 2_000]
    )
    spaced = texts.map(lambda text: b" \n" + text + b"\t")
    return texts | texts | twice | spaced | broken


@settings(max_examples=400)
@given(
    st.sampled_from(["7", "north-1", "nowhere", "a%20b", "ü"]),
    bodies(PATCH, {}),
    st.sampled_from(CALLERS),
    st.sampled_from(TYPES),
)
async def test_patch(id: str, body: bytes, caller: Headers, type: Headers) -> None:
    await both(("PATCH", f"/api/orders/{id}", [body], caller + type))


@settings(max_examples=400)
@given(
    bodies(CREATE, {"customerId": 42}),
    st.sampled_from(CALLERS),
    st.sampled_from(TYPES),
    st.sampled_from([None, b"key", b"", b" ", b"k" * 255, b"k" * 256]),
)
async def test_post(body: bytes, caller: Headers, type: Headers, key: bytes | None) -> None:
    headers = caller + type + ([] if key is None else [(b"idempotency-key", key)])
    await both(("POST", "/api/orders", [body], headers), ("POST", "/api/orders", [body], headers))


@settings(max_examples=400)
@given(
    st.sampled_from(["7", "north-1", "nowhere", "a%20b", "ü"]),
    bodies(PUT, {"customerId": 42}),
    st.sampled_from(CALLERS),
    st.sampled_from(TYPES),
)
async def test_put(id: str, body: bytes, caller: Headers, type: Headers) -> None:
    await both(("PUT", f"/api/orders/{id}", [body], caller + type), ("PUT", f"/api/orders/{id}", [body], caller + type))


@pytest.mark.parametrize("caller", range(len(CALLERS)))
@pytest.mark.parametrize(
    "path", ["/api/orders/7", "/api/orders/north-1", "/api/orders/no", "/api/orders/a b", "/api/orders/7/"]
)
async def test_get(path: str, caller: int) -> None:
    await both(("GET", path, [b""], CALLERS[caller]))


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "path", ["/api/orders", "/api/orders/", "/api/orders/7", "/api/orders/7/contact", "/api/ordersx", "/api/ordersx/7"]
)
async def test_other_addresses_and_methods(method: str, path: str) -> None:
    await both((method, path, [b'{"status": "accepted"}']))


@pytest.mark.parametrize("root", ["", "/live"])
async def test_an_idempotency_key_holds_whichever_way_it_came(root: str) -> None:
    side = await Side.open()
    LONG.state.services = side.services
    express = Express(LONG, side.services, max_body=MAX_BODY, cors=False)
    headers = [*BACKEND, *JSON, (b"idempotency-key", b"once")]
    answers = [
        await ask(app, "POST", "/api/orders", [b'{"customerId": 42}'], headers, root)
        for app in (express, LONG, express)
    ]
    assert [answer[0] for answer in answers] == [201, 201, 201]
    assert answers[1] == answers[2]
    assert answers[0][2] == answers[1][2]
    assert len(side.storage.log.events) == 3


@pytest.mark.parametrize(
    "pieces", [[b'{"sta', b'tus": "acc', b'epted"}'], [b"", b'{"status": "accepted"}', b""], [b'{"sta', b'tus": 3}']]
)
async def test_a_body_in_pieces(pieces: list[bytes]) -> None:
    status, _, _ = await both(("PATCH", "/api/orders/7", pieces))
    assert status in (200, 422)


@pytest.mark.parametrize("length", [None, -1, 22, MAX_BODY + 1, 10**13])
@pytest.mark.parametrize("size", [22, MAX_BODY, MAX_BODY + 1])
async def test_a_body_that_is_larger_than_allowed_or_announced(length: int | None, size: int) -> None:
    body = b'{"status": "accepted"}'.ljust(size)
    pieces = [body[start : start + 1_000] for start in range(0, size, 1_000)]
    await both(("PATCH", "/api/orders/7", pieces), length=length)


async def test_below_a_path() -> None:
    status, headers, _ = await both(("POST", "/api/orders", [b'{"customerId": 42}']), root="/live")
    assert (status, dict(headers)[b"location"]) == (201, b"/live/api/orders/1")
    await both(("PATCH", "/api/orders/7", [b'{"status": "accepted"}']), root="/live")


# -- short ---------------------------------------------------------------------------------------------------


async def long_way(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("this went the long way")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "PATCH",
            "/api/orders/7",
            b'{"status": "accepted", "note": "x", "expectedVersion": 1, "updatedBy": 9, "contact": {}}',
        ),
        ("PATCH", "/api/orders/7", b'{"status": "delivered"}'),
        ("PATCH", "/api/orders/none", b'{"status": "accepted"}'),
        ("POST", "/api/orders", b'{"customerId": 42, "shopId": "north", "items": [{}], "total": 1, "currency": "EUR"}'),
        ("POST", "/api/orders", b'{"customerId": 42, "orderId": 7}'),
        (
            "PUT",
            "/api/orders/8",
            b'{"customerId": 42, "orderId": 8, "status": "ready", "createdAt": "2026-01-02T03:04:05Z"}',
        ),
        ("PUT", "/api/orders/7", b'{"customerId": 43, "reason": "x", "updatedBy": "ana"}'),
        ("GET", "/api/orders/7", b""),
        ("GET", "/api/orders/none", b""),
    ],
)
async def test_what_is_usual_does_not_reach_fastapi(method: str, path: str, body: bytes) -> None:
    side = await Side.open()
    express = Express(long_way, side.services, max_body=MAX_BODY, cors=True)
    await ask(express, method, path, [body])
    with pytest.raises(AssertionError, match="the long way"):
        await ask(express, method, path, [body], [*BACKEND, *JSON, (b"origin", b"https://shop.example")])


async def test_whoever_hangs_up_while_sending_is_handed_on_with_what_came() -> None:
    side = await Side.open()
    heard: list[Message] = []

    async def rest(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([await receive(), await receive()])

    incoming: list[Message] = [
        {"type": "http.request", "body": b'{"sta', "more_body": True},
        {"type": "http.disconnect"},
    ]
    waiting = list(incoming)

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    express = Express(rest, side.services, max_body=MAX_BODY, cors=False)
    headers = [*BACKEND, *JSON, (b"content-length", b"22")]
    await express({"type": "http", "method": "PATCH", "path": "/api/orders/7", "headers": headers}, receive, send)
    assert heard == incoming


@pytest.mark.parametrize(
    ("error", "status"), [(StorageError("the disk is full"), 503), (ZeroDivisionError("nobody foresaw it"), 500)]
)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/orders/7", b'{"status": "accepted"}'),
        ("PUT", "/api/orders/7", b'{"customerId": 1}'),
        ("POST", "/api/orders", b'{"customerId": 1}'),
        ("GET", "/api/orders/7", b""),
    ],
)
async def test_what_fails_inside_is_answered_alike(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: bytes, error: Exception, status: int
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise error

    side = await Side.open()
    for name in ("get", "change", "create", "put"):
        monkeypatch.setattr(side.storage.orders, name, fails)
    LONG.state.services = side.services
    answers = []
    for app in (LONG, Express(long_way, side.services, max_body=MAX_BODY, cors=False)):
        kept = Kept(app)
        if status == 500:
            with pytest.raises(ZeroDivisionError):
                await ask(kept, method, path, [body])
        else:
            await ask(kept, method, path, [body])
        answers.append(kept.sent)
    assert answers[0] == answers[1]
    assert answers[0][0]["status"] == status
    assert b"nobody foresaw" not in answers[0][1]["body"]


class Kept:
    """Keeps what an application sends, also where it raises afterwards."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sent: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def both(message: Message) -> None:
            self.sent.append(message)
            await send(message)

        await self.app(scope, receive, both)
