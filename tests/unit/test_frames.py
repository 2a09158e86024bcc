"""WebSocket frames, by RFC 6455's own examples and rules, and against the `websockets` library's frames."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.streams import StreamReader

from ordercast.engineio.errors import FrameError
from ordercast.engineio.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameParser,
    encode_close,
    encode_frame,
    parse_close,
)

Message = tuple[int, str | bytes]
MASK = bytes.fromhex("37fa213d")  # section 5.7's
LIMIT = 1_000_000


def masked(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes = MASK) -> bytes:
    """A client's frame, made by the plainest reading of section 5.2."""
    length = len(payload)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += b"\xfe" + length.to_bytes(2, "big")
    else:
        head += b"\xff" + length.to_bytes(8, "big")
    return head + mask + bytes(a ^ b for a, b in zip(payload, itertools.cycle(mask), strict=False))


def parse(data: bytes, limit: int = LIMIT) -> list[Message]:
    return list(FrameParser(limit).feed(data))


def failure(data: bytes, limit: int = LIMIT) -> FrameError:
    with pytest.raises(FrameError) as caught:
        parse(data, limit)
    return caught.value


# -- section 5.7, "Examples" ----------------------------------------------------------------------------------


def test_section_5_7_masked_text() -> None:
    assert parse(bytes.fromhex("818537fa213d7f9f4d5158")) == [(TEXT, "Hello")]


def test_section_5_7_fragmented_text() -> None:
    """The RFC shows it unmasked, as a server sends it."""
    assert parse(masked(TEXT, b"Hel", fin=False) + masked(CONTINUATION, b"lo")) == [(TEXT, "Hello")]


def test_section_5_7_masked_pong() -> None:
    assert parse(bytes.fromhex("8a8537fa213d7f9f4d5158")) == [(PONG, b"Hello")]


@pytest.mark.parametrize(
    ("opcode", "payload", "frame"),
    [
        (TEXT, b"Hello", bytes.fromhex("810548656c6c6f")),
        (PING, b"Hello", bytes.fromhex("890548656c6c6f")),
        (BINARY, b"x" * 256, bytes.fromhex("827e0100") + b"x" * 256),
        (BINARY, b"x" * 65536, bytes.fromhex("827f0000000000010000") + b"x" * 65536),
    ],
    ids=["text", "ping", "256", "65536"],
)
def test_section_5_7_what_servers_send(opcode: int, payload: bytes, frame: bytes) -> None:
    assert encode_frame(opcode, payload) == frame
    assert parse(masked(opcode, payload)) == [(opcode, payload.decode() if opcode == TEXT else payload)]


# -- lengths --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 124, 125, 126, 127, 65534, 65535, 65536, 65537])
def test_lengths(length: int) -> None:
    payload = bytes(i % 251 for i in range(length))
    assert parse(masked(BINARY, payload)) == [(BINARY, payload)]
    assert encode_frame(BINARY, payload) == Frame(Opcode.BINARY, payload).serialize(mask=False)


def test_a_length_need_not_be_in_its_shortest_form_to_be_understood() -> None:
    """Section 5.2 has senders use the shortest form; receivers lose nothing by reading the longer ones."""
    for head in (b"\x82\xfe\x00\x02", b"\x82\xff" + (2).to_bytes(8, "big")):
        assert parse(head + b"\0\0\0\0hi") == [(BINARY, b"hi")]


# -- fragments ------------------------------------------------------------------------------------------------


def test_control_frames_between_fragments() -> None:
    """Section 5.4: they may be injected in the middle of a fragmented message."""
    data = (
        masked(BINARY, b"a", fin=False)
        + masked(PING, b"1")
        + masked(CONTINUATION, b"b", fin=False)
        + masked(PONG)
        + masked(CONTINUATION, b"c")
        + masked(TEXT, b"next")
    )
    assert parse(data) == [(PING, b"1"), (PONG, b""), (BINARY, b"abc"), (TEXT, "next")]


def test_utf8_may_be_cut_between_fragments() -> None:
    euro = "€".encode()
    assert parse(masked(TEXT, euro[:1], fin=False) + masked(CONTINUATION, euro[1:])) == [(TEXT, "€")]


def test_empty_fragments() -> None:
    assert parse(masked(TEXT, fin=False) + masked(CONTINUATION, fin=False) + masked(CONTINUATION)) == [(TEXT, "")]


