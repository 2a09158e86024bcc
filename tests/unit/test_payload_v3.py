"""Polling payloads of Engine.IO 3, in text and binary form.

https://github.com/socketio/engine.io-protocol/tree/v3#payload
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio.errors import PacketError
from ordercast.engineio.packet import CLOSE, NOOP, PING, Packet, PacketType, message
from ordercast.engineio.payload import (
    Received,
    decode_binary_payload_v3,
    decode_payload_v3,
    encode_payload_v3,
)

MESSAGE = PacketType.MESSAGE


def units(text: str) -> int:
    """The length of a text in JavaScript."""
    return len(text.encode("utf-16-le")) // 2


def binary_form(kind: int, content: bytes) -> bytes:
    """One packet, by the plainest reading of the specification."""
    return bytes([kind]) + bytes(map(int, str(len(content)))) + b"\xff" + content


def twice(text: str) -> str:
    """A text as clients before 2.0 put it into a payload: UTF-8, whose bytes count as characters."""
    return text.encode().decode("latin-1")


# -- what the server sends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packets", "base64", "body", "binary"),
    [
        ([message("hello")], False, b"6:4hello", False),
        ([message("hello"), NOOP, CLOSE], False, b"6:4hello1:61:1", False),
        ([message("é")], False, "2:4é".encode(), False),
        ([message("€")], False, "2:4€".encode(), False),
        ([message("😀")], False, "3:4😀".encode(), False),  # a surrogate pair in JavaScript
        ([message("a😀é😀"), message("b")], False, "7:4a😀é😀2:4b".encode(), False),
        ([message("")], False, b"1:4", False),
        ([message(b"\x01\x02\x03\x04")], True, b"10:b4AQIDBA==", False),
        ([message("€"), message(b"")], True, "2:4€2:b4".encode(), False),
        ([message("€")], True, "2:4€".encode(), False),
        ([message(b"\x01\x02\x03\x04")], False, b"\x01\x05\xff\x04\x01\x02\x03\x04", True),
        ([message("€"), message(b"\xff")], False, b"\x00\x04\xff4\xe2\x82\xac\x01\x02\xff\x04\xff", True),
        ([message(b""), PING], False, b"\x01\x01\xff\x04\x00\x01\xff2", True),
        ([message(b"x" * 99)], False, b"\x01\x01\x00\x00\xff\x04" + b"x" * 99, True),
    ],
)
def test_payloads_for_clients(packets: list[Packet], base64: bool, body: bytes, binary: bool) -> None:
    assert encode_payload_v3(packets, base64) == (body, binary)
    assert encode_payload_v3(iter(packets), base64) == (body, binary)


CONTENTS = st.lists(st.text(max_size=30) | st.binary(max_size=300), min_size=1, max_size=8)


@given(CONTENTS, st.booleans())
def test_what_the_server_sends_reads_back(contents: list[str | bytes], base64: bool) -> None:
    body, binary = encode_payload_v3([message(content) for content in contents], base64)
    assert binary == (not base64 and any(isinstance(content, bytes) for content in contents))
    parts = bytes_form(body) if binary else text_form(body.decode())
    assert list(parts) == contents


def text_form(text: str) -> Iterator[str | bytes]:
    """The messages of a payload in text form, by the plainest reading: JavaScript's strings are UTF-16."""
    data = text.encode("utf-16-be")
    while data:
        length, _, _ = data.decode("utf-16-be", errors="replace").partition(":")
        start = 2 * len(length) + 2
        end = start + 2 * int(length)
        packet, data = data[start:end].decode("utf-16-be"), data[end:]
        yield binascii.a2b_base64(packet[2:]) if packet[:2] == "b4" else packet[1:]


def bytes_form(body: bytes) -> Iterator[str | bytes]:
    """The messages of a payload in binary form, by the plainest reading."""
    while body:
        head, _, rest = body.partition(b"\xff")
        length = int("".join(str(digit) for digit in head[1:]))
        content, body = rest[:length], rest[length:]
        yield content[1:] if head[0] else content[1:].decode()


