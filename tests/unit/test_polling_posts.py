"""What clients POST over long-polling: bodies whole, in pieces, too large, broken off, malformed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fake_clients import LIMIT, AsgiCall, Polls


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    polls = Polls()
    yield polls
    await polls.stop()


async def test_a_body_in_chunks(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall("POST", polls.query(session), body=None)
    for chunk in (b"4a\xe2", b"", b"\x82\xac\x1e", b"4b"):
        call.feed(chunk, more=True)
    call.feed(b"")
    await polls.run(call)
    assert call.body == b"ok"
    assert polls.handler.messages == ["a€", "b"]


async def test_a_second_post_ends_the_session(polls: Polls) -> None:
    session = await polls.open()
    first = AsgiCall("POST", polls.query(session), body=None)
    task = await polls.begin(first)
    second = await polls.post(session, b"4b")
    first.feed(b"4a")
    await task
    assert second.status == 400
    assert polls.handler.closed == ["transport error"]
    assert polls.handler.messages == []


async def test_posts_one_after_another(polls: Polls) -> None:
    session = await polls.open()
    for i in range(3):
        assert (await polls.post(session, b"4%d" % i)).status == 200
    assert polls.handler.messages == ["0", "1", "2"]


async def test_a_post_that_breaks_off_is_not_taken_for_a_whole_one(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall("POST", polls.query(session), body=None)
    call.feed(b"4pay 10", more=True)
    call.hang_up()
    await polls.run(call)
    assert polls.handler.messages == []
    assert polls.handler.closed == ["transport error"]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (b"", 0),
        (b"x", 0),
        (b"4a\x1e", 1),
        (b"4a\x1e9", 1),
        (b"4a\x1eb!", 1),
        (b"4a\x1e4b\x1e4c\x1e4d\x1e4e", 0),  # one more than max_packets
        (b"4\xff", 0),
        (b"0", 0),
        (b"2", 0),
        (b"5", 0),
        (b"6", 0),
    ],
)
async def test_malformed_payloads_end_the_session(polls: Polls, body: bytes, taken: int) -> None:
    session = await polls.open()
    await polls.post(session, body)
    assert len(polls.handler.messages) == taken
    assert polls.handler.closed == ["parse error"]


async def test_what_follows_the_end_of_a_session_is_not_taken(polls: Polls) -> None:
    session = await polls.open()
    assert (await polls.post(session, b"4a\x1e1\x1e4b")).body == b"ok"
    assert polls.handler.messages == ["a"]
    assert polls.handler.closed == ["transport close"]


@pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 12, "9" * 5000, "-1", "x", "", "1e3", "٣"])
async def test_a_body_that_says_it_is_too_large(polls: Polls, length: str) -> None:
    session = await polls.open()
    call = AsgiCall("POST", polls.query(session), {"content-length": length}, body=None)
    await polls.run(call)  # without waiting for any of it
    assert call.status == 413
    assert polls.handler.closed == ["message too large"]


async def test_a_body_that_turns_out_too_large(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall("POST", polls.query(session), body=None)
    for _ in range(3):
        call.feed(b"4" * (LIMIT // 2), more=True)
    await polls.run(call)
    assert call.status == 413
    assert polls.handler.closed == ["message too large"]


async def test_a_body_as_large_as_the_limit(polls: Polls) -> None:
    session = await polls.open()
    call = await polls.post(session, b"4" * LIMIT, content_length=str(LIMIT))
    assert call.status == 200
    assert polls.handler.messages == ["4" * (LIMIT - 1)]
