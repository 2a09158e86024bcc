"""`POST /api/emit` over real sockets: whom it reaches, on one node and on two, and docs/howto/own-events.md."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.harness import Api, Listener, ServerProcess, api_at, token
from tests.inside import listening, several
from tests.integration.test_recovery import node_client
from tests.manual import Terminal, blocks
from tests.redis_server import RedisServer

NEWS = "shop:news"


def keep(listener: Listener) -> Listener:
    listener.client.on(NEWS, listener._keeper(NEWS))
    return listener


async def emit(api: Api, *rooms: str, data: Any = None, event: str = NEWS) -> None:
    answer = await api.send("POST", "/api/emit", json={"rooms": rooms, "event": event, "data": data})
    assert answer.status_code == 204, answer.text


async def test_whom_it_reaches(server: ServerProcess, api: Api) -> None:
    await api.create(customerId=42, orderId="e-1", shopId="north")
    link = await api.share("e-1")
    async with AsyncExitStack() as stack:
        people = {
            name: keep(await stack.enter_async_context(server.listener(user, role, **claims)))
            for name, user, role, claims in (
                ("customer", 42, "customer", {}),
                ("other", 43, "customer", {}),
                ("operator", 7, "operator", {}),
                ("north", 8, "operator", {"shops": ["north"]}),
            )
        }
        guest = people["guest"] = keep(Listener())
        stack.push_async_callback(guest.close)
        await guest.connect(server.url, link.rpartition("/")[2])
        await people["operator"].watch("e-1")
        sent = [
            ("user:42",),
            ("order:e-1",),
            ("operators",),
            ("operators:north",),
            ("order:e-1", "operators", "user:42"),
        ]
        for number, rooms in enumerate(sent):
            await emit(api, *rooms, data=number)
        for listener in people.values():
            await listener.settle()
        heard = {name: listener.of(NEWS) for name, listener in people.items()}
    assert heard == {"customer": [0, 4], "other": [], "operator": [1, 2, 4], "north": [3], "guest": []}


async def test_a_text_is_no_cursor(server: ServerProcess, api: Api) -> None:
    """The official client keeps the last text it heard as where it stands: that is a cursor of ours all the same."""
    id = (await api.create(customerId=42))["orderId"]
    async with node_client(server.url) as client:
        await emit(api, "user:42", data="no cursor")
        await client.until("customer", NEWS)
        await client.settle("customer")
        client.tell("hide customer")
        await client.until("customer", "disconnect")
        await api.patch(id, status="accepted")
        client.tell("back customer")
        assert (await client.until("customer", "connect", 2))["recovered"] is True
        await client.until("customer", "caught_up")
        assert client.versions("customer", "order:updated") == [(id, 2)]
        assert client.of("customer", "resync") == []


async def test_on_the_other_node(postgres_url: str, tmp_path: Path) -> None:
    with RedisServer(tmp_path) as redis:
        async with (
            several(2, postgres_url, redis_url=redis.url) as ((_, a_url), (b, b_url)),
            listening(a_url, 42, "customer") as here,
            listening(b_url, 42, "customer") as there,
            api_at(a_url) as api,
        ):
            assert b.cluster is not None
            await b.cluster.settled()
            keep(here)
            keep(there)
            data = {"bell": [1, None, "ü🍕"]}
            await emit(api, "user:42", "operators", data=data)
            assert await here.until(NEWS, wait=60) == [data]
            assert await there.until(NEWS, wait=60) == [data]


async def test_the_manual_on_own_events(server: ServerProcess, api: Api) -> None:
    (shell,) = [
        block.text
        for block in blocks("howto/own-events.md", **{"_http://127.0.0.1:3001": server.url})
        if block.language == "sh"
    ]
    async with server.listener(42) as customer, Terminal(server.folder) as terminal:
        customer.client.on("courier:near", customer._keeper("courier:near"))
        await terminal.run(f"export SERVICE={token('shop', 'service')}")
        assert "204" in await terminal.run(shell)
        assert await customer.until("courier:near", wait=60) == [{"orderId": 17, "minutes": 5}]
