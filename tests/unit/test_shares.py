"""Share tokens: what they hold, what they open, and that they open nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.api.application import create_api
from ordercast.auth import TokenVerifier
from ordercast.auth.shares import ShareTokens
from ordercast.auth.signing import Signer
from ordercast.errors import AuthError, InvalidToken, TokenExpired
from ordercast.live.limit import ConnectionLimit
from ordercast.live.recovery import Pids
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Role
from tests.harness import token
from tests.live import Client, living
from tests.rest import BACKEND, JSON, MAX_BODY, SETTINGS, SHARES, SHOP, Headers, Side, ask, bearer

KEY = "a secret key of the tests that is long enough"
NOW = 1_800_000_000.5


def shares(at: float = NOW, key: str = KEY, lifetime: float = 60) -> ShareTokens:
    return ShareTokens(key, lifetime, clock=lambda: at)


IDS = st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True)


# -- tokens ---------------------------------------------------------------------------------------------------


@given(IDS, IDS)
def test_a_token_names_one_order_and_nobody_can_read_whose(order_id: str, customer_id: str) -> None:
    share = shares().issue(order_id, customer_id)
    assert share.expires_at == NOW + 60.5, "whole seconds, and not sooner"
    principal = shares().read(share.token)
    assert (principal.order_id, principal.owner, principal.role) == (order_id, customer_id, Role.CUSTOMER)
    assert principal.is_guest
    assert principal.expires_at == share.expires_at
    assert (principal.is_staff, principal.is_operator) == (False, False)
    assert principal.user_id.startswith("~"), "which no customer's id can"
    assert len(principal.user_id) <= 64, "as long as a column is"
    assert len(share.token) <= 255, "as long as what can be revoked"
    assert principal.token_id == share.token


def test_it_ends() -> None:
    share = shares().issue("17", "42")
    assert shares(share.expires_at - 0.001).read(share.token).order_id == "17"
    with pytest.raises(TokenExpired, match="Token expired"):
        shares(share.expires_at).read(share.token)


@given(st.data())
def test_one_that_was_touched_is_none(data: st.DataObject) -> None:
    text = shares().issue("17", "42").token
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda c: c != text[at]))
    for touched in (text[:at] + other + text[at + 1 :], text[:at], text + other):
        with pytest.raises(InvalidToken, match="Invalid token"):
            shares().read(touched)


def test_what_the_key_signs_otherwise_is_no_share_token() -> None:
    for foreign in (
        shares(key="another key, of another installation, as long").issue("17", "42").token,
        Pids(KEY).issue("17", "log.1"),
        Signer(KEY, b"").sign(["17", NOW + 60]),
    ):
        with pytest.raises(InvalidToken):
            shares().read(foreign)
    assert Pids(KEY).read(shares().issue("17", "42").token) is None


def test_the_verifier_takes_them_once_it_has_their_key() -> None:
    text = SHARES.issue("17", "42").token
    verifier = TokenVerifier.from_settings(SETTINGS)
    with pytest.raises(InvalidToken):
        verifier.verify_now(text)
    verifier.shares = SHARES
    assert verifier.verify_now(f"Bearer {text}").order_id == "17"
    with pytest.raises(AuthError):
        verifier.verify_now("a.b")


# -- over REST ------------------------------------------------------------------------------------------------


def guest(order_id: str) -> Headers:
    return [(b"authorization", b"Bearer " + SHARES.issue(order_id, "42").token.encode())]


async def said(side: Side, method: str, path: str, headers: Headers, body: Any = None, query: bytes = b"") -> Any:
    """The status and the JSON."""
    api = create_api(side.services, max_body=MAX_BODY)
    text = b"" if body is None else json.dumps(body).encode()
    status, _, answer = await ask(api, method, path, (text,), headers + (JSON if text else []), query=query)
    return status, json.loads(answer) if answer else None


@pytest.mark.parametrize(
    ("who", "status"),
    [
        (bearer("customer", 42), 200),
        (bearer("customer", 43), 404),
        (BACKEND, 200),
        (bearer("operator"), 200),
        (bearer("operator", shops=["north"]), 404),
        (guest("7"), 403),
        (guest("north-1"), 404),
    ],
    ids=["customer", "stranger", "service", "operator", "other shop", "guest", "guest of another"],
)
async def test_who_may_share(who: Headers, status: int) -> None:
    side = await Side.open()
    got, answer = await said(side, "POST", "/api/orders/7/share", who)
    assert got == status
    if status == 200:
        assert set(answer) == {"shareToken", "url", "expiresAt"}
        assert answer["url"] == f"https://shop.example/live/track/{answer['shareToken']}"
        assert SHARES.read(answer["shareToken"]).order_id == "7"


async def test_a_guest_reads_one_order_and_does_nothing() -> None:
    side = await Side.open()
    status, order = await said(side, "GET", "/api/orders/7", guest("7"))
    assert (status, order["orderId"], order["status"]) == (200, 7, "received")
    assert {"customerId", "note", "contact", "claimedBy", "firstContactAt"}.isdisjoint(order)
    status, history = await said(side, "GET", "/api/orders/7/events", guest("7"))
    assert (status, history["complete"], [event["status"] for event in history["events"]]) == (200, True, ["received"])
    for method, path, body, expected in (
        ("GET", "/api/orders/north-1", None, 404),
        ("GET", "/api/orders/north-1/events", None, 404),
        ("GET", "/api/orders", None, 403),
        ("POST", "/api/orders", {"customerId": 42}, 403),
        ("PATCH", "/api/orders/7", {"status": "accepted"}, 403),
        ("PATCH", "/api/orders/north-1", {"status": "accepted"}, 404),
        ("POST", "/api/orders/7/contact", None, 403),
        ("GET", "/api/presence", None, 403),
        ("POST", "/api/tokens/revoke", {"userId": 42}, 403),
    ):
        assert (await said(side, method, path, guest("7"), body))[0] == expected, (method, path)
    unknown = await said(side, "GET", "/api/orders/8", guest("8"))
    assert unknown == await said(side, "GET", "/api/orders/north-1", guest("7"))


async def test_a_guest_polls_one_orders_events() -> None:
    side = await Side.open()
    await said(side, "PATCH", "/api/orders/7", BACKEND, {"status": "accepted", "note": "ring twice"})
    await said(side, "PATCH", "/api/orders/north-1", BACKEND, {"status": "accepted"})
    await said(side, "PATCH", "/api/orders/7", BACKEND, {"note": "do not ring"})
    status, page = await said(side, "GET", "/api/events", guest("7"), query=b"after=0")
    assert (status, page["position"]) == (200, 5)
    [updated] = page["events"]
    assert (updated["event"], updated["data"]["orderId"], updated["data"]["version"]) == ("order:updated", 7, 2)
    assert set(updated["data"]) == {"orderId", "status", "updatedAt", "version", "position"}
    assert (await said(side, "GET", "/api/events", guest("7"), query=b"after=3"))[1]["events"] == []
    assert (await said(side, "GET", "/api/events", guest("8"), query=b"after=0"))[0] == 401, "it shows nothing any more"


async def test_a_share_token_can_be_taken_back() -> None:
    side = await Side.open()
    first, second = SHARES.issue("7", "42").token, guest("7")
    assert (await said(side, "POST", "/api/tokens/revoke", BACKEND, {"tokenId": first}))[0] == 204
    header = [(b"authorization", b"Bearer " + first.encode())]
    assert (await said(side, "GET", "/api/orders/7", header))[0] == 401
    if second != header:  # made in a later second
        assert (await said(side, "GET", "/api/orders/7", second))[0] == 200


async def test_a_link_from_when_the_order_was_anothers_opens_it_no_more() -> None:
    side = await Side.open()
    _, made = await said(side, "POST", "/api/orders/7/share", bearer("customer", 42))
    theirs = [(b"authorization", b"Bearer " + made["shareToken"].encode())]
    paths = [("/api/orders/7", b""), ("/api/orders/7/events", b""), ("/api/events", b"after=0")]
    assert [(await said(side, "GET", path, theirs, query=query))[0] for path, query in paths] == [200, 200, 200]
    assert (await said(side, "PUT", "/api/orders/7", BACKEND, {"customerId": 43, "items": ["a secret"]}))[0] == 200
    for path, query in paths:
        unknown = await said(side, "GET", path.replace("7", "8"), guest("8"), query=query)
        assert await said(side, "GET", path, theirs, query=query) == unknown
        assert unknown[0] == (404 if "/orders/" in path else 401)
    _, made = await said(side, "POST", "/api/orders/7/share", bearer("customer", 43))
    now = [(b"authorization", b"Bearer " + made["shareToken"].encode())]
    assert (await said(side, "GET", "/api/orders/7", now))[1]["items"] == ["a secret"]


# -- over sockets ---------------------------------------------------------------------------------------------


async def answer_to(client: Client, event: str, value: object) -> Any:
    """Emits, and returns the acknowledgement."""
    client.say("27" + json.dumps([event, value]))
    [answer] = [data for digits, data in await client.told() if digits == "37"]
    return answer[0]


async def test_a_guests_socket_hears_of_one_order_what_is_not_personal() -> None:
    async with living() as live:
        await live.create("7")
        await live.create("8")
        client = await live.come(token=SHARES.issue("7", "42").token)
        await client.told()
        for other in ("8", "no-such-order"):
            assert (await answer_to(client, "watch:order", other))["error"] == "not_found"
        assert (await answer_to(client, "watch:order", 7))["version"] == 1
        [socket] = live.io.of("/").sockets.values()
        assert socket.rooms == {socket.id, "shared:7 42", "guests:7"}, "neither the customer's nor the watchers' room"
        for id in ("7", "8"):
            await live.note(id, "ring twice")
            await live.orders.change_status(id, "accepted", "kitchen")
        await live.create("9")
        await live.feed.reached(live.storage.log.newest)
        heard = [data for event, data in await client.told() if event.startswith("order:")]
        assert [set(data) for data in heard] == [{"orderId", "status", "updatedAt", "version", "position"}]
        assert (heard[0]["orderId"], heard[0]["version"]) == (7, 3)


async def test_a_guest_comes_back_to_its_order_and_to_no_other() -> None:
    async with living() as live:
        await live.create("7")
        await live.create("8")
        since = live.cursor
        client = await live.come(token=SHARES.issue("7", "42").token)
        pid = (await client.told())[0][1]["pid"]
        await live.orders.change_status("7", "accepted", "kitchen")
        await live.orders.change_status("8", "accepted", "kitchen")
        again = await live.come(token=SHARES.issue("7", "42").token, since=since)
        told = await again.told()
        assert [data["orderId"] for event, data in told if event == "order:updated"] == [7]
        stranger = await live.come(token=SHARES.issue("8", "42").token, pid=pid, offset=since)
        told = await stranger.told()
        assert [data["orderId"] for event, data in told if event == "order:updated"] == [8]
        assert told[0][1]["pid"] != pid, "it does not come back as another"


async def test_a_guest_hears_no_more_of_an_order_that_is_anothers_now() -> None:
    async with living() as live:
        await live.create("7")
        since = live.cursor
        link = SHARES.issue("7", "42").token
        watching, connected = await live.come(token=link), await live.come(token=link)
        assert (await answer_to(watching, "watch:order", 7))["version"] == 1
        await connected.told()
        await live.orders.put(NewOrder(order_id="7", customer_id="43", items=["a secret"]), SHOP)
        await live.orders.change_status("7", "accepted", "kitchen")
        await live.feed.reached(live.storage.log.newest)
        live.restarted()
        late = await live.come(token=link)
        back = await live.come(token=link, since=since)
        for client in (watching, connected, late, back):
            told = await client.told()
            assert not [data for event, data in told if event.startswith("order:")]
            assert ("force_disconnect", {"reason": "revoked"}) in told
            assert told[-1] == ("1", None), "and that is the end of it"
        now = await live.come(token=SHARES.issue("7", "43").token, since=since)
        assert "a secret" in json.dumps(await now.told())


async def test_a_link_goes_on_showing_an_order_that_is_another_shops_now() -> None:
    async with living() as live:
        await live.create("7")
        guest = await live.come(token=SHARES.issue("7", "42").token)
        await guest.told()
        await live.orders.put(NewOrder(order_id="7", customer_id="42", shop_id="south"), SHOP)
        await live.feed.reached(live.storage.log.newest)
        assert "force_disconnect" not in dict(await guest.told())
        assert (await answer_to(guest, "watch:order", 7))["version"] == 2


async def test_a_guest_stays_a_guest() -> None:
    async with living() as live:
        await live.create("7")
        guest = await live.come(token=SHARES.issue("7", "42").token)
        customer = await live.come("42", "customer")
        for client, refused in (
            (guest, token(42)),
            (guest, token("ana", "operator")),
            (guest, SHARES.issue("8", "42").token),
            (customer, SHARES.issue("7", "42").token),
        ):
            await client.told()
            assert await answer_to(client, "auth:refresh", refused) == {"error": "Invalid token"}
        renewed = SHARES.issue("7", "42")
        assert await answer_to(guest, "auth:refresh", renewed.token) == {"expiresAt": renewed.expires_at}


async def test_a_link_may_be_open_in_any_number_of_places() -> None:
    async with living() as live:
        await live.create("7")
        live.handlers._limit = ConnectionLimit(live.io, 1)
        for _ in range(3):
            client = await live.come(token=SHARES.issue("7", "42").token)
            assert (await client.told())[0][0] == "0"
        assert len(live.io.of("/").sockets) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ShareTokens(KEY, 60, clock=lambda: 1_000.0).issue("7", "42").token, "Token expired"),
        (shares(key="another key, of another installation, as long").issue("7", "42").token, "Invalid token"),
        (SHARES.issue("7", "42").token[:-1] + "~", "Invalid token"),
    ],
    ids=["expired", "another key", "tampered"],
)
async def test_a_bad_link_is_refused_in_the_contracts_words(text: str, message: str) -> None:
    async with living() as live:
        client = await live.come(token=text)
        assert await client.told() == [("4", {"message": message})]
