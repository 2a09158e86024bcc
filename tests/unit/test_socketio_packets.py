"""Socket.IO packets, by the specification's own examples, tables of what is none, and round trips.

https://socket.io/docs/v4/socket-io-protocol/#packet-encoding
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.socketio.errors import PacketError
from ordercast.socketio.packet import RESERVED, Packet, PacketType, decode, encode, put_back

CONNECT, DISCONNECT, EVENT, ACK = PacketType.CONNECT, PacketType.DISCONNECT, PacketType.EVENT, PacketType.ACK
BINARY_EVENT, BINARY_ACK = PacketType.BINARY_EVENT, PacketType.BINARY_ACK
PLACE = {"_placeholder": True, "num": 0}


def texts(*arguments: Any) -> list[str | bytes]:
    return [packet.data if packet.binary else packet.data.decode() for packet in encode(*arguments)]


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        # the specification's own
        ("0", Packet(CONNECT, "/")),
        ("0/admin,", Packet(CONNECT, "/admin")),
        ('0{"token":"123"}', Packet(CONNECT, "/", {"token": "123"})),
        ('0/admin,{"token":"123"}', Packet(CONNECT, "/admin", {"token": "123"})),
        ("1/admin,", Packet(DISCONNECT, "/admin")),
        ('2["foo"]', Packet(EVENT, "/", ["foo"])),
        ('2/admin,["bar"]', Packet(EVENT, "/admin", ["bar"])),
        ('212["foo"]', Packet(EVENT, "/", ["foo"], 12)),
        ('3/admin,13["bar"]', Packet(ACK, "/admin", ["bar"], 13)),
        ('51-["baz",{"_placeholder":true,"num":0}]', Packet(BINARY_EVENT, "/", ["baz", PLACE], None, 1)),
        ('52-/admin,["baz",{"_placeholder":true,"num":0}]', Packet(BINARY_EVENT, "/admin", ["baz", PLACE], None, 2)),
        ('61-15["bar",{"_placeholder":true,"num":0}]', Packet(BINARY_ACK, "/", ["bar", PLACE], 15, 1)),
        # and others
        ("0/admin", Packet(CONNECT, "/admin")),
        ("0/admin?token=1,", Packet(CONNECT, "/admin?token=1")),
        ("0/,", Packet(CONNECT, "/")),
        ("0{}", Packet(CONNECT, "/", {})),
        ("1", Packet(DISCONNECT, "/")),
        ("30[]", Packet(ACK, "/", [], 0)),
        ('2["a","é€",null,1.5,[{}]]', Packet(EVENT, "/", ["a", "é€", None, 1.5, [{}]])),
        ('2[""]', Packet(EVENT, "/", [""])),
        (' 2["a"]'[1:] + " ", Packet(EVENT, "/", ["a"])),
        ('2999999999999999["a"]', Packet(EVENT, "/", ["a"], 999_999_999_999_999)),
        ('2007["a"]', Packet(EVENT, "/", ["a"], 7)),
        ('50-["a"]', Packet(BINARY_EVENT, "/", ["a"])),
        ('2["connection"]', Packet(EVENT, "/", ["connection"])),
        ('2["a,b/c"]', Packet(EVENT, "/", ["a,b/c"])),
    ],
)
def test_valid_packets(text: str, packet: Packet) -> None:
    assert decode(text) == packet


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "7", "9", "x", "-1", "٢[]", '"2"', "[]",
        # CONNECT
        "0[]", "0null x", '0"token"', "0{", '0/admin,"x"', "0true",
        # DISCONNECT
        "1{}", "1[]", '1/admin,"x"', "1x",
        # EVENT
        "2", "2[]", "2{}", '2"a"', "2[1]", "2[null]", '2[["a"]]', '2[{"a":1}]', "2null", '2["a"', '2["a"]x',
        '2["a",]', "2['a']", '2["a",NaN]', '2["a",1e999]', '2["a\n"]', '2/admin["a"]', '2/admin', '2 12 ["a"]',
        '2-1["a"]', '2+1["a"]', '2١["a"]', '2²["a"]', '21000000000000000["a"]', "2" + "1" * 5000 + '["a"]',
        # ACK
        "3", "3[]", '3["a"]', "31", "31{}", '31"a"', "31null",
        # CONNECT_ERROR, which servers send
        "4", '4{"message":"x"}', '4"x"',
        # BINARY_EVENT, BINARY_ACK
        "5", '5["a"]', '5-["a"]', '5x-["a"]', '5-1-["a"]', '5 1-["a"]', '5²-["a"]', '5١-["a"]', '51["a-b"]',
        '51111111111-["a"]', "51-", "51-[]", "51-{}", '51-[{"_placeholder":true,"num":0}]', "61-[]", '61-["a"]', "6",
        # what JSON has no letters for
        '2["\ud800"]', '2["\\ud800"]', '2["\\ud800","x"]',
    ],
)  # fmt: skip
def test_what_is_no_packet(text: str) -> None:
    with pytest.raises(PacketError):
        decode(text)


@pytest.mark.parametrize("name", sorted(RESERVED))
@pytest.mark.parametrize("head", ["2", "5" + "1-", "2/admin,7"])
def test_reserved_names(head: str, name: str) -> None:
    with pytest.raises(PacketError):
        decode(f'{head}["{name}"]')


def test_the_reserved_names_are_the_documentations() -> None:
    """https://socket.io/docs/v4/emit-cheatsheet/#reserved-events"""
    documented = {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
    assert documented == RESERVED


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [31, 32, 100, 990, 1100, 8000])
@pytest.mark.parametrize("head", ['2["a",', '51-["a",'])
def test_deep_nesting(head: str, depth: int, opening: str, closing: str) -> None:
    """Packets of reasonable depth are read; any others are a `PacketError`."""

    def whole() -> Any:
        return put_back(decode(head + opening * depth + "1" + closing * depth + "]").data, [b""])

    if depth < 32:
        assert whole()[0] == "a"
    else:
        with pytest.raises(PacketError):
            whole()


