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

from ordercast.api.track_page import Template, order_page, sorry_page
from ordercast.api.track_view import Clock, expected, icon, reached, step_kind
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
    assert minutes == {1: 0, 2: 9}, "the step of being prepared is that of being accepted, too"
    noted = replace(ORDER, updated_at=AT + timedelta(minutes=20))
    assert reached([], noted, WORKFLOW) == {1: AT, 2: ORDER.status_since}, "the log's beginning is gone"
    late = [*HISTORY, event(4, "preparing", 15, EventKind.CHANGED)]
    ready = replace(ORDER, status="ready", status_since=AT + timedelta(minutes=20))
    for order in (ORDER, ready):
        assert reached(late, order, WORKFLOW)[2] == ORDER.status_since, "something else changed since"
    on_its_way = replace(ORDER, status="out_for_delivery", status_since=AT + timedelta(minutes=5))
    skipped = reached([event(1, "received", 0), event(2, "out_for_delivery", 5)], on_its_way, WORKFLOW)
    assert skipped[2] == skipped[3] == AT + timedelta(minutes=5)
    back = [event(1, "received", 0), event(2, "accepted", 1), event(3, "preparing", 2), event(4, "ready", 3)]
    assert set(reached([*back, event(5, "preparing", 9)], ORDER, WORKFLOW)) == {1, 2}
    failed = replace(ORDER, status="failed_delivery", status_since=AT + timedelta(minutes=9))
    assert reached([*back, event(5, "failed_delivery", 9)], failed, WORKFLOW)[3] == AT + timedelta(minutes=3)


def test_the_kinds_of_steps() -> None:
    assert [step_kind(n, 2, "open") for n in (1, 2, 3)] == ["past", "current", ""]
    assert [step_kind(n, 3, "done") for n in (1, 2, 3)] == ["past", "past", "past"]
    assert [step_kind(n, 2, "aborted") for n in (1, 2, 3)] == ["past", "stopped", ""]


def test_when_it_is_expected_and_in_how_long() -> None:
    words = languages()["en"]

    def at(minutes: float, **over: Any) -> tuple[str, str, str]:
        order = replace(ORDER, expected_at=AT, **over)
        now = AT - timedelta(minutes=minutes)
        named = statuses(WORKFLOW, order, words)
        return expected(order, named[order.status], steps(WORKFLOW, order, words), words, Clock(UTC, now), now)

    assert at(25) == ("ahead", "Expected around 12:00 UTC", "in about 25 min")
    assert at(-0.01) == ("late", "Later than planned: it was expected around 12:00 UTC", "")
    left = [re.sub(r"\D", "", at(minutes)[2]) or at(minutes)[2] for minutes in (91, 90, 33, 17.4, 14.6, 9.4, 1, 0.9, 0)]
    assert left == ["", "90", "35", "15", "15", "9", "1", "any moment now", "any moment now"]
    pickup = Fulfilment.PICKUP
    assert at(5, fulfilment=pickup)[1] == "Ready around 12:00 UTC"
    assert at(-5, fulfilment=pickup, status="ready") == ("", "", ""), "it waits to be collected"
    assert at(-5, status="ready")[0] == "late"
    assert at(5, status="delivered") == ("", "", "")


def test_the_tabs_icon() -> None:
    assert icon(2, 4, "open").startswith("data:image/svg+xml,%3Csvg%20xmlns%3D%22")
    assert "stroke-dasharray%3D%222%204%22" in icon(2, 4, "open")
    assert len({icon(4, 4, "done"), icon(4, 4, "aborted"), icon(4, 4, "open")}) == 3


# -- pages ----------------------------------------------------------------------------------------------------


