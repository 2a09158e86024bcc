"""Long-polling as plain ASGI, one hand-made request at a time.

https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from ordercast.engineio import disconnects
from ordercast.engineio.packet import message
from ordercast.engineio.polling import PollingTransport
from ordercast.engineio.session import State
from tests.fake_clients import HANDSHAKE, AsgiCall, Polls
from tests.fakes import FakeTransport, request


@pytest.fixture
async def polls() -> AsyncIterator[Polls]:
    polls = Polls()
    yield polls
    await polls.stop()


async def test_a_conversation(polls: Polls) -> None:
    """The session sample of the protocol's documentation, in our words."""
    opening = await polls.run(AsgiCall(query=HANDSHAKE))
    assert opening.status == 200
    assert opening.body[:1] == b"0"
    assert opening.headers["content-type"] == "text/plain; charset=UTF-8"
    assert opening.headers["content-length"] == str(len(opening.body))
    assert opening.headers["cache-control"] == "no-store"
    (session,) = polls.engine.sessions.values()
    assert session.request.address == "192.0.2.1"
    session.send(message("hello"))
    session.send(message(b"\x01\x02\x03\x04"))
    assert (await polls.poll(session)).body == b"4hello\x1ebAQIDBA=="
    posted = await polls.post(session, "4€\x1ebAQIDBA==".encode())
    assert (posted.status, posted.body) == (200, b"ok")
    assert polls.handler.messages == ["€", b"\x01\x02\x03\x04"]


async def test_a_poll_waits_for_a_packet(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall(query=polls.query(session))
    task = await polls.begin(call)
    assert call.status is None
    session.send(message("a"))
    session.send(message("b"))
    await task
    assert call.body == b"4a\x1e4b"
    assert not session.transport.writable


# -- refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "query", "status", "code", "text"),
    [
        ("GET", "", 400, 0, "Transport unknown"),
        ("GET", "EIO=4", 400, 0, "Transport unknown"),
        ("GET", "EIO=4&transport=tube", 400, 0, "Transport unknown"),
        ("GET", "EIO=4&transport=", 400, 0, "Transport unknown"),
        ("GET", HANDSHAKE + "&sid=nobody", 400, 1, "Session ID unknown"),
        ("POST", HANDSHAKE + "&sid=nobody", 400, 1, "Session ID unknown"),
        ("POST", HANDSHAKE, 400, 2, "Bad handshake method"),
        ("PUT", HANDSHAKE, 400, 2, "Bad handshake method"),
        ("HEAD", HANDSHAKE, 400, 2, "Bad handshake method"),
        ("GET", "EIO=4&transport=websocket", 400, 3, "Bad request"),
        ("GET", HANDSHAKE + "&a=1" * 64, 400, 3, "Bad request"),
        ("GET", "transport=polling", 400, 5, "Unsupported protocol version"),
        ("GET", "EIO=2&transport=polling", 400, 5, "Unsupported protocol version"),
        ("GET", "EIO=4&EIO=3&transport=polling", 400, 5, "Unsupported protocol version"),
        ("GET", "EIO=%ff&transport=polling", 400, 5, "Unsupported protocol version"),
    ],
)
async def test_refusals(polls: Polls, method: str, query: str, status: int, code: int, text: str) -> None:
    call = await polls.run(AsgiCall(method, query))
    assert call.status == status
    assert msgspec.json.decode(call.body) == {"code": code, "message": text}
    assert call.headers["content-type"] == "application/json"
    assert polls.engine.opened == 0
    assert polls.engine.journal.refused.total() == 1


async def test_a_transport_that_is_switched_off() -> None:
    polls = Polls(transports=("websocket",))
    assert (await polls.run(AsgiCall(query=HANDSHAKE))).body == b'{"code":0,"message":"Transport unknown"}'


async def test_no_handshake_while_shutting_down(polls: Polls) -> None:
    session = await polls.open()
    polls.engine.stop_accepting()
    assert (await polls.run(AsgiCall(query=HANDSHAKE))).status == 503
    session.send(message("still here"))
    assert (await polls.poll(session)).body == b"4still here"


async def test_whom_the_application_does_not_want() -> None:
    asked = []

    def never(request: object) -> bool:
        asked.append(request)
        return False

    polls = Polls(allow_request=never)
    call = await polls.run(AsgiCall(query=HANDSHAKE))
    assert (call.status, call.body) == (403, b'{"code":4,"message":"Forbidden"}')
    assert len(asked) == 1
    assert polls.handler.opened == []


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
async def test_other_methods_leave_a_session_alone(polls: Polls, method: str) -> None:
    session = await polls.open()
    assert (await polls.run(AsgiCall(method, polls.query(session)))).status == 400
    assert session.state is State.OPEN


