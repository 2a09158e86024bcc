"""Namespaces that come to be when clients ask for them, and vanish with the last one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ordercast.engineio import disconnects
from ordercast.socketio import ConnectError, Server, Socket
from tests.fake_clients import FakeClient, settled


@pytest.fixture
async def io() -> AsyncIterator[Server]:
    io = Server()
    yield io
    await io.close(grace=0)


def names(io: Server) -> list[str]:
    return sorted(namespace.name for namespace in io.namespaces)


REFUSED = '{"message":"Invalid namespace"}'


async def test_by_pattern(io: Server) -> None:
    shops = io.of(re.compile(r"/shop-\d+"))
    client = FakeClient(io)
    assert await client.join("/shop-1")
    client.say("0/shop-x,", "0/shop-12x,", "0/a/shop-1,")  # the whole name counts
    assert await client.hear() == [f"4{name},{REFUSED}" for name in ("/shop-x", "/shop-12x", "/a/shop-1")]
    assert names(io) == ["/", "/shop-1"]
    assert list(shops.children) == ["/shop-1"]


async def test_by_function(io: Server) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def matches(name: str, auth: dict[str, Any]) -> bool:
        asked.append((name, auth))
        return auth.get("key") == name

    io.of(matches)
    client = FakeClient(io)
    client.say('0/b,{"key":"/a"}', "0/a,", "0/a b,")
    assert await client.hear() == [f"4{name},{REFUSED}" for name in ("/b", "/a", "/a b")]
    await client.join("/a", '{"key":"/a"}')
    assert asked == [("/b", {"key": "/a"}), ("/a", {}), ("/a", {"key": "/a"})]  # "/a b" can be no namespace
    assert names(io) == ["/", "/a"]


async def test_who_comes_first(io: Server) -> None:
    """A namespace that is there, then the matches as they were added."""
    io.of("/a").on("who", lambda socket: "its own")
    io.of(re.compile("/a|/b")).on("who", lambda socket: "first")
    io.of(lambda name, auth: True).on("who", lambda socket: "second")
    client = FakeClient(io)
    for name in ("/a", "/b", "/c"):
        await client.join(name)
    client.say(*(f'2{name},1["who"]' for name in ("/a", "/b", "/c")))
    assert await client.hear() == ['3/a,1["its own"]', '3/b,1["first"]', '3/c,1["second"]']


async def test_a_function_that_raises_matches_nothing(io: Server, caplog: pytest.LogCaptureFixture) -> None:
    def fail(name: str, auth: dict[str, Any]) -> bool:
        raise RuntimeError("broken")

    io.of(fail)
    io.of(re.compile("/a"))
    client = FakeClient(io)
    await client.join("/a")
    client.say("0/b,")
    assert await client.hear() == [f"4/b,{REFUSED}"]
    assert client.session.why is None
    assert "function failed" in caplog.text


async def test_children_share_middleware_and_listeners(io: Server) -> None:
    shops = io.of(re.compile("/shop-."))
    order: list[str] = []

    @shops.use
    def refuse(socket: Socket) -> None:
        order.append(f"middleware of {socket.namespace.name}")
        if socket.namespace.name == "/shop-3":
            raise ConnectError("closed")

    shops.on("connection", lambda socket: order.append(f"connection to {socket.namespace.name}"))
    client = FakeClient(io)
    await client.join("/shop-1")
    shops.on("who", lambda socket: socket.namespace.name)  # for those that are there, too
    await client.join("/shop-2")
    client.say('2/shop-1,1["who"]', '2/shop-2,2["who"]', "0/shop-3,")
    assert await client.hear() == ['3/shop-1,1["/shop-1"]', '3/shop-2,2["/shop-2"]', '4/shop-3,{"message":"closed"}']
    assert order == [
        "middleware of /shop-1",
        "connection to /shop-1",
        "middleware of /shop-2",
        "connection to /shop-2",
        "middleware of /shop-3",
    ]
    assert names(io) == ["/", "/shop-1", "/shop-2"]


async def test_an_event_to_all_children_and_to_one(io: Server) -> None:
    shops = io.of(re.compile("/shop-."))
    clients = {name: FakeClient(io) for name in ("/shop-1", "/shop-2", "/")}
    for name, client in clients.items():
        await client.join(name)
    shops.children["/shop-1"].to("room").emit("nobody")
    shops.emit("sale", 1)
    shops.children["/shop-1"].emit("here")
    io.of("/shop-2").emit("there")
    heard = {name: await client.hear() for name, client in clients.items()}
    assert heard == {
        "/shop-1": ['2/shop-1,["sale",1]', '2/shop-1,["here"]'],
        "/shop-2": ['2/shop-2,["sale",1]', '2/shop-2,["there"]'],
        "/": [],
    }


async def test_a_child_vanishes_with_its_last_socket(io: Server) -> None:
    shops = io.of(re.compile("/shop-."))
    reasons: list[str] = []
    shops.on("disconnect", lambda socket, why: reasons.append(f"{socket.namespace.name} {why}"))
    first, second = FakeClient(io), FakeClient(io)
    for client in (first, second):
        await client.join("/shop-1")
    child = shops.children["/shop-1"]
    first.say("1/shop-1,")
    assert shops.children == {"/shop-1": child}
    second.session.lost(disconnects.TRANSPORT_CLOSE)
    assert shops.children == {}
    assert names(io) == ["/"]
    assert reasons == ["/shop-1 client namespace disconnect", "/shop-1 transport close"]
    await first.join("/shop-1")
    assert shops.children["/shop-1"] is not child
    first.say('2/shop-1,1["who"]')
    shops.emit("sale")
    assert await first.hear() == ['2/shop-1,["sale"]']


async def test_a_namespace_that_was_asked_for_by_name_stays(io: Server) -> None:
    io.of("/shop-1")
    shops = io.of(re.compile("/shop-."))
    client = FakeClient(io)
    await client.join("/shop-1")
    client.say("1/shop-1,")
    assert names(io) == ["/", "/shop-1"]
    assert shops.children == {}


@pytest.mark.parametrize("end", ["refused", "left", "lost"])
async def test_a_child_vanishes_where_nobody_joins_after_all(io: Server, end: str) -> None:
    shops = io.of(re.compile("/shop-."))
    go_on = asyncio.Event()

    @shops.use
    async def think(socket: Socket) -> None:
        await go_on.wait()
        if end == "refused":
            raise ConnectError("no")

    client = FakeClient(io)
    client.say("0/shop-1,")
    assert list(shops.children) == ["/shop-1"]  # somebody is on the way
    if end == "left":
        client.say("1/shop-1,")
    elif end == "lost":
        client.session.lost(disconnects.TRANSPORT_CLOSE)
    go_on.set()
    await settled(io)
    assert shops.children == {}
    assert names(io) == ["/"]


async def test_a_child_waits_for_who_is_on_the_way(io: Server) -> None:
    shops = io.of(re.compile("/shop-."))
    go_on = asyncio.Event()

    @shops.use
    async def think(socket: Socket) -> None:
        if socket.handshake.auth.get("slow"):
            await go_on.wait()

    quick, slow = FakeClient(io), FakeClient(io)
    slow.say('0/shop-1,{"slow":true}')
    quick.say("0/shop-1,", "1/shop-1,")
    child = shops.children["/shop-1"]
    go_on.set()
    assert [str(text)[:17] for text in await slow.hear()] == ['0/shop-1,{"sid":"']
    assert shops.children == {"/shop-1": child}
    shops.emit("sale")
    assert await slow.hear() == ['2/shop-1,["sale"]']


async def test_a_client_that_asks_for_too_many_leaves_none_behind(io: Server) -> None:
    io.of(re.compile("/shop-.*"))
    client = FakeClient(io)
    client.say(*(f"0/shop-{i}," for i in range(17)))
    assert client.session.why is disconnects.PARSE_ERROR
    assert names(io) == ["/"]


async def test_legacy_clients_ask_too(io: Server) -> None:
    io.of(re.compile("/shop-.")).on("connection", lambda socket: socket.emit("hello", socket.handshake.query["key"]))
    client = FakeClient(io, b"EIO=3&transport=websocket")
    client.say("0/shop-1?key=x")
    assert await client.hear() == ["0", "0/shop-1,", '2/shop-1,["hello","x"]']
    client.say("1/shop-1")
    assert names(io) == ["/"]
