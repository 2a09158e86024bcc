"""Our packets against the reference parsers from npm: what we encode they decode, and the other way round.

Engine.IO 4: engine.io-parser 5; Engine.IO 3: engine.io-parser 2; Socket.IO 5: socket.io-parser 4; Socket.IO 4:
socket.io-parser 3.3, which the clients of 2.x have, and 3.4, which their servers have.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ordercast.engineio.packet import Packet, PacketType, message
from ordercast.engineio.payload import (
    Received,
    binary_packet_v3,
    decode_binary_payload_v3,
    decode_packet_v3,
    decode_payload,
    decode_payload_v3,
    encode_payload,
    encode_payload_v3,
)
from ordercast.socketio import packet as socketio
from ordercast.socketio.packet import RESERVED
from tests.harness import CLIENTS

some = settings(
    max_examples=100, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Reference:
    """The Node.js process that has the reference parsers."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, what: str, **question: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"ask": what, **_pack(question)}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return _unpack(answer["answer"])


def _pack(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"$binary": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: _pack(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_pack(inner) for inner in value]
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$binary"}:
            return base64.b64decode(value["$binary"])
        return {key: _unpack(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_unpack(inner) for inner in value]
    return value


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    with subprocess.Popen(
        ["node", "parsers.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=CLIENTS
    ) as process:
        yield Reference(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0


# -- Engine.IO ------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=40)
TEXT_PACKETS = st.builds(lambda type, text: Packet(type, text.encode()), st.sampled_from(PacketType), TEXTS)
PACKETS = TEXT_PACKETS | st.builds(message, st.binary(max_size=200))


def content(packet: Packet) -> str | bytes:
    return packet.data if packet.binary else packet.data.decode()


def theirs(packet: Packet) -> dict[str, Any]:
    """A packet as the reference parsers have it: without data where there is none."""
    named: dict[str, Any] = {"type": packet.type.name.lower()}
    return named | ({"data": content(packet)} if packet.data or packet.binary else {})


def received(packet: Packet) -> Received:
    """A packet as our decoders give it."""
    return packet.type, content(packet)


def message_of(frame: bytes) -> str | bytes:
    """What stands in a WebSocket frame of the server's."""
    size = {126: 2, 127: 8}.get(frame[1], 0)
    payload = frame[2 + size :]
    return payload.decode() if frame[0] & 0xF == 1 else payload


@some
@given(PACKETS)
def test_frames_of_protocol_4(reference: Reference, packet: Packet) -> None:
    ours = message_of(packet.frame)
    assert reference.ask("packet 4", packet=theirs(packet), binary=True) == ours
    assert reference.ask("read packet 4", encoded=ours) == theirs(packet)


@some
@given(st.lists(PACKETS, min_size=1, max_size=6))
def test_payloads_of_protocol_4(reference: Reference, packets: list[Packet]) -> None:
    assume(not any("\x1e" in packet.data.decode("latin-1") for packet in packets if not packet.binary))
    ours = encode_payload(packets).decode()
    assert reference.ask("payload 4", packets=list(map(theirs, packets))) == ours
    assert reference.ask("read payload 4", encoded=ours) == list(map(theirs, packets))
    assert list(decode_payload(ours, 6)) == list(map(received, packets))


@some
@given(PACKETS)
def test_frames_of_protocol_3(reference: Reference, packet: Packet) -> None:
    for binary, frame in ((True, packet.frame_v3), (False, packet.frame_v3_base64)):
        ours = message_of(frame)
        assert reference.ask("packet 3", packet=theirs(packet), binary=binary) == ours
        assert reference.ask("read packet 3", encoded=ours) == theirs(packet)
        read = decode_packet_v3(ours) if isinstance(ours, str) else binary_packet_v3(ours)
        assert read == received(packet)


def plain(text: str) -> bool:
    """Whether a text is none that clients before 2.0 send for another one."""
    try:
        return text.isascii() or not text.encode("latin-1").decode()
    except UnicodeError:
        return True


@some
@given(st.lists(PACKETS, min_size=1, max_size=6), st.booleans())
def test_payloads_of_protocol_3(reference: Reference, packets: list[Packet], base64: bool) -> None:
    assume(all(packet.binary or plain(packet.data.decode()) for packet in packets))
    ours, binary = encode_payload_v3(packets, base64)
    encoded = ours if binary else ours.decode()
    named = list(map(theirs, packets))
    assert reference.ask("payload 3", packets=named, binary=not base64) == encoded
    assert reference.ask("read payload 3", encoded=encoded) == named
    read = decode_binary_payload_v3(ours, 6) if binary else decode_payload_v3(ours.decode(), 6)
    assert list(read) == list(map(received, packets))


# -- Socket.IO ------------------------------------------------------------------------------------------------

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer()
)
KEYS = st.text(max_size=8).filter(lambda key: key not in ("_placeholder", "$binary", "__proto__", "toJSON"))
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = st.recursive(LEAVES, lambda i: st.lists(i, max_size=4) | st.dictionaries(KEYS, i, max_size=4), max_leaves=10)
ANYTHING = st.recursive(
    LEAVES | st.binary(max_size=40),
    lambda i: st.lists(i, max_size=4) | st.dictionaries(KEYS, i, max_size=4),
    max_leaves=10,
)
NAMES = st.text(max_size=10).filter(lambda name: name not in RESERVED)
NAMESPACES = st.just("/") | st.text(st.characters(exclude_characters=",?", exclude_categories=["Cs"]), max_size=8).map(
    "/{}".format
)
IDS = st.none() | st.integers(0, 10**15 - 1)
EVENTS = st.builds(lambda name, args: [name, *args], NAMES, st.lists(ANYTHING, max_size=4))
Type = socketio.PacketType
SENT = st.one_of(
    st.tuples(st.just(Type.EVENT), EVENTS, IDS),
    st.tuples(st.just(Type.ACK), st.lists(ANYTHING, max_size=4), st.integers(0, 10**15 - 1)),
)


def count_binary(data: Any) -> int:
    if isinstance(data, bytes):
        return 1
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return sum(map(count_binary, inner))


def encode(type: Type, nsp: str, data: Any, id: int | None) -> list[str | bytes]:
    return [content(packet) for packet in socketio.encode(type, nsp, data, id)]


def named(parser: str, type: Type, nsp: str, data: Any, id: int | None) -> dict[str, Any]:
    """A packet as the reference parsers have it; those of protocol 4 leave it to others to see what is binary."""
    number = int(type)
    if parser != "4" and count_binary(data):
        number = int(Type.BINARY_EVENT if type is Type.EVENT else Type.BINARY_ACK)
    whole = {"type": number, "nsp": nsp, "data": data, "id": id}
    return {key: value for key, value in whole.items() if value is not None}


@pytest.mark.parametrize("parser", ["3.3", "3.4", "4"])
@some
@given(SENT, NAMESPACES)
def test_events_and_acknowledgements(
    reference: Reference, parser: str, sent: tuple[Type, Any, int | None], nsp: str
) -> None:
    type, data, id = sent
    attachments = count_binary(data)
    assume(attachments <= 10)
    packet = named(parser, type, nsp, data, id)

    (decoded,) = reference.ask("read socket", parser=parser, parts=encode(type, nsp, data, id))
    decoded.pop("attachments", None)
    assert decoded == packet

    text, *buffers = reference.ask("socket", parser=parser, packet=packet)
    ours = socketio.decode(text)
    assert ours.attachments == len(buffers) == attachments
    if buffers:
        ours.data = socketio.put_back(ours.data, buffers)
    if attachments and type is Type.EVENT:
        assert ours.type is Type.BINARY_EVENT
    assert (ours.nsp, ours.data, ours.id) == (nsp, data, id)


@some
@given(NAMESPACES, st.dictionaries(KEYS, JSON, max_size=4), st.booleans())
def test_connecting_in_protocol_5(reference: Reference, nsp: str, auth: dict[str, Any], bare: bool) -> None:
    data = None if bare else auth
    for type in (Type.CONNECT, Type.CONNECT_ERROR) if data is not None else (Type.CONNECT, Type.DISCONNECT):
        packet = named("4", type, nsp, data, None)
        assert reference.ask("read socket", parser="4", parts=encode(type, nsp, data, None)) == [packet]
        (text,) = reference.ask("socket", parser="4", packet=packet)
        if type is Type.CONNECT_ERROR:
            with pytest.raises(ValueError, match="CONNECT_ERROR"):
                socketio.decode(text)  # comes from servers only
        else:
            ours = socketio.decode(text)
            assert (ours.type, ours.nsp, ours.data) == (type, nsp, data)


@pytest.mark.parametrize("parser", ["3.3", "3.4"])
@some
@given(NAMESPACES, st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), max_size=8), JSON)
def test_connecting_in_protocol_4(reference: Reference, parser: str, nsp: str, query: str, error: Any) -> None:
    for type in (Type.CONNECT, Type.DISCONNECT):
        packet = named(parser, type, nsp, None, None)
        assert reference.ask("read socket", parser=parser, parts=encode(type, nsp, None, None)) == [packet]
    asked = f"{nsp}?{query}"
    (text,) = reference.ask("socket", parser=parser, packet=named(parser, Type.CONNECT, asked, None, None))
    assert socketio.decode(text) == socketio.Packet(Type.CONNECT, asked)
    assume(isinstance(error, (str, dict)))
    (refused,) = reference.ask("read socket", parser=parser, parts=encode(Type.CONNECT_ERROR, nsp, error, None))
    assert refused == named(parser, Type.CONNECT_ERROR, nsp, error, None)


def test_the_processs_own_encoding_loses_nothing(reference: Reference) -> None:
    everything = {"a": [b"\x00\xff", "é😀\u2028\x00", 1.5, None, True, {}]}
    (decoded,) = reference.ask("read socket", parser="4", parts=encode(Type.EVENT, "/", ["x", everything], None))
    assert decoded == {"type": 2, "nsp": "/", "data": ["x", everything]}