# -- what clients send ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "packets"),
    [
        ("6:4hello", [(MESSAGE, "hello")]),
        ("6:4hello1:26:5world", [(4, "hello"), (2, ""), (5, "world")]),
        ("2:4é2:4€3:4😀1:2", [(4, "é"), (4, "€"), (4, "😀"), (2, "")]),
        ("3:4::2:4:", [(4, "::"), (4, ":")]),
        ("4:41:24:4😀:", [(4, "1:2"), (4, "😀:")]),
        ("10:b4AQIDBA==2:4b", [(4, b"\x01\x02\x03\x04"), (4, "b")]),
        ("2:b4", [(4, b"")]),
        ("0002:4a", [(4, "a")]),
        ("3:4㨀㨀4:4😀㨀", [(4, "㨀㨀"), (4, "😀㨀")]),  # whose bytes in UTF-16 look like a colon
        ("3:4Ã©", [(4, "é")]),  # encoded twice, as before 2.0
        ("4:4â\x82¬5:4ð\x9f\x98\x80", [(4, "€"), (4, "😀")]),
        ("3:4é€", [(4, "é€")]),  # from 2.0 on
        ("3:4éa", [(4, "éa")]),  # where nothing can be undone
    ],
)
def test_payloads_of_clients(text: str, packets: list[Received]) -> None:
    assert list(decode_payload_v3(text, 10)) == packets


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("", 0),
        ("0:", 0),
        ("4hello", 0),
        ("😀", 0),
        (":4", 0),
        ("6:4hell", 0),
        ("5:4hello", 1),
        ("7:4hello", 0),
        ("2:4a2", 1),
        ("2:4a2:", 1),
        ("2:4a0:", 1),
        ("2:4a 2:4b", 1),
        ("-1:4", 0),
        ("+1:4", 0),
        ("1.0:4", 0),
        ("1e0:4", 0),
        ("٢:4a", 0),  # a digit, but not one of these
        ("²:4a", 0),
        ("1234567890:4", 0),
        ("1:x", 0),
        ("1:7", 0),
        ("9:b4AQIDBA=", 0),
        ("3:b5A", 0),
        ("2:4😀", 0),  # the length of Python, that cuts the surrogate pair
        ("3:4😀2:4😀", 1),
        ("3:4😀x:4", 1),
        ("3:4😀4", 1),
        ("3:4😀😀㨀\x00", 1),
    ],
)
def test_malformed_payloads_give_what_came_before(text: str, before: int) -> None:
    fails_after(decode_payload_v3(text, 10), before)


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (b"\x00\x06\xff4hello", [(MESSAGE, "hello")]),
        (b"\x00\x04\xff4\xe2\x82\xac\x01\x02\xff\x04\xff\x00\x01\xff2", [(4, "€"), (4, b"\xff"), (2, "")]),
        (b"\x01\x01\xff\x04", [(4, b"")]),
        (b"\x01\x01\x00\x00\xff\x04" + b"x" * 99, [(4, b"x" * 99)]),
        (b"\x00\x00\x02\xff4a", [(4, "a")]),
    ],
)
def test_binary_payloads_of_clients(body: bytes, packets: list[Received]) -> None:
    assert list(decode_binary_payload_v3(body, 10)) == packets


@pytest.mark.parametrize(
    ("body", "before"),
    [
        (b"", 0),
        (b"\x00", 0),
        (b"\x00\xff", 0),
        (b"\x00\x00\xff", 0),
        (b"\x00\x06\xff4hell", 0),
        (b"\x00\x01\xff4\x00\x02\xff4", 1),
        (b"\x00\x01\xff4\x00", 1),
        (b"\x00\x01\xff4\x00\x00\xff", 1),
        (b"\x02\x01\xff4", 0),
        (b"6:4hello", 0),
        (b"\x00\x0a\xff4123456789", 0),
        (b"\x00" + b"\x00" * 9 + b"\x01\xff4", 0),
        (b"\x00\x01\xff7", 0),
        (b"\x00\x02\xff4\xe9", 0),
        (b"\x01\x01\xff4", 0),
        (b"\x01\x01\xff\x02", 0),
    ],
)
def test_malformed_binary_payloads_give_what_came_before(body: bytes, before: int) -> None:
    fails_after(decode_binary_payload_v3(body, 10), before)


def fails_after(packets: Iterator[Received], count: int) -> None:
    for _ in range(count):
        next(packets)
    with pytest.raises(PacketError):
        next(packets)


Decoder = Callable[[Any, int], Iterator[Received]]


@pytest.mark.parametrize(
    ("decode", "one"),
    [(decode_payload_v3, "1:4"), (decode_payload_v3, "3:4😀"), (decode_binary_payload_v3, b"\0\1\xff4")],
)
def test_the_number_of_packets_is_bounded(decode: Decoder, one: Any) -> None:
    assert len(list(decode(one * 3, 3))) == 3
    packets = decode(one * 4, 3)
    for _ in range(3):
        next(packets)
    with pytest.raises(PacketError, match="more than 3"):
        next(packets)


def utf8_encoded(text: str) -> bool:
    """Whether a text could as well be another one in UTF-8: the only ones that 1.x and 2.x clients send alike."""
    try:
        return text.encode("latin-1").decode() != text
    except UnicodeError:
        return False


@given(st.lists(st.text(max_size=30).filter(lambda text: not utf8_encoded(text)), min_size=1, max_size=8))
def test_texts_of_clients_since_2_0(texts: list[str]) -> None:
    payload = "".join(f"{units(text) + 1}:4{text}" for text in texts)
    assert list(decode_payload_v3(payload, 8)) == [(MESSAGE, text) for text in texts]


@given(st.lists(st.text(max_size=30), min_size=1, max_size=8))
def test_texts_of_clients_before_2_0(texts: list[str]) -> None:
    payload = "".join(f"{len(twice(text)) + 1}:4{twice(text)}" for text in texts)
    assert list(decode_payload_v3(payload, 8)) == [(MESSAGE, text) for text in texts]


@given(CONTENTS)
def test_binary_payloads_of_clients_come_back(contents: list[str | bytes]) -> None:
    body = b"".join(
        binary_form(1, b"\x04" + content) if isinstance(content, bytes) else binary_form(0, b"4" + content.encode())
        for content in contents
    )
    assert list(decode_binary_payload_v3(body, 8)) == [(MESSAGE, content) for content in contents]


@given(st.text("0123456789:b=A€😀㨀\x00Ã©", max_size=40))
def test_nothing_but_packet_errors_from_text(text: str) -> None:
    try:
        packets = list(decode_payload_v3(text, 5))
    except PacketError:
        return
    assert 0 < len(packets) <= 5


@given(st.lists(st.sampled_from([b"\x00", b"\x01", b"\x02", b"\xff", b"\x04", b"4", b"\xc3\xa9"]), max_size=30))
def test_nothing_but_packet_errors_from_bytes(parts: list[bytes]) -> None:
    try:
        packets = list(decode_binary_payload_v3(b"".join(parts), 5))
    except PacketError:
        return
    assert 0 < len(packets) <= 5
