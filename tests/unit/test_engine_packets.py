"""Engine.IO packets and payloads, by the specification's own examples and by round trips.

https://socket.io/docs/v4/engine-io-protocol/#packet-encoding
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio.errors import PacketError
from ordercast.engineio.packet import (
    CLOSE,
    NOOP,
    PING,
    PROBE_REPLY,
    Packet,
    PacketType,
    decode_packet,
    message,
)
from ordercast.engineio.payload import decode_payload, encode_payload

TYPES = [
    (PacketType.OPEN, "0"),
    (PacketType.CLOSE, "1"),
    (PacketType.PING, "2"),
    (PacketType.PONG, "3"),
    (PacketType.MESSAGE, "4"),
    (PacketType.UPGRADE, "5"),
    (PacketType.NOOP, "6"),
]


@pytest.mark.parametrize(("type", "digit"), TYPES)
def test_every_type_both_ways(type: PacketType, digit: str) -> None:
    assert Packet(type, "é€".encode()).payload == f"{digit}é€".encode()
    assert Packet(type).payload == digit.encode()
    assert decode_packet(digit) == (type, "")
    assert decode_packet(digit + "é€") == (type, "é€")


def test_no_type_is_missing() -> None:
    assert {type for type, _ in TYPES} == set(PacketType)


@pytest.mark.parametrize(
    ("packet", "payload", "frame"),
    [
        (PING, b"2", b"\x81\x012"),
        (CLOSE, b"1", b"\x81\x011"),
        (NOOP, b"6", b"\x81\x016"),
        (PROBE_REPLY, b"3probe", b"\x81\x063probe"),
        (message("hello"), b"4hello", b"\x81\x064hello"),
        (message("€"), b"4\xe2\x82\xac", b"\x81\x044\xe2\x82\xac"),
        (message(""), b"4", b"\x81\x014"),
        (message(b"\x01\x02\x03\x04"), b"bAQIDBA==", b"\x82\x04\x01\x02\x03\x04"),
        (message(b""), b"b", b"\x82\x00"),
        (message(b"x" * 126), b"b" + b"eHh4" * 42, b"\x82\x7e\x00\x7e" + b"x" * 126),
    ],
)
def test_encodings(packet: Packet, payload: bytes, frame: bytes) -> None:
    assert packet.payload == payload
    assert packet.frame == frame


def test_an_encoding_is_made_once() -> None:
    for packet in (message("hello"), message(b"hello")):
        assert packet.frame is packet.frame
        assert packet.payload is packet.payload


@pytest.mark.parametrize("packet", [message("é" * 50), message(b"x" * 50), PING])
def test_a_packet_weighs_its_bytes(packet: Packet) -> None:
    assert len(packet) == len(packet.data) + 1


def test_repr_is_short_and_says_what_it_is() -> None:
    assert repr(message("hi")) == "Packet(MESSAGE, b'hi')"
    assert repr(message(b"hi")) == "Packet(MESSAGE, b'hi', binary)"
    assert len(repr(message("x" * 10_000))) < 100


@pytest.mark.parametrize("text", ["", "7", "9", "a", "b", " 4", "-1", "٤", "é", "\x1e", "\x00", "b4"])
def test_what_is_no_packet(text: str) -> None:
    with pytest.raises(PacketError, match="unknown packet type"):
        decode_packet(text)


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("4hello", [(PacketType.MESSAGE, "hello")]),
        ("4hello\x1e2\x1e4world", [(4, "hello"), (2, ""), (4, "world")]),  # the specification's example
        ("4hello\x1ebAQIDBA==", [(4, "hello"), (4, b"\x01\x02\x03\x04")]),  # and its other one
        ("b", [(4, b"")]),
        ("4b", [(4, "b")]),
        ("4\n\x1d", [(4, "\n\x1d")]),
    ],
)
def test_payloads(body: str, packets: list[tuple[int, str | bytes]]) -> None:
    assert list(decode_payload(body, 10)) == packets


@pytest.mark.parametrize(
    ("body", "before"),
    [
        ("", 0),
        ("\x1e", 0),
        ("4a\x1e", 1),
        ("\x1e4a", 0),
        ("4a\x1e\x1e4b", 1),
        ("4a\x1ex", 1),
        ("bAQIDBA", 0),  # no padding
        ("bAQID BA==", 0),
        ("bAQIDBA==x", 0),
        ("b=", 0),
        ("bé", 0),
        ("b-_8=", 0),  # the URL alphabet is another one
        ("4a\x1e4b\x1eb!", 2),
    ],
)
def test_malformed_payloads_give_what_came_before(body: str, before: int) -> None:
    packets = decode_payload(body, 10)
    for _ in range(before):
        next(packets)
    with pytest.raises(PacketError):
        next(packets)


def test_the_number_of_packets_is_bounded() -> None:
    assert len(list(decode_payload("\x1e".join(["4"] * 3), 3))) == 3
    with pytest.raises(PacketError, match="more than 3"):
        next(decode_payload("\x1e".join(["4"] * 4), 3))


TEXTS = st.text().filter(lambda text: "\x1e" not in text)


@given(st.lists(TEXTS | st.binary(), min_size=1, max_size=20))
def test_round_trip(contents: list[str | bytes]) -> None:
    body = encode_payload([message(content) for content in contents])
    assert list(decode_payload(body.decode(), 20)) == [(PacketType.MESSAGE, content) for content in contents]


@given(st.text("0123456789b=AQ\x1e \n€", max_size=30))
def test_nothing_but_packet_errors(body: str) -> None:
    try:
        packets = list(decode_payload(body, 5))
    except PacketError:
        return
    assert len(packets) == body.count("\x1e") + 1
