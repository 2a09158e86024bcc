"""docs/reference/events.md, from the AsyncAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ordercast.api.event_reference import Entry, Message, Payload, audiences, entries

_HEAD = """\
# The Socket.IO events

*Written by `python -m scripts.openapi` from the server's own models; change those instead.*

An event has a name and one argument. A running server has the same as an [AsyncAPI](https://www.asyncapi.com/)
document at `/asyncapi.json`, and for reading at `/docs/events`; `@ordercast/client` has the types. An *id* is an
integer or a string of 1 to 64 of `A-Z a-z 0-9 _ . : -`, a *time* is RFC 3339 in UTC. Fields may be added: ignore those
that you do not know.
"""


def reference(document: dict[str, Any]) -> str:
    """The page."""
    return "\n".join(_lines(document))


def _lines(document: dict[str, Any]) -> Iterator[str]:
    found = entries(document)
    yield _HEAD
    yield from ("| heard by | |", "| --- | --- |")
    for name, meaning in audiences(document).items():
        yield f"| {name} | {meaning} |"
    for from_server, title in ((True, "What the server says"), (False, "What a client says")):
        yield f"\n## {title}\n"
        for entry in found:
            if entry.from_server is from_server:
                yield from _event(entry)


def _event(entry: Entry) -> Iterator[str]:
    message = entry.message
    yield f"### `{message.name}`\n"
    yield f"{message.summary}{' ' + entry.more if entry.more else ''}\n"
    if entry.from_server:
        yield f"Heard by: {', '.join(entry.who)}.\n"
    yield from _carried(message)
    if entry.answer is not None:
        yield f"{entry.answered_by}: {entry.answer.summary[0].lower()}{entry.answer.summary[1:]}\n"
        yield from _carried(entry.answer)


def _carried(message: Message) -> Iterator[str]:
    for payload in message.payloads:
        yield from _payload(payload)
    yield "```json"
    for example in message.examples:
        line = json.dumps(example, ensure_ascii=False)
        yield line if len(line) <= 120 else json.dumps(example, ensure_ascii=False, indent=2)
    yield "```\n"


def _payload(payload: Payload) -> Iterator[str]:
    if not payload.fields:
        yield f"{payload.type.capitalize()}{': ' + payload.description if payload.description else ''}.\n"
        return
    yield from ("| field | type | |", "| --- | --- | --- |")
    for field in payload.fields:
        yield f"| `{field.name}` | {field.type} | {field.remark} |"
    yield ""
