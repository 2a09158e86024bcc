"""The customer's page as the server draws it: words, steps, times, and that nothing in an order becomes HTML."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI

from ordercast.api.track_page import Template, order_page, reached, sorry_page, step_kind
from ordercast.api.track_words import language, languages, statuses, steps
from ordercast.api.tracking import tracking
from ordercast.config_shop import ShopSettings
from ordercast.errors import StorageError
from ordercast.orders.models import EventKind, Fulfilment, Order, OrderEvent
from ordercast.orders.workflow import load_workflow, parse_workflow
from tests.rest import SHARES, Side, ask

AT = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
ORDER = Order(
    order_id="17",
    customer_id="424242",
    reference="T-1",
    status="preparing",
    version=3,
    items=[{"name": "Pizza", "quantity": 2}],
    total=21.5,
    currency="EUR",
    note="second bell",
    contact={"name": "Noor"},
    expected_at=AT + timedelta(hours=1),
    created_at=AT,
    status_since=AT + timedelta(minutes=9),
    updated_at=AT + timedelta(minutes=9),
)
WORKFLOW = load_workflow()
TEMPLATE = Template.of(
    '<html lang="en"><title><!--title--></title><!--head-->\n'
    '<script type="module" src="./assets/a.js"></script>\n<body><!--body--></body></html>'
)
SHOP = ShopSettings(shop_name="Tra<ttoria", shop_phone="+49 (0)30 12-34")


def event(version: int, status: str, minutes: int, kind: EventKind = EventKind.STATUS_CHANGED) -> OrderEvent:
    at = AT + timedelta(minutes=minutes)
    return OrderEvent(
        position=version, order_id="17", version=version, kind=kind, status=status, customer_id="424242", at=at
    )


HISTORY = [event(1, "received", 0, EventKind.CREATED), event(2, "accepted", 4), event(3, "preparing", 9)]


def page(order: Order = ORDER, lang: str = "en", now: datetime = AT, zone: str = "Europe/Berlin") -> str:
    return order_page(TEMPLATE, order, HISTORY, WORKFLOW, SHOP, lang, ZoneInfo(zone), now)


def text(html: str, id: str) -> str:
    found = re.search(rf'id="{id}"[^>]*>(.*?)</', html)
    assert found is not None
    return found[1]


# -- words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.8,de;q=0.9", "de"),
        ("sv, de;q=0.5", "de"),
        ("sv,ja", "en"),
        ("de;q=0", "en"),
        ("de;q=x,*", "en"),
        ("," * 100_000, "en"),
    ],
)
def test_the_readers_language(accepted: str | None, expected: str) -> None:
    assert language(accepted) == expected


def test_every_language_has_every_word() -> None:
    def places(words: Any) -> Any:
        if isinstance(words, dict):
            return {name: places(value) for name, value in words.items()}
        if isinstance(words, list):
            return [places(value) for value in words]
        assert words.strip()
        return sorted(re.findall(r"\{\w+\}", words))

    shapes = {lang: places(words) for lang, words in languages().items()}
    assert all(shape == shapes["en"] for shape in shapes.values())
    for words in languages().values():
        assert set(words["statuses"]) == set(WORKFLOW.statuses), "one for each status of the default workflow"
    labels = {name: status.label for name, status in WORKFLOW.statuses.items()}
    assert {name: label for name, (label, _) in languages()["en"]["statuses"].items()} == labels | {
        "rejected": "Not accepted"
    }


def test_what_the_shop_calls_a_status_itself_counts() -> None:
    own = parse_workflow(
        """
        initial = "received"
        [statuses.received]
        label = "Received"
        step = 1
        category = "open"
        [statuses.ready]
        label = "Im Ofen"
        step = 3
        category = "open"
        [statuses.eaten]
        step = 4
        category = "done"
        [[transitions]]
        from = "received"
        to = ["ready"]
        [[transitions]]
        from = "ready"
        to = ["eaten"]
        """
    )
    words = languages()["de"]
    named = statuses(own, ORDER, words)
    assert [status["label"] for status in named.values()] == ["Eingegangen", "Im Ofen", "eaten"]
    assert (named["received"]["more"] != "", named["ready"]["more"]) == (True, "")
    assert steps(own, ORDER, words) == [(1, "Received"), (3, "Im Ofen"), (4, "eaten")]
    assert steps(WORKFLOW, ORDER, words)[2] == (3, "Unterwegs")
    pickup = replace(ORDER, fulfilment=Fulfilment.PICKUP)
    assert steps(WORKFLOW, pickup, words)[2] == (3, "Abholbereit")
    assert statuses(WORKFLOW, pickup, words)["ready"]["more"] == words["ready_to_collect"]


# -- how far it has come --------------------------------------------------------------------------------------


def test_when_each_step_was_reached() -> None:
    minutes = {step: (at - AT) / timedelta(minutes=1) for step, at in reached(HISTORY, ORDER, WORKFLOW).items()}
    assert minutes == {1: 0, 2: 4}
    assert reached([], ORDER, WORKFLOW) == {1: AT, 2: ORDER.updated_at}, "the log's beginning is gone"
    skipped = reached([event(1, "received", 0), event(2, "out_for_delivery", 5)], ORDER, WORKFLOW)
    assert skipped[2] == skipped[3] == AT + timedelta(minutes=5)


def test_the_kinds_of_steps() -> None:
    assert [step_kind(n, 2, "open") for n in (1, 2, 3)] == ["past", "current", ""]
    assert [step_kind(n, 3, "done") for n in (1, 2, 3)] == ["past", "past", "past"]
    assert [step_kind(n, 2, "aborted") for n in (1, 2, 3)] == ["past", "stopped", ""]


# -- pages ----------------------------------------------------------------------------------------------------


def test_a_page_is_whole_without_a_script() -> None:
    html = page()
    assert '<html lang="en">' in html
    assert "<title>Preparing · Order T-1</title>" in html
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in html
    assert 'src="../assets/a.js"' in html, "which is one folder up"
    assert text(html, "expected") == "Expected around 14:00 CET"
    assert "2 × Pizza" in html
    assert text(html, "total") == "21.50 EUR"
    assert 'href="tel:+49301234"' in html
    assert "Tra&lt;ttoria" in html
    assert '<time datetime="2026-02-03T12:04:00.000Z">13:04 CET</time>' in html
    assert [word for word in ("424242", "Noor", "second bell") if word in html] == []
    assert text(page(now=AT + timedelta(days=1)), "expected").startswith("Later than planned: it was expected around 2")
    assert text(page(replace(ORDER, status="cancelled")), "expected") == ""
    assert "Voraussichtlich" in text(page(lang="de"), "expected")


def test_nothing_in_an_order_becomes_html() -> None:
    evil = '</script><script>alert(1)</script><img src=x onerror="alert(1)">'
    html = page(replace(ORDER, reference=evil, status=evil, items=[{"name": evil}, evil, None, {"quantity": "2"}]))
    assert "<script>alert" not in html
    assert "<img" not in html
    [state] = re.findall(r'<script type="application/json" id="state">(.*?)</script>', html, re.S)
    assert json.loads(state)["order"]["reference"] == evil


def test_a_shop_that_says_nothing_of_itself() -> None:
    html = sorry_page(TEMPLATE, "unknown", ShopSettings(), "en")
    assert "tel:" not in html
    assert "We cannot find this order" in html
    assert "<script" not in html
    assert "refresh" not in html
    assert 'content="20"' in sorry_page(TEMPLATE, "unavailable", ShopSettings(), "en")


async def test_a_database_that_is_away_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "track.html").write_text(TEMPLATE.html)
    side = await Side.open()
    app = FastAPI()
    app.state.services = side.services
    app.include_router(tracking(tmp_path / "track.html", {"Referrer-Policy": "no-referrer"}))
    link = f"/track/{SHARES.issue('7', '42').token}"
    status, headers, body = await ask(app, "GET", link, headers=[(b"accept-language", b"de")])
    assert status == 200
    assert b"Eingegangen" in body
    assert {(b"referrer-policy", b"no-referrer"), (b"content-language", b"de"), (b"vary", b"Accept-Language")} <= {
        *headers
    }
    assert (await ask(app, "GET", "/track"))[0] == 404

    async def away(order_id: str) -> None:
        raise StorageError("away")

    monkeypatch.setattr(side.storage.orders, "get", away)
    status, _, body = await ask(app, "GET", link)
    assert status == 503
    assert b"One moment" in body
