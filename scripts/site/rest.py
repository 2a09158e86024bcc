"""The REST API, from the OpenAPI document, which is the server's own and what the client's types are made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ordercast.api.schemas import ID_SCHEMA
from scripts.site.errors import problems
from scripts.site.included import ROOT
from scripts.site.markdown import prose, table

Json = dict[str, Any]

_PROBLEM = "application/problem+json"


def reference() -> str:
    """Every route by its tag, then what bodies and answers hold."""
    document = json.loads((ROOT / "web/packages/client/openapi.json").read_text("utf-8"))
    return "\n".join(_routes(document))


def _routes(document: Json) -> Iterator[str]:
    tags: dict[str, list[tuple[str, Json]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][-1], []).append((f"{method.upper()} {path}", operation))
    for tag, operations in tags.items():
        yield f"## {tag.capitalize()}\n"
        for name, operation in operations:
            yield from _route(name, operation)
    yield "## What bodies hold\n"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)


def _route(name: str, operation: Json) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield prose(operation.get("description", "")) + "\n"
    yield f"Who: {_who(operation)}.\n"
    rows = [
        (f"`{one['name']}`", f"{one['in']}, {_type(one['schema'])}", _said(one, required=one.get("required", False)))
        for one in operation.get("parameters", ())
    ]
    yield table(("parameter", "is", ""), rows)
    if "requestBody" in operation:
        yield f"Body: {_content(operation['requestBody'])}.\n"
    yield from _answers(operation)


def _who(operation: Json) -> str:
    if "x-roles" not in operation:
        return "everybody, without a token"
    return ", ".join(operation["x-roles"]) or "who signs what they send, without a token"


def _answers(operation: Json) -> Iterator[str]:
    responses = operation["responses"]
    refused = [status for status, response in responses.items() if _PROBLEM in response.get("content", {})]
    answers = (
        f"{status}{', ' + said if (said := _content(response)) else ''}"
        for status, response in responses.items()
        if status not in refused
    )
    yield f"Answer: {'; '.join(answers)}.\n"
    if refused:
        named = {str(cls.status) for cls in problems()}
        told = (f"[{status}](errors.md)" if status in named else status for status in refused)
        yield f"Refused with: {', '.join(told)}.\n"


def _content(holder: Json) -> str:
    return " or ".join(_type(one["schema"]) for one in holder.get("content", {}).values() if one.get("schema"))


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield f"### {name}\n"
    yield prose(schema.get("description", "")) + "\n"
    if "properties" not in schema:
        yield f"{_type(schema)}\n"
    required = schema.get("required", ())
    rows = [
        (f"`{field}`", _type(one), _said(one, required=field in required))
        for field, one in schema.get("properties", {}).items()
    ]
    yield table(("field", "is", ""), rows)


def _said(one: Json, *, required: bool) -> str:
    text = prose(one.get("description") or one.get("schema", {}).get("description") or "").removesuffix(".")
    return "; ".join(filter(None, (text, "" if required else "may be left out")))


def _type(schema: Json) -> str:
    """A schema in words; another schema as a link to its place on the page."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema or "oneOf" in schema:
        kinds = schema.get("anyOf") or schema["oneOf"]
        ids = [kind for kind in kinds if kind in ID_SCHEMA["anyOf"]]
        words = ["id"] if len(ids) == len(ID_SCHEMA["anyOf"]) else []
        return " or ".join([*words, *(_type(kind) for kind in kinds if not words or kind not in ids)])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time"
    return str(schema.get("type", "anything")) + _bounds(schema)


def _bounds(schema: Json) -> str:
    """How large or long it may be."""
    least = schema.get("minimum", schema.get("minLength", 0))
    most = schema.get("maximum", schema.get("maxLength"))
    if most is None:
        return f", {least} or more" if least else ""
    return f", {least} to {most}" if least else f", up to {most}"
