"""The Socket.IO events as an AsyncAPI 3.0 document, in which ``send`` and ``receive`` are the server's. Pure.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from ordercast.api.event_catalogue import AUDIENCES, CONNECT, FROM_CLIENT, FROM_SERVER, Answer, Event

Json = dict[str, Any]

SPECIFICATION = "3.0.0"

_REF = "#/components/schemas/{model}"
_ROOT, _ACKS = "root", "acknowledgements"


class _Untitled(GenerateJsonSchema):
    """Without titles of fields, which only repeat their names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def key(name: str) -> str:
    """A name as the document's keys have it: ``order:status_changed`` → ``orderStatusChanged``."""
    first, *rest = re.split(r"[^A-Za-z0-9]+", name)
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def asyncapi(host: str = "localhost:3001", base: str = "", version: str = "0") -> Json:
    """The document. ``base``: the path that Ordercast is mounted at."""
    payloads, components = _schemas()
    return {
        "asyncapi": SPECIFICATION,
        "info": {
            "title": "Ordercast events",
            "version": version,
            "description": "Live order status over Socket.IO. An event has a name and one argument, its payload; "
            "orders are changed over REST.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"ordercast": _server(host, base)},
        "channels": _channels(),
        "operations": _operations(),
        "components": {
            "messages": _messages(payloads),
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "In the handshake's `auth.token`, or as the `Authorization` header.",
                },
                "query": {
                    "type": "httpApiKey",
                    "in": "query",
                    "name": "token",
                    "description": "For clients before 3.0, which have no `auth`.",
                },
            },
        },
    }


def _server(host: str, base: str) -> Json:
    return {
        "host": host,
        "pathname": f"{base}/socket.io/",
        "protocol": "socket.io",
        "protocolVersion": "5",
        "description": "Socket.IO over WebSocket or long-polling; Engine.IO 4, and 3 for clients before 3.0.",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in ("bearer", "query")],
    }


def _answers() -> list[Answer]:
    return [event.answer for event in (CONNECT, *FROM_CLIENT) if event.answer is not None]


@cache
def _schemas() -> tuple[dict[tuple[str, int], Json], Json]:
    """Payloads by name and number (0 but for answers of several kinds), and the models that they refer to. Not to be
    changed: they are made once."""
    types = {(event.name, 0): event.payload for event in (CONNECT, *FROM_CLIENT, *FROM_SERVER)}
    types |= {(answer.name, n): payload for answer in _answers() for n, payload in enumerate(answer.payloads)}
    found, definitions = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(type)) for name, type in types.items()],
        ref_template=_REF,
        schema_generator=_Untitled,
    )
    for model in (models := definitions["$defs"]).values():
        model.pop("title")  # it is the key
    return {name: schema for (name, _), schema in found.items()}, models


def _messages(payloads: dict[tuple[str, int], Json]) -> Json:
    messages = {}
    for event in (CONNECT, *FROM_CLIENT, *FROM_SERVER):
        messages[key(event.name)] = {
            "name": event.name,
            "summary": event.summary,
            "payload": payloads[event.name, 0],
            "examples": [{"payload": event.example}],
        }
    for answer in _answers():
        kinds = [payloads[answer.name, n] for n in range(len(answer.payloads))]
        messages[key(answer.name)] = {
            "name": answer.name,
            "summary": answer.summary,
            "payload": kinds[0] if len(kinds) == 1 else {"oneOf": kinds},
            "examples": [{"payload": example} for example in answer.examples],
        }
    return messages


def _channels() -> Json:
    events = [event.name for event in (CONNECT, *FROM_CLIENT, *FROM_SERVER)]
    answers = [answer.name for answer in _answers()]
    return {
        _ROOT: {
            "address": "/",
            "title": "The namespace /",
            "description": "The server chooses who is in which room; a client never names one.",
            "servers": [{"$ref": "#/servers/ordercast"}],
            "messages": {key(name): {"$ref": f"#/components/messages/{key(name)}"} for name in events},
        },
        _ACKS: {
            "address": None,
            "title": "Answers to one client",
            "description": "What the function that a client sends along with an event is called with; for `connect`, "
            "the CONNECT_ERROR packet.",
            "messages": {key(name): {"$ref": f"#/components/messages/{key(name)}"} for name in answers},
        },
    }


def _operations() -> Json:
    received = {key(event.name): _operation("receive", event) for event in (CONNECT, *FROM_CLIENT)}
    return received | {key(event.name): _operation("send", event) for event in FROM_SERVER}


def _operation(action: str, event: Event) -> Json:
    operation: Json = {
        "action": action,
        "channel": {"$ref": f"#/channels/{_ROOT}"},
        "title": event.name,
        "summary": event.summary,
        "tags": [{"name": who, "description": AUDIENCES[who]} for who in event.who],
        "messages": [_message(_ROOT, event.name)],
    }
    if event.more:
        operation["description"] = event.more
    if event.answer is not None:
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{_ACKS}"},
            "messages": [_message(_ACKS, event.answer.name)],
        }
    return operation


def _message(channel: str, name: str) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{key(name)}"}
