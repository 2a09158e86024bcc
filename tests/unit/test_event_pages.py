"""``/asyncapi.json`` and ``/docs/events``, as the API serves them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import pytest

from ordercast.api.application import create_api
from ordercast.api.event_catalogue import CONNECT, FROM_CLIENT, FROM_SERVER
from tests.rest import MAX_BODY, Side, ask

ROOTS = ("", "/live")


async def get(path: str, root: str = "") -> tuple[int, dict[str, str], str]:
    """Without a token: what the documents say is no secret."""
    api = create_api((await Side.open()).services, max_body=MAX_BODY)
    status, headers, body = await ask(api, "GET", path, headers=[], root=root)
    return status, {name.decode(): value.decode() for name, value in headers}, body.decode()


@pytest.mark.parametrize("root", ROOTS)
async def test_the_document_says_where_it_was_asked_for(root: str) -> None:
    status, headers, body = await get("/asyncapi.json", root)
    assert (status, headers["content-type"]) == (200, "application/json")
    document = json.loads(body)
    assert document["asyncapi"] == "3.0.0"
    server = document["servers"]["ordercast"]
    assert (server["host"], server["pathname"]) == ("shop.example", f"{root}/socket.io/")


async def test_the_page_shows_every_event_with_what_it_carries_and_is_answered_with() -> None:
    status, headers, page = await get("/docs/events")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'<section id="([^"]+)"', page) == [
        event.name for side in (FROM_SERVER, (CONNECT, *FROM_CLIENT)) for event in side
    ]
    sections = dict(re.findall(r'<section id="([^"]+)"(.*?)</section>', page, re.S))
    assert "<code>changes.expectedAt</code>" in sections["order:changed"]
    assert "<li>operators</li>" in sections["order:status_changed"]
    assert "<li>" not in sections["watch:order"], "who may say it needs no list"
    assert "Acknowledged" in sections["watch:order"]
    assert "too_many_watches" in sections["watch:order"]
    assert "<h4>" not in sections["unwatch:order"]
    assert "Refused by <code>connect_error</code>" in sections["connect"]
    assert "`" not in page


@pytest.mark.parametrize("root", ROOTS)
async def test_the_page_and_the_api_s_lead_to_each_other(root: str) -> None:
    page = (await get("/docs/events", root))[2]
    assert {f"{root}/docs", f"{root}/asyncapi.json"} <= set(re.findall(r'href="([^"#]+)"', page))
    description = json.loads((await get("/openapi.json", root))[2])["info"]["description"]
    assert "(docs/events)" in description  # from /docs, wherever that is


async def test_the_page_runs_nothing_and_fetches_nothing() -> None:
    _, headers, page = await get("/docs/events")
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?:\w+:)?//', page) == []
    (styles,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    digest = b64encode(sha256(styles.encode()).digest()).decode()
    assert headers["content-security-policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
