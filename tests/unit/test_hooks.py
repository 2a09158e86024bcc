"""``POST /api/hooks/{source}``: what is signed is done, once; what is forged or played again is refused in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.config import load_settings
from ordercast.errors import SettingsError
from ordercast.webhooks.models import new_secret
from tests.rest import HOOK_SECRET, JSON, MAX_BODY, OLD_HOOK_SECRET, Headers, Side, ask

ORDER = {"orderId": 9, "customerId": 42, "status": "preparing", "note": "ring"}


@pytest.fixture
async def side() -> Side:
    return await Side.open()


@pytest.fixture
def app(side: Side) -> ASGIApp:
    return create_api(side.services, max_body=MAX_BODY)


def signed(body: bytes, id: str = "msg_1", secret: str = HOOK_SECRET, late: float = 0) -> Headers:
    at = datetime.now(UTC) - timedelta(seconds=late)
    signature = Webhook(secret).sign(id, at, body.decode())
    stamp = str(int(at.timestamp())).encode()
    return [
        (b"webhook-id", id.encode()),
        (b"webhook-timestamp", stamp),
        (b"webhook-signature", b"v1a,zzz " + signature.encode()),
    ]


async def send(app: ASGIApp, body: bytes, headers: Headers, source: str = "till") -> tuple[int, Any]:
    status, _, answer = await ask(app, "POST", f"/api/hooks/{source}", [body], headers + JSON)
    return status, json.loads(answer)


async def say(app: ASGIApp, message: object, id: str = "msg_1") -> tuple[int, Any]:
    body = json.dumps(message).encode()
    return await send(app, body, signed(body, id))


async def test_an_order_comes_in_by_itself_or_in_an_envelope(app: ASGIApp, side: Side) -> None:
    assert await say(app, ORDER) == (200, {"replayed": False})
    assert await say(app, {"type": "order.upsert", "data": ORDER | {"status": "ready"}, "timestamp": "x"}, "2") == (
        200,
        {"replayed": False},
    )
    said = {"orderId": 9, "status": "delivered", "updatedBy": "courier", "reason": "at the door"}
    assert (await say(app, {"type": "order.status", "data": said}, "3"))[0] == 200
    order = await side.storage.orders.get("9")
    assert order is not None
    assert (order.status, order.note, order.version) == ("delivered", "ring", 3)
    history = await side.storage.orders.history("9")
    assert [event.updated_by for event in history] == ["hook:till", "hook:till", "courier"]


async def test_the_same_again_changes_nothing(app: ASGIApp, side: Side) -> None:
    await say(app, ORDER)
    await say(app, ORDER | {"status": "ready"}, "msg_2")
    head = side.storage.log.newest
    assert await say(app, ORDER) == (200, {"replayed": True})
    assert side.storage.log.newest == head
    status, answer = await say(app, ORDER | {"note": "another"})
    assert (status, answer["type"]) == (422, "urn:ordercast:webhook-id-reused")
    assert side.storage.log.newest == head


async def test_what_was_refused_may_come_again(app: ASGIApp, side: Side) -> None:
    message = {"type": "order.status", "data": {"orderId": 9, "status": "ready"}}
    assert (await say(app, message, "msg_s"))[0] == 404
    await say(app, ORDER)
    assert await say(app, message, "msg_s") == (200, {"replayed": False})
    assert await say(app, message, "msg_s") == (200, {"replayed": True})


async def test_either_secret_of_a_source_will_do(app: ASGIApp) -> None:
    body = json.dumps(ORDER).encode()
    assert (await send(app, body, signed(body, secret=OLD_HOOK_SECRET)))[0] == 200


# Signed when a test asks, not when it is collected: a signature is good for 300 s.
FORGED: dict[str, tuple[Callable[[], Headers], str]] = {
    "not at all": (list, "no webhook-id and no webhook-timestamp and no webhook-signature"),
    "without a signature": (lambda: signed(b"{}")[:2], "no webhook-signature"),
    "with another secret": (lambda: signed(b"{}", secret=new_secret().value), "No webhook-signature was made"),
    "for another body": (lambda: signed(b"{ }"), "No webhook-signature was made"),
    "for another id": (lambda: [(b"webhook-id", b"msg_2"), *signed(b"{}")[1:]], "No webhook-signature was made"),
    "with no base64": (lambda: with_signature(b"v1,a"), "No webhook-signature was made"),
    "with no comma": (lambda: with_signature(b"v1"), "No webhook-signature was made"),
    "with letters in it": (lambda: with_signature(b"v1,\xe4"), "No webhook-signature was made"),
    "with no time": (lambda: with_time(b"now"), "No webhook-signature was made"),
    "with time without end": (lambda: with_time(b"inf"), "No webhook-signature was made"),
    "too long ago": (lambda: signed(b"{}", late=310), "more than 300 s away"),
    "too far ahead": (lambda: signed(b"{}", late=-10_000), "more than 300 s away"),
    "with a long id": (lambda: signed(b"{}", id="m" * 256), "longer than 255"),
}


def with_signature(signature: bytes) -> Headers:
    return [*signed(b"{}")[:2], (b"webhook-signature", signature)]


def with_time(timestamp: bytes) -> Headers:
    id, _, signature = signed(b"{}")
    return [id, (b"webhook-timestamp", timestamp), signature]


@pytest.mark.parametrize("how", FORGED)
async def test_what_is_not_signed_is_refused(app: ASGIApp, side: Side, how: str) -> None:
    forge, words = FORGED[how]
    status, answer = await send(app, b"{}", forge())
    assert (status, answer["type"]) == (401, "urn:ordercast:signature-refused")
    assert words in answer["detail"]
    assert HOOK_SECRET not in answer["detail"]
    assert side.storage.log.newest == 2


async def test_an_unknown_source(app: ASGIApp) -> None:
    status, answer = await send(app, b"{}", signed(b"{}"), source="oven")
    assert status == 404
    assert "ORDERCAST_HOOKS" in answer["detail"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ([1], "Send a JSON object"),
        ({}, "customerId"),
        ({"customerId": 42}, "orderId: must be given"),
        ({"type": "order.upsert", "data": None}, "data"),
        ({"type": "order.eaten", "data": {}}, "'order.eaten' is neither"),
        ({"type": ["order.status"], "data": {}}, "is neither"),
        ({"type": "order.status", "data": {"orderId": 7}}, "data.status"),
        ({"type": "order.status", "data": {"orderId": 7, "status": "eaten"}}, "eaten"),
        ({"type": "order.status", "data": {"orderId": 7, "status": "ready", "force": True}}, "data.force"),
        (ORDER | {"eaten": True}, "eaten"),
    ],
)
async def test_what_is_signed_and_wrong_is_refused_in_words(
    app: ASGIApp, side: Side, message: object, words: str
) -> None:
    status, answer = await say(app, message)
    assert status == 422
    assert words in answer["detail"]
    assert side.storage.log.newest == 2


async def test_what_is_no_json(app: ASGIApp) -> None:
    for body in (b"", b"{", b'{"a": NaN}'):
        status, answer = await send(app, body, signed(body))
        assert (status, answer["type"]) == (400, "urn:ordercast:malformed-json")


@pytest.mark.parametrize(
    "text", ["till", "till=secret", "Till=whsec_AAAA", "till=whsec_AAAA", "till=whsec_ä", f"=whsec_{'A' * 32}"]
)
def test_sources_that_cannot_be(text: str) -> None:
    with pytest.raises(SettingsError, match="ORDERCAST_HOOKS") as caught:
        load_settings(hooks=text)
    assert "AAAA" not in str(caught.value)


def test_sources_as_they_are_set() -> None:
    secrets = [new_secret().value for _ in range(3)]
    settings = load_settings(hooks=f"till={secrets[0]}, oven={secrets[1]} till={secrets[2]}")
    assert settings.hooks == {"till": (secrets[0], secrets[2]), "oven": (secrets[1],)}
    assert secrets[0] not in repr(settings)


@pytest.mark.parametrize(("text", "found"), [("", ()), ("10.0.0.0/8, ::1/128", ("10.0.0.0/8", "::1/128"))])
def test_networks_that_webhooks_may_go_to(text: str, found: tuple[str, ...]) -> None:
    assert load_settings(webhook_allow_private=text).webhook_allow_private == found
    with pytest.raises(SettingsError, match="WEBHOOK_ALLOW_PRIVATE: must be networks"):
        load_settings(webhook_allow_private="yes")
    assert load_settings(webhook_allow_private="all").webhook_allow_private == ("0.0.0.0/0", "::/0")
