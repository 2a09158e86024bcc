"""What nodes say to each other: read strictly, whatever comes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.socketio import cluster_write as write
from ordercast.socketio.cluster import Selection
from ordercast.socketio.cluster_read import (
    MAX_DEPTH,
    BroadcastWithAck,
    Fetch,
    Join,
    ServerSideEmit,
    WireError,
    read_broadcast,
    read_request,
    read_response,
)
from ordercast.socketio.packet import RESERVED

READERS = (read_broadcast, read_request, read_response)
TO = Selection(frozenset({"a", "ü#"}), frozenset({"c"}))

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
names = st.text().filter(lambda name: name not in RESERVED)


def pack(value: Any) -> bytes:
    return msgspec.msgpack.encode(value)


def nested(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


# -- what we write, we read -----------------------------------------------------------------------------------


@given(names, st.lists(values))
def test_broadcasts(event: str, args: list[Any]) -> None:
    said = read_broadcast(write.broadcast("me", "/x", event, args, TO, {"volatile": True}))
    assert (said.uid, said.packet.nsp, said.packet.data) == ("me", "/x", [event, *args])
    assert said.opts.selection() == TO
    assert said.opts.flag("volatile") is True
    assert said.opts.flag("compress") is None


@given(names, st.lists(values))
def test_broadcasts_with_acknowledgement(event: str, args: list[Any]) -> None:
    said = read_request(write.broadcast_with_ack("me", "r", "/", event, args, TO, 1.5))
    assert isinstance(said, BroadcastWithAck)
    assert (said.uid, said.request_id, said.packet.data) == ("me", "r", [event, *args])
    assert said.opts.flag("timeout") == 1500


@given(names, st.lists(json_values))
def test_server_side_events(event: str, args: list[Any]) -> None:
    assert read_request(write.server_side_emit("me", event, args, "r")) == ServerSideEmit([event, *args], "r", "me")
    assert read_request(write.server_side_emit("me", event, args)) == ServerSideEmit([event, *args], None, "me")


@given(values)
def test_acknowledgements(value: Any) -> None:
    said = read_response(write.client_ack("r", value))
    assert (said.request_id, said.type, said.packet) == ("r", 9, value)


def test_questions() -> None:
    fetch = read_request(write.select(write.FETCH, "me", TO, requestId="r"))
    assert isinstance(fetch, Fetch)
    assert fetch.opts.selection() == TO
    join = read_request(write.select(write.JOIN, None, TO, rooms=["x"]))
    assert isinstance(join, Join)
    assert (join.uid, join.rooms) == ("", ["x"])


# -- what cannot be sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [object(), 2**64, "\ud800", nested(20_000)])
def test_what_cannot_be_sent(value: Any) -> None:
    with pytest.raises(TypeError):
        write.broadcast("me", "/", "x", [value], TO, {})
    with pytest.raises(TypeError):
        write.broadcast_with_ack("me", "r", "/", "x", [value], TO, 1)


@pytest.mark.parametrize("value", [object(), b"x", [{"deep": (bytearray(b"x"),)}], "\ud800"])
def test_what_servers_cannot_say(value: Any) -> None:
    with pytest.raises(TypeError):
        write.server_side_emit("me", "x", [value])


# -- what is not what it should be ----------------------------------------------------------------------------


@given(st.binary())
def test_bytes_of_any_kind(raw: bytes) -> None:
    for read in READERS:
        with suppress(WireError):
            read(raw)


@given(values | st.tuples(st.text(), values, values) | st.dictionaries(st.sampled_from(["type", "requestId"]), values))
def test_values_of_any_shape(value: Any) -> None:
    for read in READERS:
        for raw in (pack(value), b"{" + pack(value)):
            with suppress(WireError):
                read(raw)


@given(st.data())
def test_what_was_right_but_for_a_byte(data: st.DataObject) -> None:
    raw = bytearray(
        data.draw(
            st.sampled_from(
                [
                    write.broadcast("me", "/", "x", [1, b"x", {"a": [None]}], TO, {}),
                    write.broadcast_with_ack("me", "r", "/", "x", [1], TO, 1),
                    write.server_side_emit("me", "x", [{"a": [1]}], "r"),
                    write.response("r", sockets=[{"id": "a"}]),
                ]
            )
        )
    )
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    for read in READERS:
        with suppress(WireError):
            read(bytes(raw))


def event(**changes: Any) -> list[Any]:
    return ["me", {"type": 2, "data": ["x"], "nsp": "/", **changes}, {"rooms": [], "except": [], "flags": {}}]


@pytest.mark.parametrize(
    "said",
    [
        event(type=1),
        event(type="2"),
        event(data=[]),
        event(data="x"),
        event(data=[1]),
        event(data=["disconnect"]),
        event(nsp=1),
        event(data=["x", nested(MAX_DEPTH)]),
        event(data=["x", nested(900)]),
        event(data=["x", {b"key": 1}]),
        event(data=["x", {None: 1}]),
        event(data=["x", msgspec.msgpack.Ext(7, b"x")]),
        [*event()[:2], {"rooms": "a"}],
        [*event()[:2], {"rooms": [["a"]]}],
        [*event()[:2], {"rooms": [], "flags": []}],
        event()[:2],
        ["m" * 129, *event()[1:]],
        [None, *event()[1:]],
    ],
)
def test_bad_broadcasts(said: Any) -> None:
    read_broadcast(pack(event()))
    with pytest.raises(WireError):
        read_broadcast(pack(said))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"type":17}',
        b'{"type":"5"}',
        b'{"type":5}',
        b'{"type":5,"requestId":1,"opts":{}}',
        b'{"type":6,"data":[]}',
        b'{"type":6,"data":[1]}',
        b'{"type":6,"data":["x",' + b"[" * 100 + b"]" * 100 + b"]}",
        b'{"type":6,"data":["x",' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        b'{"type":2,"rooms":[null],"opts":{}}',
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000 + b"\xc0",
    ],
)
def test_bad_requests(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_request(raw)


@pytest.mark.parametrize(
    "raw",
    [b"{}", b'{"requestId":null}', b'{"requestId":"r","clientCount":-1}', b'{"requestId":"r","sockets":1}', b"\x00"],
)
def test_bad_responses(raw: bytes) -> None:
    with pytest.raises(WireError):
        read_response(raw)


def test_what_older_senders_leave_out() -> None:
    said = read_broadcast(pack(["me", {"type": 5, "data": ["x", msgspec.msgpack.Ext(0, b"\0")]}, {"rooms": None}]))
    assert (said.packet.nsp, said.packet.data, said.opts.selection()) == ("/", ["x", None], Selection())
    assert read_request(b'{"type":2,"sid":"s","room":"x","requestId":"r"}') == Join(sid="s", room="x", request_id="r")


# -- channels -------------------------------------------------------------------------------------------------


def test_channels() -> None:
    channels = write.Channels("socket.io", "/küche")
    assert channels.broadcast(Selection()) == channels.broadcast(TO) == "socket.io#/küche#".encode()
    assert channels.broadcast(Selection(frozenset({"a#\udcff"}))) == "socket.io#/küche#a#".encode() + b"\xed\xb3\xbf#"
    assert channels.request == "socket.io-request#/küche#".encode()
    assert channels.answer("me") == "socket.io-response#/küche#me#".encode()
