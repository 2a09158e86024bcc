"""Packets of Engine.IO 3 as they stand in WebSocket frames, and Socket.IO's text over its polling.

https://github.com/socketio/engine.io-protocol/tree/v3#packet
"""

from __future__ import annotations

import binascii
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio.errors import PacketError
from ordercast.engineio.frames import BINARY, TEXT, encode_frame
from ordercast.engineio.packet import PING, Packet, PacketType, message
from ordercast.engineio.payload import binary_packet_v3, decode_packet_v3, decode_payload_v3, encode_payload_v3
from ordercast.socketio.packet import PacketType as SocketPacketType
from ordercast.socketio.packet import TextPacket, encode

MESSAGE = PacketType.MESSAGE


# -- packets --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "text", "frame", "frame_base64"),
    [
        (PING, b"2", b"\x81\x012", b"\x81\x012"),
        (message("é€😀"), "4é€😀".encode(), b"\x81\x0a" + "4é€😀".encode(), b"\x81\x0a" + "4é€😀".encode()),
        (message(""), b"4", b"\x81\x014", b"\x81\x014"),
        (message(b"\x01\x02\x03\x04"), None, b"\x82\x05\x04\x01\x02\x03\x04", b"\x81\x0ab4AQIDBA=="),
        (message(b""), None, b"\x82\x01\x04", b"\x81\x02b4"),
    ],
)
def test_encodings_of_a_packet(packet: Packet, text: bytes | None, frame: bytes, frame_base64: bytes) -> None:
    assert packet.frame_v3 == frame
    assert packet.frame_v3_base64 == frame_base64
    if text is not None:
        assert packet.text_v3 == text


def test_a_text_frame_serves_both_protocols() -> None:
    """One event to clients of both eras costs one encoding."""
    packet = message("hello")
    assert packet.frame_v3 is packet.frame
    assert packet.frame_v3_base64 is packet.frame


def test_an_encoding_is_made_once() -> None:
    binary, text = message(b"\x00\xff"), message("hello")
    assert binary.frame_v3 is binary.frame_v3
    assert binary.frame_v3 != binary.frame
    assert text.text_v3 is text.text_v3


@given(st.binary(max_size=300))
def test_binary_packets_come_back(data: bytes) -> None:
    packet = message(data)
    assert packet.frame_v3 == encode_frame(BINARY, b"\x04" + data)
    assert binary_packet_v3(b"\x04" + data) == (MESSAGE, data)
    encoded = b"b4" + binascii.b2a_base64(data, newline=False)
    assert packet.frame_v3_base64 == encode_frame(TEXT, encoded)
    assert decode_packet_v3(encoded.decode()) == (MESSAGE, data)


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x02", b"\x05abc", b"4abc"])
def test_binary_packets_that_are_no_messages(content: bytes) -> None:
    with pytest.raises(PacketError, match="no message"):
        binary_packet_v3(content)


@pytest.mark.parametrize("text", ["", "x", "7", "b", "b0AQID", "b4AQIDBA", "b4é", "b4 AQIDBA=="])
def test_texts_that_are_no_packets(text: str) -> None:
    with pytest.raises(PacketError):
        decode_packet_v3(text)


# -- Socket.IO over it ----------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(JSON, max_size=4), st.sampled_from(["/", "/admin"]))
def test_over_polling_an_event_is_ascii_and_says_the_same(args: list[Any], nsp: str) -> None:
    """Which clients before 2.0, who decode it twice, and later ones, who do not, read alike."""
    (packet,) = encode(SocketPacketType.EVENT, nsp, ["é€😀", *args], 7)
    assert isinstance(packet, TextPacket)
    head = "42" + ("" if nsp == "/" else nsp + ",") + "7"
    assert packet.text_v3.isascii()
    assert packet.text_v3.startswith(head.encode())
    assert json.loads(packet.text_v3.removeprefix(head.encode())) == ["é€😀", *args]
    ((_, received),) = decode_payload_v3(encode_payload_v3([packet], False)[0].decode(), 1)
    assert received == packet.text_v3.decode()[1:]


def test_the_escape_is_that_of_json() -> None:
    (packet,) = encode(SocketPacketType.EVENT, "/", ["\x7f\x80é\u2028\ud7ff\ue000\uffff\U00010000😀\U0010ffff"])
    escaped = r"\u0080\u00e9\u2028\ud7ff\ue000\uffff\ud800\udc00\ud83d\ude00\udbff\udfff"
    assert packet.text_v3 == b'42["\x7f' + escaped.encode() + b'"]'
    assert packet.text_v3 is packet.text_v3
    assert packet.payload == '42["\x7f\x80é\u2028\ud7ff\ue000\uffff\U00010000😀\U0010ffff"]'.encode()


def test_the_name_of_a_namespace_is_no_json() -> None:
    """It is sent as it is, which clients since 2.0 understand."""
    (packet,) = encode(SocketPacketType.EVENT, "/é", ["a"])
    assert packet.text_v3 == '42/é,["a"]'.encode()
