"""The customer's page as the server sends it: whole without JavaScript, and with what its script goes on from. Pure.

`web/apps/track/view.ts` draws the same with each change; tests/browser/test_track.py compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape
from typing import Any

import msgspec

from ordercast.api.track_words import Words, languages, statuses, steps
from ordercast.config_shop import ShopSettings
from ordercast.orders.announcements import shared_view
from ordercast.orders.models import Order, OrderEvent, iso
from ordercast.orders.workflow import Category, Workflow

_REFRESH = '<meta http-equiv="refresh" content="20">'
_SCRIPT = re.compile(r"<script[^>]*></script>|<link[^>]*modulepreload[^>]*>")


@dataclass(frozen=True, slots=True)
class Template:
    """The built page: ``html`` with places for language, title, head and body."""

    html: str

    @classmethod
    def of(cls, built: str) -> Template:
        """``built``: as vite wrote it, for a page in the root folder; a share link is one folder down."""
        return cls(built.replace('"./assets/', '"../assets/'))

    def fill(self, lang: str, title: str, body: str, *, head: str = "", script: bool = True) -> str:
        """A whole page. All but the title is HTML."""
        html = self.html if script else _SCRIPT.sub("", self.html)
        html = html.replace('lang="en"', f'lang="{lang}"', 1).replace("<!--title-->", escape(title), 1)
        return html.replace("<!--head-->", head, 1).replace("<!--body-->", body, 1)


def reached(events: Iterable[OrderEvent], order: Order, workflow: Workflow) -> dict[int, datetime]:
    """When the order first was at each step or past it, as far as the log tells."""
    at: dict[int, datetime] = {1: order.created_at} if workflow.step(order.status) != 1 else {}
    for status, when in (*((event.status, event.at) for event in events), (order.status, order.updated_at)):
        for step in range(1, workflow.step(status) + 1):
            at.setdefault(step, when)
    return at


def order_page(
    template: Template,
    order: Order,
    events: Iterable[OrderEvent],
    workflow: Workflow,
    shop: ShopSettings,
    lang: str,
    zone: tzinfo,
    now: datetime,
) -> str:
    """The page of an order, for a reader of ``lang``. ``zone``: of times, as long as no script says them in another."""
    words = languages()[lang]
    named = statuses(workflow, order, words)
    track = steps(workflow, order, words)
    times = reached(events, order, workflow)
    status = named.get(order.status) or {"label": order.status, "more": "", "step": 0, "category": Category.OPEN.value}
    number = words["order"].format(number=order.reference or order.order_id)
    state = {
        "order": shared_view(order, workflow.step),
        "reached": {step: iso(at) for step, at in times.items()},
        "statuses": named,
        "steps": track,
        "words": words,
        "lang": lang,
    }
    clock = _Clock(zone, now)
    open_ = status["category"] == Category.OPEN.value
    expected = ""
    if order.expected_at is not None and open_:
        key = "expected" if order.expected_at >= now else "late"
        expected = words[key].format(time=clock.say(order.expected_at))
    current = status["step"] if status["step"] > 0 else max(times, default=0)
    body = f"""
{_top(shop, words)}
<main>
<article class="ticket" id="order" data-order-id="{escape(order.order_id)}" data-status="{escape(order.status)}"
 data-version="{order.version}" data-category="{status["category"]}">
