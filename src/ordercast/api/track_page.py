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

from ordercast.api.track_view import Clock, expected, icon, reached, step_kind
from ordercast.api.track_words import Words, languages, statuses, steps
from ordercast.config_shop import ShopSettings
from ordercast.orders.announcements import shared_view
from ordercast.orders.models import Order, OrderEvent, iso
from ordercast.orders.workflow import Category, Workflow

_REFRESH = '<meta http-equiv="refresh" content="20">'
_MANY = 8
"""Items that are shown at once; more would push the shop's phone number out of a phone's reach."""

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
    clock = Clock(zone, now)
    category = status["category"]
    current = status["step"] if status["step"] > 0 else max(times)
    done = sum(step <= current for step, _ in track)
    when, expectation, left = expected(order, status, track, words, clock, now)
    drawn = "".join(_step(step, name, times, current, status, words, clock) for step, name in track)
    progress = words["progress"].format(step=done, steps=len(track))
    body = f"""
{_top(shop, words, words["connection"]["resuming"])}
<main>
<article class="ticket" id="order" data-order-id="{escape(order.order_id)}" data-status="{escape(order.status)}"
 data-version="{order.version}" data-category="{category}">
<p class="number" id="number">{escape(number)}</p>
<h1 id="now">{escape(status["label"])}</h1>
<p class="more" id="more">{escape(status["more"])}</p>
<div class="when" id="when" data-when="{when}">
<p id="expected">{escape(expectation)}</p><p id="left">{escape(left)}</p></div>
<h2 class="unseen" id="progress">{escape(progress)}</h2>
<ol class="steps" id="steps">{drawn}
</ol>
<p class="asked"{"" if category == Category.OPEN.value else " hidden"}>
<button type="button" id="notify" hidden>{escape(words["notify"])}</button>
<span id="notified">{escape(words["by_itself"])}</span></p>
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
    head = _head(shop, words, icon(done, len(track), category)) + f"<noscript>{_REFRESH}</noscript>"
    return template.fill(lang, title, body, head=head)


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
    head = _head(shop, words) + (_REFRESH if what == "unavailable" else "")
    return template.fill(lang, title, body, head=head, script=False)


def _head(shop: ShopSettings, words: Words, symbol: str = "data:,") -> str:
    """The tab's icon; and what a chat shows of the link, which stays as it was sent: neither number nor status."""
    title = " · ".join(filter(None, (shop.shop_name, words["your_order"])))
    return f"""<link rel="icon" href="{symbol}">
    <meta property="og:type" content="website">
    <meta property="og:title" content="{escape(title)}">
    <meta property="og:description" content="{escape(words["preview"])}">
    """


def _top(shop: ShopSettings, words: Words, connection: str = "") -> str:
    """``connection``: what a script has to tell of, with as much place as it will take."""
    name = escape(shop.shop_name or words["your_order"])
    live = ""
    if connection:
        live = f"""
<p class="live" id="live"><span id="live-words" role="status">{escape(connection)}</span> <span id="age"></span></p>"""
    return f"""<header class="top"><p class="shop">{name}</p>{live}</header>
<p class="problem" id="problem" role="alert"></p>"""


def _step(
    step: int,
    name: str,
    times: Mapping[int, datetime],
    current: int,
    status: Mapping[str, Any],
    words: Words,
    clock: Clock,
) -> str:
    """The current one is called as the status is: "Ready" is not on its way yet."""
    kind = step_kind(step, current, status["category"])
    at = times.get(step) if kind else None
    time = "" if at is None else f' <time datetime="{iso(at)}">{clock.say(at)}</time>'
    stopped = f' <span class="stopped">{escape(words["stopped"])}</span>' if kind == "stopped" else ""
    mark = ' aria-current="step"' if kind in ("current", "stopped") else ""
    called = status["label"] if kind == "current" and status["step"] == step else name
    return f'\n<li class="{kind}"{mark}><span class="name">{escape(called)}</span>{time}{stopped}</li>'


def _basket(order: Order, words: Words) -> str:
    """What was ordered, as far as its JSON has the usual names. A script writes the total as its reader does."""
    items = [item for item in order.items if isinstance(item, dict)]
    rows = "".join(f"<li>{escape(_item(item))}</li>" for item in items)
    listed = f'<ul id="items">{rows}</ul>'
    if len(items) > _MANY:
        count = escape(words["all_items"].format(count=len(items)))
        listed = f'<details><summary id="all-items">{count}</summary>{listed}</details>'
    amount = "" if order.total is None else f"{order.total:.2f} {order.currency or ''}".strip()
    hidden = "" if rows or amount else " hidden"
    return f"""<section class="basket" id="basket"{hidden}><h2>{escape(words["items"])}</h2>
{listed}
<p class="total"{"" if amount else " hidden"}><span>{escape(words["total"])}</span>
<span id="total">{escape(amount)}</span></p>
</section>"""


def _item(item: Mapping[str, Any]) -> str:
    """``2 × Name``; one of a thing is its name alone."""
    name, quantity = _plain(item.get("name")) or "?", _plain(item.get("quantity"))
    return name if quantity in (None, "1") else f"{quantity} × {name}"


def _plain(value: Any) -> str | None:
    """A text or a number as a text, as JavaScript writes it; of anything else nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


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
