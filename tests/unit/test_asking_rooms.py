"""What one asks of many sockets at once, and events that may be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from ordercast.engineio import disconnects
from ordercast.socketio import Server, Socket
from ordercast.socketio.errors import AckTimeout
from tests.fake_clients import FakeClient


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server(max_attachments=2)
    yield io
    await io.close(grace=0)


class Crowd:
    """Clients a, b and c: a and b in room x."""

    def __init__(self, io: Server) -> None:
        self.io = io
        self.clients: dict[str, FakeClient] = {}
        self.sockets: dict[str, Socket] = {}

    async def gather(self) -> None:
        for name, rooms in (("a", "x"), ("b", "x"), ("c", "")):
            client = FakeClient(self.io)
            id = await client.join()
            self.clients[name], self.sockets[name] = client, self.io.sockets[id]
            self.sockets[name].join(*rooms)

    async def heard(self) -> dict[str, list[str | bytes]]:
        """What each has heard since the last call."""
        heard = {name: await client.hear() for name, client in self.clients.items()}
        return {name: packets for name, packets in heard.items() if packets}

    def nobody_waits(self) -> None:
        """No socket keeps an acknowledgement that nobody waits for."""
        assert not any(socket._acks for socket in self.sockets.values())


@pytest.fixture
async def crowd(io: Server) -> Crowd:
    crowd = Crowd(io)
    await crowd.gather()
    return crowd


async def begun(asking: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    task = asyncio.create_task(asking)
    await asyncio.sleep(0)
    return task


# -- asking a room --------------------------------------------------------------------------------------------


async def test_all_answer(crowd: Crowd) -> None:
    asking = await begun(crowd.io.to("x").emit_with_ack("ask", 7))
    assert await crowd.heard() == {name: ['20["ask",7]'] for name in "ab"}
    crowd.clients["c"].say('30["not asked"]')
    crowd.clients["a"].say('30["a",1]')
    await asyncio.sleep(0)
    assert not asking.done()
    crowd.clients["b"].say("30[]", '30["twice"]')
    assert sorted(await asking, key=str) == [("a", 1), None]
    crowd.nobody_waits()
    asking = await begun(crowd.io.emit_with_ack("ask"))
    for name, client in crowd.clients.items():
        client.say(f'31["{name}"]')
    assert sorted(await asking) == ["a", "b", "c"]


async def test_nobody_is_asked(crowd: Crowd) -> None:
    assert await crowd.io.to("nowhere").emit_with_ack("ask") == []
    with pytest.raises(ValueError, match="reserved"):
        await crowd.io.to("nowhere").emit_with_ack("disconnect")


async def test_some_do_not_answer(crowd: Crowd) -> None:
    asking = await begun(crowd.io.emit_with_ack("ask", timeout=0.05))
    crowd.clients["a"].say('30["a"]')
    with pytest.raises(AckTimeout, match=r"2 of 3 did not acknowledge 'ask' within 0\.05 s") as caught:
        await asking
    assert caught.value.responses == ["a"]
    crowd.clients["b"].say('30["too late"]')
    assert crowd.clients["b"].session.why is None
    crowd.nobody_waits()


async def test_one_leaves_meanwhile(crowd: Crowd) -> None:
    """The others are waited for, and nobody waits for the one who has left."""
    asking = await begun(crowd.io.to("x").emit_with_ack("ask", timeout=600))
    crowd.clients["a"].session.lost(disconnects.TRANSPORT_CLOSE)
    await asyncio.sleep(0)
    assert not asking.done()
    crowd.clients["b"].say('30["b"]')
    with pytest.raises(AckTimeout, match="1 of 2") as caught:
        await asking
    assert caught.value.responses == ["b"]


async def test_all_leave_meanwhile(crowd: Crowd) -> None:
    asking = await begun(crowd.io.emit_with_ack("ask", timeout=600))
    crowd.io.disconnect_sockets()
    with pytest.raises(AckTimeout, match="3 of 3") as caught:
        await asking
    assert caught.value.responses == []


@pytest.mark.parametrize("end", ["1", "lost", "closed"])
async def test_who_asks_one_client_learns_at_once_that_it_goes(crowd: Crowd, end: str) -> None:
    client, socket = crowd.clients["a"], crowd.sockets["a"]
    asking = await begun(socket.emit_with_ack("ask", timeout=600))
    if end == "1":
        client.say("1")
    elif end == "lost":
        client.session.lost(disconnects.TRANSPORT_CLOSE)
    else:
        client.session.close(disconnects.PING_TIMEOUT)
    with pytest.raises(AckTimeout, match="has disconnected"):
        await asking


async def test_who_gives_up_asking_leaves_nothing_behind(crowd: Crowd) -> None:
    for asking in (crowd.io.emit_with_ack("ask"), crowd.sockets["a"].emit_with_ack("ask")):
        task = await begun(asking)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        crowd.nobody_waits()


async def test_a_question_that_cannot_be_sent_leaves_nothing_behind(crowd: Crowd) -> None:
    for asking in (crowd.io.emit_with_ack("ask", object()), crowd.sockets["a"].emit_with_ack("ask", object())):
        with pytest.raises(TypeError):
            await asking
    with pytest.raises(TypeError):
        crowd.sockets["a"].emit("ask", object(), ack=lambda: None)
    crowd.nobody_waits()
    assert await crowd.heard() == {}


async def test_attachments_of_questions_and_answers(crowd: Crowd) -> None:
    asking = await begun(crowd.io.to("x").emit_with_ack("ask", b"?"))
    question: list[str | bytes] = ['51-0["ask",{"_placeholder":true,"num":0}]', b"?"]
    assert await crowd.heard() == {"a": question, "b": question}
    for name in "ab":
        crowd.clients[name].say('61-0[{"_placeholder":true,"num":0}]', name.encode())
    assert sorted(await asking) == [b"a", b"b"]


# -- the sockets themselves -----------------------------------------------------------------------------------


async def test_fetching_sockets(crowd: Crowd) -> None:
    sockets = crowd.sockets
    assert set(await crowd.io.fetch_sockets()) == set(sockets.values())
    assert set(await crowd.io.to("x").fetch_sockets()) == {sockets["a"], sockets["b"]}
    assert await crowd.io.to("x").except_(sockets["a"].id).fetch_sockets() == [sockets["b"]]
    assert await crowd.io.to("nowhere").fetch_sockets() == []


async def test_joining_and_leaving_by_the_room(crowd: Crowd) -> None:
    crowd.io.to("x").sockets_join("y", "z")
    crowd.io.sockets_join("all")
    assert {name: socket.rooms - {socket.id} for name, socket in crowd.sockets.items()} == {
        "a": {"x", "y", "z", "all"},
        "b": {"x", "y", "z", "all"},
        "c": {"all"},
    }
    crowd.io.to("x").except_(crowd.sockets["b"].id).sockets_leave("x", "y")
    crowd.io.sockets_leave("all")
    assert {name: socket.rooms - {socket.id} for name, socket in crowd.sockets.items()} == {
        "a": {"z"},
        "b": {"x", "y", "z"},
        "c": frozenset(),
    }


@pytest.mark.parametrize("close", [False, True])
async def test_disconnecting_by_the_room(crowd: Crowd, close: bool) -> None:
    reasons: list[str] = []
    crowd.io.on("disconnect", lambda socket, why: reasons.append(why))
    crowd.io.to("x").disconnect_sockets(close)
    assert await crowd.heard() == {"a": ["1"], "b": ["1"]}
    assert reasons == ["server namespace disconnect"] * 2
    assert set(crowd.io.sockets.values()) == {crowd.sockets["c"]}
    ended = [client.transport.ended for client in crowd.clients.values()]
    assert ended == ([disconnects.SERVER_DISCONNECT] * 2 if close else [None] * 2) + [None]


async def test_send_is_a_message(crowd: Crowd) -> None:
    crowd.io.to("x").send("to a room", 1)
    crowd.io.send("to all")
    crowd.sockets["c"].send("to one")
    assert await crowd.heard() == {
        "a": ['2["message","to a room",1]', '2["message","to all"]'],
        "b": ['2["message","to a room",1]', '2["message","to all"]'],
        "c": ['2["message","to all"]', '2["message","to one"]'],
    }


# -- events that may be lost ----------------------------------------------------------------------------------


async def test_volatile_events_are_for_those_who_can_take_them_now(crowd: Crowd) -> None:
    crowd.clients["a"].transport.writable = False
    crowd.io.volatile.emit("lost", 1)
    crowd.io.to("x").volatile.emit("lost", 2)
    crowd.io.volatile.to("x").except_("nowhere").emit("lost", 3)
    crowd.sockets["a"].volatile.emit("lost", 4)
    crowd.sockets["c"].volatile.emit("lost", 5)
    crowd.io.to("x").emit("kept", 6)
    assert crowd.clients["a"].session.queue
    crowd.clients["a"].transport.writable = True
    crowd.io.to("x").volatile.emit("lost", 7)
    heard = await crowd.heard()
    assert heard == {
        "a": ['2["kept",6]', '2["lost",7]'],
        "b": ['2["lost",1]', '2["lost",2]', '2["lost",3]', '2["kept",6]', '2["lost",7]'],
        "c": ['2["lost",1]', '2["lost",5]'],
    }
    assert crowd.io.of("/").delivered == 9


async def test_volatile_is_no_property_of_the_room(crowd: Crowd) -> None:
    crowd.clients["a"].transport.writable = False
    room = crowd.io.to("x")
    room.volatile.emit("lost")
    room.emit("kept")
    crowd.clients["a"].transport.writable = True
    crowd.io.engine.flush_soon(crowd.clients["a"].session)
    assert (await crowd.heard())["a"] == ['2["kept"]']