# -- violations -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encode_frame(TEXT, b"Hello"), 1002),  # unmasked, section 5.1
        (encode_frame(PING, b""), 1002),
        *((masked(TEXT, b"a", rsv=rsv), 1002) for rsv in range(1, 8)),
        *((masked(opcode, b"a"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *((masked(opcode, b"a", fin=False), 1002) for opcode in (CLOSE, PING, PONG)),
        *((masked(opcode, b"x" * 126), 1002) for opcode in (CLOSE, PING, PONG)),
        (masked(CONTINUATION, b"a"), 1002),
        (masked(CONTINUATION, b"a", fin=False), 1002),
        (masked(TEXT, b"a") + masked(CONTINUATION, b"a"), 1002),
        (masked(TEXT, b"a", fin=False) + masked(TEXT, b"b"), 1002),
        (masked(TEXT, b"a", fin=False) + masked(BINARY, b"b", fin=False), 1002),
        (masked(TEXT, b"\xff"), 1007),
        (masked(TEXT, b"\xe2\x82"), 1007),
        (masked(TEXT, b"\xed\xa0\x80"), 1007),  # a surrogate
        (masked(TEXT, b"\xc0\x80"), 1007),  # overlong
        (masked(TEXT, b"a", fin=False) + masked(CONTINUATION, b"\xff"), 1007),
    ],
)
def test_violations(data: bytes, code: int) -> None:
    assert failure(data).code == code


def test_a_violation_shows_in_the_first_two_bytes() -> None:
    """Nothing of the payload need come before it is refused."""
    for frame in (encode_frame(TEXT, b"Hello"), masked(TEXT, b"a", rsv=4), masked(3), masked(PING, b"x" * 126)):
        assert failure(frame[:2]).code == 1002


def test_what_came_before_a_violation_is_given() -> None:
    messages = FrameParser(LIMIT).feed(masked(TEXT, b"a") + masked(PING, b"b") + masked(3))
    assert next(messages) == (TEXT, "a")
    assert next(messages) == (PING, b"b")
    with pytest.raises(FrameError):
        next(messages)


# -- limits ---------------------------------------------------------------------------------------------------


def test_a_message_as_large_as_the_limit() -> None:
    assert parse(masked(BINARY, b"x" * 300), 300) == [(BINARY, b"x" * 300)]
    assert parse(masked(BINARY, b"x" * 200, fin=False) + masked(CONTINUATION, b"x" * 100), 300) == [
        (BINARY, b"x" * 300)
    ]


@pytest.mark.parametrize(
    "head",
    [
        masked(BINARY, b"x" * 301)[:4],
        masked(BINARY, b"x" * 70_000)[:10],
        b"\x82\xff" + b"\x7f" + b"\xff" * 7,
        b"\x82\xff" + b"\xff" * 8,
        masked(BINARY, b"x" * 200, fin=False) + masked(CONTINUATION, b"x" * 101)[:2],
    ],
    ids=["16 bit", "64 bit", "exabytes", "more than 63 bits", "fragments"],
)
def test_too_much_is_refused_before_it_arrives(head: bytes) -> None:
    assert failure(head, 300).code == 1009


def test_control_frames_do_not_count_towards_a_message() -> None:
    data = masked(BINARY, b"abc", fin=False) + masked(PING, b"x" * 125) + masked(CONTINUATION, b"d")
    assert parse(data, 4) == [(PING, b"x" * 125), (BINARY, b"abcd")]


def test_messages_do_not_add_up() -> None:
    data = masked(BINARY, b"ab", fin=False) + masked(CONTINUATION, b"cd")
    assert parse(data * 5 + masked(TEXT, b"abcd") * 5, 4) == [(BINARY, b"abcd")] * 5 + [(TEXT, "abcd")] * 5


def test_the_number_of_fragments_is_bounded() -> None:
    start, empty = masked(TEXT, fin=False), masked(CONTINUATION, fin=False)
    fits = start + empty * 8 + masked(CONTINUATION)
    assert list(FrameParser(LIMIT, max_fragments=10).feed(fits)) == [(TEXT, "")]
    with pytest.raises(FrameError) as caught:
        list(FrameParser(LIMIT, max_fragments=10).feed(start + empty * 10))
    assert caught.value.code == 1009


# -- close frames ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes_that_may_be_sent(code: int) -> None:
    payload = code.to_bytes(2, "big")
    assert parse_close(payload) == parse_close(payload + "bye €".encode()) == code
    assert encode_close(code, "bye") == Frame(Opcode.CLOSE, Close(code, "bye").serialize()).serialize(mask=False)


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_close_codes_that_must_not_be_sent(code: int) -> None:
    """Section 7.4: 1005, 1006 and 1015 never stand in a frame; the others are nobody's."""
    with pytest.raises(FrameError) as caught:
        parse_close(code.to_bytes(2, "big"))
    assert caught.value.code == 1002


def test_other_close_payloads() -> None:
    assert parse_close(b"") == 1005
    for payload, code in ((b"\x03", 1002), (b"\x03\xe8\xff", 1007)):
        with pytest.raises(FrameError) as caught:
            parse_close(payload)
        assert caught.value.code == code


@pytest.mark.parametrize("character", "xé€😀")
@pytest.mark.parametrize("before", ["", "x"])
def test_a_close_reason_is_cut_to_what_a_control_frame_holds(before: str, character: str) -> None:
    reason = before + character * 150
    frame = encode_close(1000, reason)
    assert frame[1] == len(frame) - 2 <= 125
    assert parse_close(frame[2:]) == 1000
    assert reason.startswith(frame[4:].decode())
    assert len(frame) > 120


# -- properties -----------------------------------------------------------------------------------------------

PAYLOADS = st.binary(max_size=300) | st.integers(0, 70_000).map(lambda n: b"\xc3\xa9" * (n // 2))
FRAMES = st.builds(
    masked,
    st.sampled_from([CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG, 3]),
    st.binary(max_size=130) | st.text(max_size=30).map(str.encode),
    fin=st.booleans(),
    mask=st.binary(min_size=4, max_size=4),
)


def outcome(chunks: list[bytes], limit: int) -> tuple[list[Message], int | None]:
    """What a parser gives for these chunks: the messages, and the code it fails with, if it does."""
    parser = FrameParser(limit, max_fragments=4)
    seen: list[Message] = []
    try:
        for chunk in chunks:
            for message in parser.feed(chunk):
                seen.append(message)
    except FrameError as error:
        return seen, error.code
    return seen, None


@given(st.lists(FRAMES, max_size=8).map(b"".join), st.integers(0, 400), st.data())
def test_how_the_bytes_arrive_changes_nothing(data: bytes, limit: int, source: st.DataObject) -> None:
    whole = outcome([data], limit)
    assert outcome([data[i : i + 1] for i in range(len(data))], limit) == whole
    cuts = sorted(source.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    assert outcome([data[a:b] for a, b in itertools.pairwise([0, *cuts, len(data)])], limit) == whole


@given(st.sampled_from([TEXT, BINARY, PING, PONG]), PAYLOADS, st.booleans())
def test_the_websockets_library_agrees_about_clients_frames(opcode: int, payload: bytes, in_pieces: bool) -> None:
    if opcode in (PING, PONG):
        payload = payload[:125]
    if opcode == TEXT:
        payload = payload.decode("latin-1").encode()
    data = Frame(Opcode(opcode), payload).serialize(mask=True)
    chunks = [data[:3], data[3:20], data[20:]] if in_pieces else [data]
    assert outcome(chunks, LIMIT) == ([(opcode, payload.decode() if opcode == TEXT else payload)], None)


@given(st.sampled_from([TEXT, BINARY, CLOSE, PING, PONG]), PAYLOADS)
def test_the_websockets_library_reads_what_we_send(opcode: int, payload: bytes) -> None:
    if opcode & 8:
        payload = payload[:125]
    reader = StreamReader()
    reader.feed_data(encode_frame(opcode, payload))
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as finished:
        next(parsing)
    assert finished.value.value == Frame(Opcode(opcode), payload)
    assert next(reader.at_eof(), None) is None


def test_a_connection_at_rest_keeps_no_buffer() -> None:
    parser = FrameParser(LIMIT)
    data = masked(BINARY, b"x" * 1000)
    list(parser.feed(data[:500]))
    assert parser._buffer is not None
    list(parser.feed(data[500:]))
    assert parser._buffer is None
