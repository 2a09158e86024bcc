"""docs/howto/from-nodejs.md and from-python-socketio.md: the servers before and after, and every row of the tables."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import socketio
from redis.asyncio import Redis

from ordercast.socketio import Server
from ordercast.socketio.emitter import Emitter
from tests.cluster import client, our_node
from tests.harness import ROOT, Listener, ServerProcess, token
from tests.manual import Terminal, blocks
from tests.programs import BIN, WAIT, Programs, listening
from tests.redis_server import RedisServer
from tests.sites import free_port

NODE, PYTHON = "howto/from-nodejs.md", "howto/from-python-socketio.md"


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A Redis of this test's own, at the address that the pages name."""
    folder = tmp_path / "redis"
    folder.mkdir()
    port = free_port()
    with RedisServer(folder, "--port", str(port), "--bind", "127.0.0.1"):
        yield port


@pytest.fixture
async def raw(redis_port: int) -> AsyncIterator[Any]:
    async with Redis(port=redis_port) as connection:
        yield connection


async def listened_to(raw: Any, room: str) -> None:
    """A server of ours hears what others send to a room."""
    async with asyncio.timeout(WAIT):
        while not await raw.pubsub_channels(f"socket.io#/#{room}#"):  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.02)


async def does_its_job(url: str) -> None:
    """What the servers of both pages do for their clients, before as after."""
    refused = Listener()
    said: list[Any] = []
    refused.client.on("connect_error", said.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await refused.connect(url, token(42, secret="another secret that is none of the server's own"))
    assert "Invalid token" in str(said)
    async with listening(url, 42) as mine, listening(url, 43) as other, listening(url, "ana", "operator") as ana:
        assert await mine.watch(17) == {"orderId": 17, "customerId": 42, "status": "received"}
        assert await other.watch(17) == await mine.watch(18) == {"error": "not_found"}
        await ana.watch(17)
        await mine.client.emit("order:status", (17, "stolen"))
        await ana.client.emit("order:status", (17, "ready"))
        ready = {"orderId": 17, "customerId": 42, "status": "ready"}
        assert await mine.until("order:updated", wait=WAIT) == [ready], "once, although in two of the rooms"
        assert await ana.until("order:status_changed", wait=WAIT) == [ready]
        assert await ana.until("order:updated", wait=WAIT) == [ready]
        await ana.client.emit("order:status", (17, "received"))
        await ana.until("order:status_changed", 2, wait=WAIT)
        assert other.heard == []


# -- from Node.js ---------------------------------------------------------------------------------------------


async def test_node_js_and_python_do_the_same_and_are_one_cluster(tmp_path: Path, redis_port: int, raw: Any) -> None:
    node, python = str(free_port()), str(free_port())
    programs = Programs(NODE, tmp_path, _6379=str(redis_port), _3000=node, _8000=python)
    urls = [f"http://127.0.0.1:{port}" for port in (node, python)]
    async with programs.running("node server.js", "listening"), programs.running("python server.py", "running on"):
        for url in urls:
            await does_its_job(url)
        for here, there in (urls, urls[::-1]):
            async with listening(here, "ana", "operator") as ana, listening(there, 42) as mine:
                await listened_to(raw, "operators" if here == urls[1] else "user:42")
                await ana.client.emit("order:status", (17, f"ready {here}"))
                assert [one["status"] for one in await mine.until("order:updated", wait=WAIT)] == [f"ready {here}"]


async def test_ordercast_has_the_orders(tmp_path: Path, redis_port: int) -> None:
    node, ours = str(free_port()), str(free_port())
    programs = Programs(NODE, tmp_path, _6379=str(redis_port), _3000=node, _3001=ours)
    server, follower = (tmp_path / name for name in ("server.js", "follower.js"))
    # Each of its answers is told, so that we know when it follows.
    follower.write_text(
        "const ask = fetch; globalThis.fetch = async (...all) => { const a = await ask(...all);"
        " console.log('followed'); return a; };\n"
        f"import {{ follow }} from './follow.js';\n{server.read_text()}\nfollow(io);\n"
    )
    serve = f"export ORDERCAST_PORT={ours}\n{programs.blocks['terminal 1'][0].text}"
    async with AsyncExitStack() as stack:
        terminal = await stack.enter_async_context(programs.running(serve, "listens on"))
        assert re.search(r"tokens", terminal.said, re.I), "`ordercast check` has spoken"
        await stack.enter_async_context(programs.running("node follower.js", "followed"))
        ana = await stack.enter_async_context(listening(f"http://127.0.0.1:{ours}", "", sub="ana", type="staff"))
        mine = await stack.enter_async_context(listening(f"http://127.0.0.1:{ours}", "", None, sub="42"))
        there = await stack.enter_async_context(listening(f"http://127.0.0.1:{node}", 42, sub="42"))
        cook = await stack.enter_async_context(listening(f"http://127.0.0.1:{node}", "cook", "operator"))
        shop = await stack.enter_async_context(Terminal(tmp_path))
        code = (
            "import { bring, changeStatus, created } from './orders.js'; await created(17, 42);"
            "await changeStatus(17, 'accepted'); await bring({ orderId: 18, customerId: 43, status: 'ready' });"
            "await changeStatus(17, 'received').catch((error) => console.log(error.message))"
        )
        said = await shop.run(f'node --input-type=module -e "{code}"')
        assert "Allowed are" in said, "a refusal in words"
        (accepted,) = await mine.until("order:updated", wait=WAIT)
        assert (accepted["orderId"], accepted["status"], accepted["version"]) == (17, "accepted", 2)
        assert await there.until("order:updated", wait=WAIT) == [accepted], "on Node.js, the same"
        changes = await ana.until("order:status_changed", 2, wait=WAIT)
        assert [(one["orderId"], one["status"], one["updatedBy"]) for one in changes] == [
            (17, "accepted", "kitchen"),
            (18, "ready", "shop"),
        ]
        assert await cook.until("order:status_changed", 2, wait=WAIT) == changes
        assert len(there.of("order:updated")) == 1


async def test_events_of_its_own_from_node_js(tmp_path: Path, redis_port: int, raw: Any, postgres_url: str) -> None:
    Programs(NODE, tmp_path, _6379=str(redis_port))
    redis_url = f"redis://127.0.0.1:{redis_port}"
    with ServerProcess(tmp_path, database_url=postgres_url, redis_url=redis_url) as server:
        async with server.listener(42) as mine, Terminal(tmp_path) as terminal:
            rung = asyncio.get_running_loop().create_future()
            mine.client.on("kitchen:bell", rung.set_result)
            await listened_to(raw, "user:42")
            await terminal.run("node bell.js")
            async with asyncio.timeout(WAIT):
                assert await rung == {"orderId": 17}


# -- from python-socketio -------------------------------------------------------------------------------------


async def test_python_socketio_and_ours_do_the_same(tmp_path: Path, redis_port: int, raw: Any) -> None:
    before, after = str(free_port()), str(free_port())
    programs = Programs(PYTHON, tmp_path, _6379=str(redis_port), _8000=after)
    urls = [f"http://127.0.0.1:{port}" for port in (before, after)]
    async with (
        programs.running(f"uvicorn before:app --port {before}", "running on"),
        programs.running("python after.py", "running on"),
        Terminal(tmp_path) as terminal,
    ):
        for url in urls:
            await does_its_job(url)
        async with listening(urls[0], 42) as old, listening(urls[1], 42) as new:
            ticks = [asyncio.Event() for _ in urls]
            for listener, tick in zip((old, new), ticks, strict=True):
                listener.client.on("open", lambda count, tick=tick: tick.set())
            async with asyncio.timeout(WAIT):
                for tick in ticks:
                    await tick.wait()
            await listened_to(raw, "user:42")
            order = {"orderId": 17, "status": "burnt"}
            code = f"import asyncio, both; asyncio.run(both.emit('order:updated', {order}, 'user:42'))"
            await terminal.run(f'{BIN}/python -c "{code}"')
            for listener in (old, new):
                assert await listener.until("order:updated", wait=WAIT) == [order]


# -- the tables -----------------------------------------------------------------------------------------------


def rows(page: str) -> list[list[str]]:
    """What the middle column of a page's table has, a list of code to a row."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    head = next(number for number, line in enumerate(lines) if "| here |" in line)
    table = [line for line in lines[head + 2 :] if line.startswith("|")]
    return [re.findall(r"`([^`]+)`", re.split(r"(?<!\\) \| ", line)[1]) for line in table]


@pytest.mark.parametrize(("page", "news"), [(NODE, 2), (PYTHON, 5)])
async def test_every_row_of_the_table(page: str, news: int, redis: RedisServer, prefix: str) -> None:
    found = rows(page)
    assert len(found) >= 20
    assert all(found)
    emitters: list[Emitter] = []

    def emitter(url: str) -> Emitter:
        emitters.append(Emitter(url, prefix=prefix))
        return emitters[-1]

    async with our_node(redis, prefix) as node, client(node, "a", answer=lambda *args: 7) as one:
        socket = node.io.sockets[one.id]
        names = {"io": node.io, "socket": socket, "Server": Server, "Emitter": emitter, "asyncio": asyncio}
        names |= {"connected": lambda socket: None, "authenticate": lambda socket: None, "data": {"menu": 1}}
        results: dict[str, Any] = {}
        for code in [code for row in found for code in row]:
            ours = code.replace("redis://127.0.0.1:6379", redis.url)
            compiled = compile(ours, code, "eval" if _is_expression(ours) else "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            done = eval(compiled, names)
            results[code] = await done if inspect.iscoroutine(done) else done
            if "join" in code:
                await node.settled()
        for each in emitters:
            each.close()
        heard = [event for event, *_ in _all(one.heard)]
    assert heard.count("news") == news
    assert results['await socket.emit_with_ack("ready?", timeout=5)'] == 7


def _is_expression(code: str) -> bool:
    return isinstance(ast.parse(code).body[0], ast.Expr)


def _all(queue: asyncio.Queue[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


def test_no_block_is_left_out() -> None:
    assert {block.place for page in (NODE, PYTHON) for block in blocks(page)} == {
        *("server.js", "terminal 1", "orders.js", "follow.js", "bell.js", "server.py"),
        *("before.py", "after.py", "both.py"),
    }
