"""Where webhooks may go, when they are tried again, and what they say."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from ordercast.webhooks.addresses import AddressRefused, Rules, literal, parse_url, rules_of
from ordercast.webhooks.backoff import MAX_RETRY_AFTER, RETRIES, problem_of, retry_after, wait_after
from ordercast.webhooks.client import open_client, sign
from ordercast.webhooks.messages import key_of, message_id
from ordercast.webhooks.models import TYPES, Answer, Endpoint, Secret, new_secret

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254"),
    *("0.0.0.0", "100.64.0.1", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::1", "::", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "fd00:ec2::254"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::7f00:1", "2002:7f00:1::"),
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    for secure in (True, False):
        with pytest.raises(AddressRefused, match="ORDERCAST_WEBHOOK_ALLOW_PRIVATE"):
            Rules().check(address, secure=secure)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_are_not_but_for_plain_text(address: str) -> None:
    Rules().check(address, secure=True)
    with pytest.raises(AddressRefused, match="https"):
        Rules().check(address, secure=False)


def test_what_is_allowed_is() -> None:
    rules = rules_of(["10.1.0.0/16", "::1/128"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "::1"):
        rules.check(address, secure=False)
    for address in ("10.2.0.1", "127.0.0.1"):
        with pytest.raises(AddressRefused):
            rules.check(address, secure=True)


@pytest.mark.parametrize(
    "url",
    [
        *("", "shop.example", "ftp://shop.example/", "https://", "https:///x", "https://u:p@shop.example/"),
        *("https://a/#b", "https://a b/", "https://a/\n", "https://a:99999/", "https://[::1/", "javascript:alert(1)"),
        f"https://a/{'x' * 2_048}",
    ],
)
def test_what_is_no_address_of_a_receiver(url: str) -> None:
    with pytest.raises(AddressRefused):
        parse_url(url)


def test_addresses_in_an_url_are_seen() -> None:
    assert literal(parse_url("https://127.0.0.1:8/x")) == "127.0.0.1"
    assert literal(parse_url("https://[::1]/")) == "::1"
    assert literal(parse_url("https://shop.example/")) is None


def endpoint(url: str, *secrets: Secret) -> Endpoint:
    return Endpoint(id="wh_1", url=url, secrets=secrets or (new_secret(),), cursor=0, created_at=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "2130706433", "0x7f.1"])
async def test_this_machine_is_not_reached_by_any_of_its_names(host: str) -> None:
    called = []

    async def handle(request: web.Request) -> web.Response:
        called.append(request)
        return web.Response()

    application = web.Application()
    application.router.add_post("/", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        async with open_client(Rules(), 5) as client:
            for scheme in ("http", "https"):
                url = f"{scheme}://{host}:{port}/"
                answer = await client.post(endpoint(url), "msg_1", b"{}")
                assert not answer.ok
                with pytest.raises(AddressRefused):
                    await client.check(url)
        async with open_client(rules_of(["127.0.0.0/8"]), 5) as client:
            assert (await client.post(endpoint(f"http://127.0.0.1:{port}/"), "msg_1", b"{}")).ok
        assert len(called) == 1
    finally:
        await runner.cleanup()


async def test_a_name_that_changes_its_address_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is added, private when it is connected to."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]]

    async def resolve(self: Any, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        common = {"hostname": host, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
        return [{**common, "host": address} for address in answers.pop(0)]

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    async with open_client(Rules(), 5) as client:
        await client.check("https://shop.example/")
        answer = await client.post(endpoint("https://shop.example/"), "msg_1", b"{}")
        assert "127.0.0.1 is not a public one" in answer.problem
        answer = await client.post(endpoint("https://shop.example:444/"), "msg_1", b"{}")
        assert "10.0.0.1 is not a public one" in answer.problem


def test_each_secret_signs_until_its_time() -> None:
    new, old, gone = new_secret(), replace(new_secret(), until=2_000_000_000_000), replace(new_secret(), until=1)
    at = datetime.now(UTC)
    signature = sign(endpoint("https://a/", new, old, gone), "msg_1", at, '{"ö":1}'.encode())
    assert len(signature.split(" ")) == 2
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
    for secret in (new, old):
        assert Webhook(secret.value).verify('{"ö":1}', headers) == {"ö": 1}
    assert "whsec_" not in repr(new)


@given(st.integers(1, 20), st.floats(0, 1), st.none() | st.floats(0, 100))
def test_waits_grow_as_the_schedule_does(attempts: int, chance: float, asked: float | None) -> None:
    wait = wait_after(attempts, RETRIES, Answer(500, "no", retry_after=asked), chance)
    if attempts > len(RETRIES):
        assert wait is None
    else:
        assert wait is not None
        assert RETRIES[attempts - 1] <= wait <= max(RETRIES[attempts - 1] * 1.2, asked or 0)
        assert wait >= (asked or 0)


def test_retry_after_is_read_in_both_forms() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    for header, seconds in {
        "120": 120,
        " 0 ": 0,
        "9" * 500: MAX_RETRY_AFTER,
        format_datetime(now.replace(minute=5), usegmt=True): 60,
        format_datetime(now.replace(year=2020), usegmt=True): 0,
        format_datetime(now.replace(year=2030), usegmt=True): MAX_RETRY_AFTER,
    }.items():
        assert retry_after(header, now) == seconds
    for none in (None, "", "soon", "-1", "1.5", "²", "Mon, 99 Foo 2026"):
        assert retry_after(none, now) is None


def test_answers_in_words() -> None:
    assert [problem_of(status, None) for status in (200, 202, 299)] == [""] * 3
    assert "redirect to http://10.0.0.1/" in problem_of(307, "http://10.0.0.1/")
    assert problem_of(404, None) == "It answered 404."


@given(st.from_regex(r"[A-Za-z0-9_-]{12}", fullmatch=True), st.integers(1, 10**17), st.sampled_from(TYPES))
def test_a_messages_id_says_which_it_is(log_id: str, position: int, type: str) -> None:
    id = message_id(log_id, (position, type), "wh_12ab")
    assert "." not in id
    assert key_of(id, "wh_12ab") == (position, type)
    with pytest.raises(ValueError, match="is no id"):
        key_of(id, "wh_12ac")


@pytest.mark.parametrize("host", [".", "a..b", f"{'a' * 64}.example", "nobody.invalid"])
async def test_what_is_no_name_is_refused_as_one_that_is_not_known(host: str) -> None:
    url = f"http://{host}/"
    async with open_client(Rules(), 5) as client:
        with pytest.raises(AddressRefused, match="names a host that is not known"):
            await client.check(url)
        assert (await client.post(endpoint(url), "msg_1", b"{}")).problem.startswith("It cannot be reached: ")