<p class="number" id="number">{escape(number)}</p>
<h1 id="now">{escape(status["label"])}</h1>
<p class="more" id="more">{escape(status["more"])}</p>
<p class="expected" id="expected">{escape(expected)}</p>
<h2 class="unseen">{escape(words["progress"])}</h2>
<ol class="steps" id="steps">{"".join(_step(step, name, times, current, status, words, clock) for step, name in track)}
</ol>
<p class="asked"><button type="button" id="notify" hidden>{escape(words["notify"])}</button>
<span id="notified"></span></p>
</article>
<aside>
{_basket(order, words)}
{_contact(shop, words)}
</aside>
</main>
<footer><p id="updated">{escape(words["updated"].format(time=clock.say(order.updated_at)))}</p>
<noscript><p>{escape(words["no_script"])}</p></noscript></footer>
<div class="toast" id="toast" role="status"></div>
<script type="application/json" id="state">{_json(state)}</script>"""
    title = f"{status['label']} · {number}"
    return template.fill(lang, title, body, head=f"<noscript>{_REFRESH}</noscript>")


def sorry_page(template: Template, what: str, shop: ShopSettings, lang: str) -> str:
    """A page for a link that shows no order. ``what``: ``expired``, ``unknown``, or ``unavailable``, which tries again
    by itself."""
    words = languages()[lang]
    title = words[f"{what}_title"]
    body = f"""
{_top(shop, words)}
<main class="sorry">
<article class="ticket"><h1>{escape(title)}</h1><p class="more">{escape(words[what])}</p></article>
{_contact(shop, words)}
</main>"""
    return template.fill(lang, title, body, head=_REFRESH if what == "unavailable" else "", script=False)


class _Clock:
    def __init__(self, zone: tzinfo, now: datetime) -> None:
        self._zone = zone
        self._today = now.astimezone(zone).date()

    def say(self, at: datetime) -> str:
        local = at.astimezone(self._zone)
        return local.strftime("%H:%M %Z" if local.date() == self._today else "%Y-%m-%d %H:%M %Z")


def _top(shop: ShopSettings, words: Words) -> str:
    name = escape(shop.shop_name or words["your_order"])
    return f"""<header class="top"><p class="shop">{name}</p>
<p class="live" id="live" hidden><span id="live-words" role="status"></span> <span id="age"></span></p></header>
<p class="problem" id="problem" role="alert"></p>"""


def _step(
    step: int,
    name: str,
    times: Mapping[int, datetime],
    current: int,
    status: Mapping[str, Any],
    words: Words,
    clock: _Clock,
) -> str:
    kind = step_kind(step, current, status["category"])
    at = times.get(step) if kind else None
    time = "" if at is None else f' <time datetime="{iso(at)}">{clock.say(at)}</time>'
    stopped = f' <span class="stopped">{escape(words["stopped"])}</span>' if kind == "stopped" else ""
    mark = ' aria-current="step"' if kind in ("current", "stopped") else ""
    return f'\n<li class="{kind}"{mark}><span class="name">{escape(name)}</span>{stopped}{time}</li>'


def step_kind(step: int, current: int, category: str) -> str:
    """``past``, ``current``, ``stopped`` or nothing, as CSS has it."""
    if step < current or (step == current and category == Category.DONE.value):
        return "past"
    if step > current:
        return ""
    return "stopped" if category == Category.ABORTED.value else "current"


def _basket(order: Order, words: Words) -> str:
    """What was ordered, as far as its JSON has the usual names. A script writes the total as its reader does."""
    items = [item for item in order.items if isinstance(item, dict)]
    rows = "".join(f"<li>{escape(_item(item))}</li>" for item in items)
    total = ""
    if order.total is not None:
        amount = f"{order.total:.2f} {order.currency or ''}".strip()
        total = f'<p class="total"><span>{escape(words["total"])}</span> <span id="total">{escape(amount)}</span></p>'
    hidden = "" if rows or total else " hidden"
    return (
        f'<section class="basket"{hidden}><h2>{escape(words["items"])}</h2><ul id="items">{rows}</ul>{total}</section>'
    )


def _item(item: Mapping[str, Any]) -> str:
    name, quantity = str(item.get("name", "?")), item.get("quantity", 1)
    return f"{quantity} × {name}" if isinstance(quantity, (int, float)) and quantity > 1 else name


def _contact(shop: ShopSettings, words: Words) -> str:
    if shop.shop_phone is None:
        return ""
    call = words["call"].format(shop=shop.shop_name or words["the_shop"])
    number = re.sub(r"[^0-9+]", "", shop.shop_phone.replace("(0)", ""))  # which only people at home dial
    return f"""<section class="contact"><h2>{escape(words["questions"])}</h2>
<a class="call" href="tel:{number}">{escape(call)} <span class="phone">{escape(shop.shop_phone)}</span></a></section>"""


def _json(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it ends that (HTML, section 4.12.1.3)."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")
