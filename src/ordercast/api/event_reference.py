"""What our AsyncAPI document says, for people: /docs/events and docs/reference/events.md are drawn from it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ordercast.api.schemas import ID_SCHEMA

Json = dict[str, Any]

_OPENED = "OrderChanges"  # the one model within another, whose fields are listed with the outer one's


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a payload; ``type`` in words."""

    name: str
    type: str
    required: bool
    description: str

    @property
    def remark(self) -> str:
        """What there is to say besides the type; ends without a full stop."""
        words = " ".join(self.description.split()).removesuffix(".")
        return "; ".join(filter(None, (words, "" if self.required else "may be missing")))


@dataclass(frozen=True, slots=True)
class Payload:
    """What an event or an answer carries. ``type``: in words, where it is no object with fields."""

    description: str
    type: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What is said: of one kind, or an answer of several."""

    name: str
    summary: str
    payloads: tuple[Payload, ...]
    examples: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. ``from_server``; ``who``: the audiences' names; ``more``: a sentence or none."""

    message: Message
    from_server: bool
    who: tuple[str, ...]
    more: str
    answer: Message | None

    @property
    def answered_by(self) -> str:
        """How the answer is called, as the beginning of a sentence."""
        assert self.answer is not None
        own = self.answer.name.endswith(" acknowledgement")
        return "Acknowledged" if own else f"Refused by `{self.answer.name}`"


def entries(document: Json) -> list[Entry]:
    """The events in the document's order."""
    return [_entry(document, operation) for operation in document["operations"].values()]


def audiences(document: Json) -> dict[str, str]:
    """Who hears something, and who that is."""
    tags = [tag for operation in document["operations"].values() for tag in operation["tags"]]
    return {tag["name"]: tag["description"] for tag in tags}


def _entry(document: Json, operation: Json) -> Entry:
    reply = operation.get("reply")
    return Entry(
        _message(document, operation["messages"][0]),
        operation["action"] == "send",
        tuple(tag["name"] for tag in operation["tags"]),
        operation.get("description", ""),
        None if reply is None else _message(document, reply["messages"][0]),
    )


def _found(document: Json, node: Json) -> Json:
    """What a node is or, where it is a reference, leads to."""
    while "$ref" in node:
        there: Any = document
        for name in node["$ref"].removeprefix("#/").split("/"):
            there = there[name]
        node = there
    return node


def _message(document: Json, reference: Json) -> Message:
    message = _found(document, reference)
    payload = message["payload"]
    return Message(
        message["name"],
        message["summary"],
        tuple(_payload(document, kind) for kind in payload.get("oneOf", [payload])),
        tuple(example["payload"] for example in message["examples"]),
    )


def _payload(document: Json, schema: Json) -> Payload:
    model = _found(document, schema)
    if "properties" not in model:
        return Payload(model.get("description", ""), _type(document, model), ())
    return Payload(model.get("description", ""), "", tuple(_fields(document, model)))


def _fields(document: Json, model: Json, within: str = "") -> Iterator[Field]:
    for name, schema in model["properties"].items():
        required = not within and name in model.get("required", ())
        yield Field(within + name, _type(document, schema), required, schema.get("description", ""))
        if schema.get("$ref", "").endswith(f"/{_OPENED}"):
            yield from _fields(document, _found(document, schema), f"{within}{name}.")


def _type(document: Json, schema: Json) -> str:
    schema = _found(document, schema)
    if "anyOf" in schema:
        kinds = schema["anyOf"]
        ids = [kind for kind in kinds if kind in ID_SCHEMA["anyOf"]]
        words = ["id"] if len(ids) == len(ID_SCHEMA["anyOf"]) else []
        rest = [kind for kind in kinds if not words or kind not in ids]
        return " or ".join([*words, *(_type(document, kind) for kind in rest)])
    if "enum" in schema:
        return " or ".join(f'"{value}"' for value in schema["enum"])
    if schema.get("format") == "date-time":
        return "time"
    return str(schema["type"])
