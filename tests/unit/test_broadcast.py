"""Who gets an event, and how often it is encoded and written for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordercast.engineio import disconnects
from ordercast.socketio import BroadcastOperator, Server, Socket
from ordercast.socketio.packet import RESERVED
from tests.fake_clients import FakeClient


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server(max_attachments=2)
    yield io
    await io.close(grace=0)


class Crowd:
    """Clients a, b, c and d: a and b in room x, b and c in room y, d in none."""

    def __init__(self, io: Server) -> None:
        self.io = io
        self.clients: dict[str, FakeClient] = {}
        self.sockets: dict[str, Socket] = {}

    async def gather(self) -> None:
        for name, rooms in (("a", "x"), ("b", "xy"), ("c", "y"), ("d", "")):
            client = FakeClient(self.io)
            id = await client.join()
            self.clients[name], self.sockets[name] = client, self.io.sockets[id]
            self.sockets[name].join(*rooms)

    async def heard(self) -> str:
        """Who has heard an event since the last call; once each, or it would show."""
        return "".join([name for name, client in self.clients.items() for _ in await client.hear()])


@pytest.fixture
async def crowd(io: Server) -> Crowd:
    crowd = Crowd(io)
    await crowd.gather()
    return crowd


# -- who ------------------------------------------------------------------------------------------------------

Choice = Callable[[Crowd], Any]


@pytest.mark.parametrize(
    ("choose", "heard"),
    [
        (lambda crowd: crowd.io, "abcd"),
        (lambda crowd: crowd.io.local, "abcd"),
        (lambda crowd: crowd.io.of("/"), "abcd"),
        (lambda crowd: crowd.io.to("x"), "ab"),
        (lambda crowd: crowd.io.in_("x"), "ab"),
        (lambda crowd: crowd.io.to("x").to("y"), "abc"),
        (lambda crowd: crowd.io.to("x", "y"), "abc"),
        (lambda crowd: crowd.io.to("x").in_("y").local, "abc"),
        (lambda crowd: crowd.io.local.to("x", "y"), "abc"),
        (lambda crowd: crowd.io.to("x", "x"), "ab"),
        (lambda crowd: crowd.io.to("nowhere"), ""),
        (lambda crowd: crowd.io.to("nowhere", "y"), "bc"),
        (lambda crowd: crowd.io.except_("x"), "cd"),
        (lambda crowd: crowd.io.except_("x", "y"), "d"),
        (lambda crowd: crowd.io.except_("x").except_("y"), "d"),
        (lambda crowd: crowd.io.to("x").except_("y"), "a"),
        (lambda crowd: crowd.io.except_("y").to("x"), "a"),
        (lambda crowd: crowd.io.to("x").except_("x"), ""),
        (lambda crowd: crowd.io.to("x").except_("nowhere"), "ab"),
        (lambda crowd: crowd.io.to(crowd.sockets["d"].id), "d"),
        (lambda crowd: crowd.io.to(crowd.sockets["b"].id, "x"), "ab"),
        (lambda crowd: crowd.io.except_(crowd.sockets["b"].id), "acd"),
        (lambda crowd: crowd.sockets["a"].to("x"), "b"),
        (lambda crowd: crowd.sockets["d"].to("x"), "ab"),
        (lambda crowd: crowd.sockets["a"].broadcast, "bcd"),
        (lambda crowd: crowd.sockets["a"].broadcast.to("y"), "bc"),
        (lambda crowd: crowd.sockets["a"], "a"),
    ],
)
async def test_who_hears_an_event(crowd: Crowd, choose: Choice, heard: str) -> None:
    chosen = choose(crowd)
    chosen.emit("news", 1)
    assert await crowd.heard() == heard
    if isinstance(chosen, BroadcastOperator):
        assert {socket.id for socket in chosen} == {crowd.sockets[name].id for name in heard}
        assert len(chosen.sockets()) == len(heard)
        assert crowd.io.of("/").delivered == len(heard)


SETS = st.dictionaries(st.integers(0, 5), st.sets(st.sampled_from("xyz")), min_size=1)
ROOMS = st.lists(st.sampled_from("xyz-"), max_size=3)


@given(SETS, ROOMS, ROOMS)
def test_who_hears_an_event_by_sets(rooms_of: dict[int, set[str]], to: list[str], except_: list[str]) -> None:
    async def hearing() -> set[int]:
        io = Server()
        clients = {name: FakeClient(io) for name in rooms_of}
        for name, client in clients.items():
            io.sockets[await client.join()].join(*rooms_of[name])
        io.to(*to).except_(*except_).emit("news")
        heard = {name: await client.hear() for name, client in clients.items()}
        assert all(messages in ([], ['2["news"]']) for messages in heard.values())
        await io.close(grace=0)
        return {name for name, messages in heard.items() if messages}

    wanted = {name for name, rooms in rooms_of.items() if (not to or rooms & set(to)) and not rooms & set(except_)}
    assert asyncio.run(hearing()) == wanted


async def test_an_operator_does_not_change(crowd: Crowd) -> None:
    x = crowd.io.to("x")
    x.to("y").except_("x")
    x.emit("news")
    assert await crowd.heard() == "ab"


async def test_namespaces_share_no_rooms(io: Server, crowd: Crowd) -> None:
    io.of("/other")
    other = FakeClient(io)
    id = await other.join("/other")
    io.of("/other").sockets[id].join("x")
    io.of("/other").to("x").emit("news")
    assert await other.hear() == ['2/other,["news"]']
    assert await crowd.heard() == ""


async def test_leaving_and_joining_count_at_once(crowd: Crowd) -> None:
    crowd.sockets["a"].leave("x")
    crowd.sockets["d"].join("x")
    crowd.clients["b"].say("1")
    crowd.io.to("x").emit("news")
    assert await crowd.heard() == "d"


async def test_an_event_is_encoded_once_and_written_once_per_turn(crowd: Crowd) -> None:
    before = {name: len(client.transport.writes) for name, client in crowd.clients.items()}
    crowd.io.to("x").emit("one", b"\x01")
    crowd.io.to("x", "y").emit("two")
    assert len(crowd.io.engine._dirty) == 3
    assert await crowd.clients["b"].hear() == ['51-["one",{"_placeholder":true,"num":0}]', b"\x01", '2["two"]']
    a, b = (crowd.clients[name].transport for name in "ab")
    assert len(b.writes) == before["b"] + 1
    assert all(mine is theirs for mine, theirs in zip(a.writes[-1], b.writes[-1], strict=True))


async def test_a_session_on_its_way_out_holds_up_nobody(crowd: Crowd) -> None:
    for name, client in crowd.clients.items():
        client.transport.writable = name != "a"
    crowd.clients["a"].session.close(disconnects.SHUTDOWN)
    crowd.io.emit("news")
    assert await crowd.heard() == "bcd"


@pytest.mark.parametrize("name", sorted(RESERVED))
async def test_reserved_names(crowd: Crowd, name: str) -> None:
    for emitter in (crowd.io, crowd.io.to("x"), crowd.io.to("nowhere"), crowd.sockets["a"]):
        with pytest.raises(ValueError, match="reserved"):
            emitter.emit(name)
    with pytest.raises(ValueError, match="reserved"):
        await crowd.sockets["a"].emit_with_ack(name)
    assert await crowd.heard() == ""


async def test_what_json_cannot_hold_is_the_callers_mistake(crowd: Crowd) -> None:
    for emitter in (crowd.io, crowd.sockets["a"]):
        with pytest.raises(TypeError):
            emitter.emit("news", object())
    assert await crowd.heard() == ""