async def test_a_session_that_moved_to_websocket_takes_no_polls(polls: Polls) -> None:
    session = await polls.open()
    session.upgrade(FakeTransport())
    for method in ("GET", "POST"):
        call = await polls.run(AsgiCall(method, polls.query(session), body=b"4a"))
        assert (call.status, msgspec.json.decode(call.body)["code"]) == (400, 3)
    assert session.state is State.OPEN
    assert polls.handler.messages == []


# -- the rules of polling -------------------------------------------------------------------------------------


async def test_a_second_poll_ends_the_session(polls: Polls) -> None:
    session = await polls.open()
    first = AsgiCall(query=polls.query(session))
    task = await polls.begin(first)
    second = await polls.poll(session)
    await task
    assert (second.status, first.status, first.body) == (400, 200, b"1")
    assert polls.handler.closed == ["transport error"]
    assert polls.engine.sessions == {}


async def test_a_poll_that_a_proxy_repeats_ends_the_session_since_its_answer_was_lost(polls: Polls) -> None:
    """nginx asks another node where the one before died with the answer in its hands; the client goes on from its
    cursor in another session."""
    session = await polls.open()
    session.send(message("lost"))
    first = await polls.run(AsgiCall(query=polls.query(session) + "&t=PUaB3"))
    assert first.body == b"4lost"
    again = await polls.run(AsgiCall(query=polls.query(session) + "&t=PUaB3"))
    assert again.status == 400
    assert polls.handler.closed == ["transport error"]


@pytest.mark.parametrize("stamp", ["", "&t=mine"])
async def test_polls_of_clients_that_do_not_tell_them_apart(polls: Polls, stamp: str) -> None:
    opening = await polls.run(AsgiCall(query=HANDSHAKE + stamp))
    assert opening.status == 200
    (session,) = polls.engine.sessions.values()
    for word in ("a", "b"):
        session.send(message(word))
        assert (await polls.run(AsgiCall(query=polls.query(session) + stamp))).body == b"4" + word.encode()


async def test_a_poll_that_is_dropped_ends_the_session(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall(query=polls.query(session))
    task = await polls.begin(call)
    call.hang_up()
    await task
    assert call.status is None
    assert polls.handler.closed == ["transport close"]
    assert polls.engine.sessions == {}


async def test_a_poll_that_the_server_cancels_can_be_asked_again(polls: Polls) -> None:
    session = await polls.open()
    task = await polls.begin(AsgiCall(query=polls.query(session)))
    task.cancel()
    await polls.turns()
    session.send(message("a"))
    assert (await polls.poll(session)).body == b"4a"


# -- ending and upgrading -------------------------------------------------------------------------------------


async def test_a_client_that_says_goodbye_has_its_poll_answered(polls: Polls) -> None:
    session = await polls.open()
    call = AsgiCall(query=polls.query(session))
    task = await polls.begin(call)
    await polls.post(session, b"1")
    await task
    assert call.body == b"6"


async def test_a_farewell_comes_before_the_end_is_told(polls: Polls) -> None:
    """The official client drops what came in one payload with a CLOSE."""
    session = await polls.open()
    session.send(message("last words"))
    session.close(disconnects.SERVER_DISCONNECT)
    assert (await polls.poll(session)).body == b"4last words"
    assert (await polls.poll(session)).body == b"1"
    assert (await polls.poll(session)).status == 400


async def test_at_a_shutdown_the_next_poll_fails_so_that_every_client_comes_back(polls: Polls) -> None:
    """python-socketio's client stays away after a CLOSE (tests/integration/test_python_client.py)."""
    session = await polls.open()
    call = AsgiCall(query=polls.query(session))
    task = await polls.begin(call)
    session.close(disconnects.SHUTDOWN)
    await task
    assert call.body == b"6"
    assert (await polls.poll(session)).status == 400


async def test_a_farewell_that_nobody_fetches_ends_by_itself(polls: Polls) -> None:
    session = await polls.open()
    session.close(disconnects.SHUTDOWN)
    async with asyncio.timeout(60):
        while session.id in polls.engine.sessions:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0.01)
    assert (await polls.poll(session)).status == 400


async def test_polls_during_an_upgrade_return_at_once(polls: Polls) -> None:
    session = await polls.open()
    session.upgrading = object()
    assert (await polls.poll(session)).body == b"6"
    session.send(message("a"))
    assert (await polls.poll(session)).body == b"4a"
    assert isinstance(session.transport, PollingTransport)


async def test_sessions_opened_elsewhere_have_no_polls(polls: Polls) -> None:
    session = polls.engine.open(request(), FakeTransport())
    assert (await polls.poll(session)).status == 400
    assert session.state is State.OPEN
