"""The catalogue of events against the code that says and hears them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from ordercast import app, live
from ordercast.api import event_schemas
from ordercast.api.asyncapi import asyncapi, key
from ordercast.api.event_catalogue import AUDIENCES, CONNECT, FROM_CLIENT, FROM_SERVER
from ordercast.api.views import OrderView
from ordercast.engineio.disconnects import Disconnect
from ordercast.errors import AuthError
from ordercast.live import limit, sessions
from ordercast.orders import announcements
from ordercast.socketio.namespace import LIFECYCLE

SPEAKERS = {"emit": 0, "encode_event": 0, "Announcement": 0, "standing": 0}
"""Calls that say something, and which of their arguments is the event's name."""

PASSED_ON = {"announcement.event", "event"}
"""Names that are an argument of one who was called in another of these ways."""

DOCUMENT = asyncapi()


def calls() -> Iterator[tuple[str, list[ast.expr]]]:
    """Every call in the live side, where announcements are made, and in the root: its last name and arguments."""
    assert live.__file__ is not None
    files = [*Path(live.__file__).parent.glob("*.py"), Path(announcements.__file__), Path(app.__file__)]
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                yield node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id, node.args


def constants(arguments: list[ast.expr]) -> set[str]:
    return {node.value for node in arguments if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_event_that_is_said_is_in_it_and_no_other() -> None:
    names = [args[SPEAKERS[call]] for call, args in calls() if call in SPEAKERS]
    passed_on = {ast.unparse(name) for name in names if not isinstance(name, ast.Constant)}
    assert passed_on == PASSED_ON, "a name comes from elsewhere: have this test find it"
    assert constants(names) == {event.name for event in FROM_SERVER}


def test_every_event_that_is_heard_is_in_it_and_no_other() -> None:
    heard = {name for call, args in calls() if call == "on" for name in constants(args[:1])}
    assert heard.difference(LIFECYCLE) == {event.name for event in FROM_CLIENT}


def test_every_reason_is_in_it() -> None:
    reasons = {
        why.reason
        for module in (sessions, limit)
        for why in vars(module).values()
        if isinstance(why, Disconnect) and why.farewell
    }
    assert set(get_args(event_schemas.ForceDisconnect.model_fields["reason"].annotation)) == reasons


def test_every_refusal_is_in_it() -> None:
    words = {AuthError.message, *(cls.message for cls in AuthError.__subclasses__())}
    assert set(get_args(event_schemas.Refusal)) == words
    refused = event_schemas.ConnectRefused.model_fields["message"].annotation
    assert set(get_args(refused)) == words | {limit.NEW_LOGIN.reason}
    denied = {word for call, args in calls() if call == "_deny" for word in constants(args)}
    assert set(get_args(event_schemas.WatchDenied.model_fields["error"].annotation)) == denied


def test_what_may_change_is_all_of_an_order_that_has_no_event_of_its_own() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    order = {name: undescribed(of) for name, of in schemas["OrderCreated"]["properties"].items()}
    fixed = {"orderId", "status", "statusSince", "step", "version", "createdAt", "updatedAt", "position"}
    assert schemas["OrderChanges"]["properties"] == {name: of for name, of in order.items() if name not in fixed}
    assert set(order) == {*OrderView.model_json_schema()["properties"], "position"}


def undescribed(schema: dict[str, Any]) -> dict[str, Any]:
    return {word: of for word, of in schema.items() if word != "description"}


def test_each_operation_says_who_hears_it_and_each_audience_is_used() -> None:
    heard = [tag["name"] for operation in DOCUMENT["operations"].values() for tag in operation["tags"]]
    assert set(heard) == set(AUDIENCES)
    assert all(operation["tags"] for operation in DOCUMENT["operations"].values())


def test_no_two_names_have_one_key() -> None:
    events = (CONNECT, *FROM_CLIENT, *FROM_SERVER)
    names = [event.name for event in events] + [event.answer.name for event in events if event.answer]
    assert len({key(name) for name in names}) == len(names) == len(DOCUMENT["components"]["messages"])