def test_a_page_is_whole_without_a_script() -> None:
    html = page()
    assert '<html lang="en">' in html
    assert "<title>Preparing · Order T-1</title>" in html
    assert '<noscript><meta http-equiv="refresh" content="20"></noscript>' in html
    assert 'src="../assets/a.js"' in html, "which is one folder up"
    assert text(html, "expected") == "Expected around 14:00 CET"
    assert text(html, "left") == "in about 60 min"
    assert text(html, "progress") == "Progress: step 2 of 4"
    assert icon(2, 4, "open") in html
    assert "2 × Pizza" in html
    assert text(html, "total") == "21.50 EUR"
    assert 'href="tel:+49301234"' in html
    assert "Tra&lt;ttoria" in html
    assert '<time datetime="2026-02-03T12:09:00.000Z">13:09 CET</time>' in html
    assert [word for word in ("424242", "Noor", "second bell") if word in html] == []
    assert text(page(now=AT + timedelta(days=1)), "expected").startswith("Later than planned: it was expected around 2")
    assert text(page(replace(ORDER, status="cancelled")), "expected") == ""
    assert "Voraussichtlich" in text(page(lang="de"), "expected")


def test_the_current_step_is_called_as_the_status() -> None:
    def names(html: str) -> list[str]:
        return re.findall(r'class="name">(.*?)<', html)

    assert names(page(replace(ORDER, status="accepted")))[1] == "Accepted"
    assert names(page(replace(ORDER, status="ready")))[2] == "Ready", "and not on its way yet"
    assert names(page(replace(ORDER, status="delivered"))) == ["Received", "Preparing", "On its way", "Delivered"]
    assert names(page(replace(ORDER, status="of a newer server")))[1] == "Preparing"


def test_what_was_ordered() -> None:
    def items(*of: Any, **over: Any) -> tuple[list[str], str]:
        html = page(replace(ORDER, items=list(of), **over))
        [basket] = re.findall(r'<section class="basket".*?</section>', html, re.S)
        return re.findall(r"<li>(.*?)</li>", basket), basket

    odd = [{"name": "Kilo", "quantity": 0.5}, {"name": "One", "quantity": 1.0}, {"quantity": "3"}, {"quantity": True}]
    assert items(*odd)[0] == ["0.5 × Kilo", "One", "3 × ?", "?"]
    assert "hidden" not in items({"name": "Cola"})[1]
    assert "<details" not in items(*[{"name": "Cola"}] * 8)[1]
    assert '<summary id="all-items">All 9 items</summary>' in items(*[{"name": "Cola"}] * 9)[1], "the phone stays near"
    assert items(total=None)[1].startswith('<section class="basket" id="basket" hidden>')
    assert '<p class="total" hidden>' in items({"name": "Cola"}, total=None)[1]


def test_what_a_chat_shows_of_a_link_does_not_go_stale() -> None:
    preview = "".join(re.findall(r"<meta property=.*>", page()))
    assert 'og:title" content="Tra&lt;ttoria · Your order"' in preview
    assert 'og:description" content="See live how far it is."' in preview
    assert [word for word in ("T-1", "Preparing", "Pizza") if word in preview] == []
    assert 'og:title" content="Deine Bestellung"' in sorry_page(TEMPLATE, "unknown", ShopSettings(), "de")


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
    assert 'id="live"' not in html, "there is nothing to be connected to"
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


async def test_addresses_that_are_nearly_right(tmp_path: Path) -> None:
    (tmp_path / "track.html").write_text('<link href="./assets/a.css">')
    app = FastAPI()
    app.state.services = (await Side.open()).services
    app.include_router(tracking(tmp_path / "track.html", {"Referrer-Policy": "no-referrer"}))
    token = SHARES.issue("7", "42").token
    status, headers, _ = await ask(app, "GET", f"/track/{token}/")
    assert status == 308
    assert {(b"location", f"../{token}".encode()), (b"referrer-policy", b"no-referrer")} <= {*headers}
    assert b'href="../assets/a.css"' in (await ask(app, "GET", "/track/nothing"))[2]
    assert b'href="assets/a.css"' in (await ask(app, "GET", "/track"))[2], "which is in the root folder"