# -- what we send ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((CONNECT, "/", {"sid": "x"}), ['0{"sid":"x"}']),
        ((CONNECT, "/admin", {"sid": "x"}), ['0/admin,{"sid":"x"}']),
        ((DISCONNECT,), ["1"]),
        ((DISCONNECT, "/admin"), ["1/admin,"]),
        ((EVENT, "/", ["foo"]), ['2["foo"]']),
        ((EVENT, "/", ["foo", 1, None, "é"], 12), ['212["foo",1,null,"é"]']),
        ((ACK, "/admin", ["bar"], 13), ['3/admin,13["bar"]']),
        ((ACK, "/", [], 0), ["30[]"]),
        ((PacketType.CONNECT_ERROR, "/", {"message": "no"}), ['4{"message":"no"}']),
        ((EVENT, "/", ["baz", b"\x01"]), ['51-["baz",{"_placeholder":true,"num":0}]', b"\x01"]),
        (
            (EVENT, "/admin", ["baz", b"a", {"x": [b"b", (bytearray(b"c"),)]}], 7),
            [
                '53-/admin,7["baz",{"_placeholder":true,"num":0},'
                '{"x":[{"_placeholder":true,"num":1},[{"_placeholder":true,"num":2}]]}]',
                b"a",
                b"b",
                b"c",
            ],
        ),
        ((ACK, "/", [memoryview(b"z")], 15), ['61-15[{"_placeholder":true,"num":0}]', b"z"]),
    ],
)
def test_encoding(arguments: tuple[Any, ...], expected: list[str | bytes]) -> None:
    assert texts(*arguments) == expected


def test_encoding_leaves_the_arguments_alone() -> None:
    data = ["a", {"x": b"1"}, [b"2"]]
    encode(EVENT, "/", data)
    assert data == ["a", {"x": b"1"}, [b"2"]]


@pytest.mark.parametrize("value", [object(), {1, object()}, {(1, 2): 3}, lambda: None])
def test_what_json_cannot_hold(value: object) -> None:
    for arguments in ([value], [b"", value]):
        with pytest.raises(TypeError):
            encode(EVENT, "/", ["a", *arguments])


# -- attachments ----------------------------------------------------------------------------------------------


def test_attachments_are_put_back_wherever_they_stand() -> None:
    data = ["a", PLACE, {"x": [{"_placeholder": True, "num": 1}, PLACE]}]
    assert put_back(data, [b"0", b"1"]) == ["a", b"0", {"x": [b"1", b"0"]}]


@pytest.mark.parametrize(
    "place",
    [
        {"_placeholder": True},
        {"_placeholder": True, "num": 1},
        {"_placeholder": True, "num": -1},
        {"_placeholder": True, "num": "0"},
        {"_placeholder": True, "num": 0.0},
        {"_placeholder": True, "num": False},
        {"_placeholder": True, "num": None},
    ],
)
def test_placeholders_of_nothing(place: dict[str, Any]) -> None:
    with pytest.raises(PacketError, match="placeholder"):
        put_back(["a", [place]], [b"0"])


@pytest.mark.parametrize("value", [{"_placeholder": False, "num": 0}, {"_placeholder": 1, "num": 0}, {"num": 0}])
def test_what_only_looks_like_a_placeholder(value: dict[str, Any]) -> None:
    assert put_back(["a", value], [b"0"]) == ["a", value]


# -- properties -----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
KEYS = TEXT.filter(lambda key: key != "_placeholder")


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=8,
    )


NAMES = TEXT.filter(lambda name: name not in RESERVED)
NAMESPACES = st.just("/") | st.text("abc/?=-1", min_size=1, max_size=9).map(lambda name: "/" + name)
IDS = st.none() | st.integers(0, 10**15 - 1)


@given(NAMESPACES, NAMES, st.lists(nested(LEAVES | st.binary(max_size=9)), max_size=4), IDS)
def test_round_trip(nsp: str, name: str, args: list[Any], id: int | None) -> None:
    first, *rest = encode(EVENT, nsp, [name, *args], id)
    packet = decode(first.data.decode())
    assert (packet.nsp, packet.id, packet.attachments) == (nsp, id, len(rest))
    assert all(attachment.binary for attachment in rest)
    assert put_back(packet.data, [attachment.data for attachment in rest]) == [name, *args]


@given(NAMES, st.lists(nested(LEAVES), max_size=4))
def test_the_standard_library_reads_the_same(name: str, args: list[Any]) -> None:
    (only,) = encode(EVENT, "/", [name, *args])
    assert json.loads(only.data[1:]) == [name, *args]


@given(st.text('0123456 -/,[]{}"ab:_', max_size=20) | st.text(max_size=20))
def test_nothing_but_packet_errors(text: str) -> None:
    try:
        packet = decode(text)
    except PacketError:
        return
    assert str(int(packet.type)) == text[0]
