"""``/docs/events``: the Socket.IO events for people, drawn from the AsyncAPI document. Pure."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

from ordercast.api.event_reference import Entry, Message, Payload, audiences, entries

_CSS = (Path(__file__).parent / "events_page.css").read_text("utf-8")

POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_CSS.encode()).digest()).decode()}'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The page's ``Content-Security-Policy``: its own styles, and nothing else."""


def events_page(document: dict[str, Any], base: str = "") -> str:
    """The page. ``base``: the path that Ordercast is mounted at."""
    found = entries(document)
    sides = [(True, "What the server says"), (False, "What a client says")]
    contents = "".join(f"<h2>{title}</h2><ul>{_links(found, server)}</ul>" for server, title in sides)
    events = "".join(
        f"<h2>{title}</h2>{''.join(_event(entry) for entry in found if entry.from_server is server)}"
        for server, title in sides
    )
    heard = "".join(f"<dt>{escape(name)}</dt><dd>{_text(what)}</dd>" for name, what in audiences(document).items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Socket.IO events · Ordercast</title>
<link rel="icon" href="data:,">
<style>{_CSS}</style>
</head>
<body>
<header><p><strong>Ordercast</strong></p>
<nav aria-label="Documentation"><a href="{escape(base)}/docs">REST API</a>
<a href="{escape(base)}/docs/events" aria-current="page">Socket.IO events</a>
<a href="{escape(base)}/asyncapi.json">AsyncAPI document</a></nav></header>
<div class="columns">
<nav class="contents" aria-label="Events">{contents}</nav>
<main>
<h1>Socket.IO events</h1>
<p>{_text(document["info"]["description"])} An <em>id</em> is an integer or a string of 1 to 64 of
<code>A-Z a-z 0-9 _ . : -</code>, a <em>time</em> is RFC 3339 in UTC. Fields may be added: ignore those that you do
not know.</p>
<h2>Who hears something</h2>
<dl>{heard}</dl>
{events}
</main>
</div>
</body>
</html>
"""


def _links(found: list[Entry], from_server: bool) -> str:
    names = [entry.message.name for entry in found if entry.from_server is from_server]
    return "".join(f'<li><a href="#{escape(name)}"><code>{escape(name)}</code></a></li>' for name in names)


def _event(entry: Entry) -> str:
    name = escape(entry.message.name)
    who = "".join(f"<li>{escape(one)}</li>" for one in entry.who) if entry.from_server else ""
    answer = ""
    if entry.answer is not None:
        answer = f"<h4>{_text(entry.answered_by)}</h4><p>{_text(entry.answer.summary)}</p>{_carried(entry.answer)}"
    return f"""<section id="{name}" aria-labelledby="{name}-name">
<h3 id="{name}-name"><code>{name}</code></h3>{f'<ul class="who" aria-label="Heard by">{who}</ul>' if who else ""}
<p>{_text(f"{entry.message.summary} {entry.more}".strip())}</p>
{_carried(entry.message)}{answer}
</section>"""


def _carried(message: Message) -> str:
    examples = "\n".join(json.dumps(example, ensure_ascii=False, indent=2) for example in message.examples)
    # A box that scrolls must be reachable by keyboard.
    shown = f'<pre tabindex="0" role="region" aria-label="Example of {escape(message.name)}">{escape(examples)}</pre>'
    return "".join(map(_payload, message.payloads)) + shown


def _payload(payload: Payload) -> str:
    if not payload.fields:
        more = f": {_text(payload.description)}" if payload.description else ""
        return f'<p class="type">{escape(payload.type.capitalize())}{more}.</p>'
    rows = "".join(
        f'<tr><th scope="row"><code>{escape(field.name)}</code></th><td>{escape(field.type)}</td>'
        f"<td>{_text(field.remark)}</td></tr>"
        for field in payload.fields
    )
    head = '<tr><th scope="col">field</th><th scope="col">type</th><th scope="col">meaning</th></tr>'
    return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _text(words: str) -> str:
    """Plain words with names in backticks, as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words, quote=False))
