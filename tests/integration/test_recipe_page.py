"""docs/recipe.md, part by part: the recipe's server, and what is there of ours beside it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.harness import ROOT, Api, Listener, ServerProcess, token
from tests.manual import blocks
from tests.nginx import Nginx
from tests.programs import BIN, WAIT, Programs, listening, listening_with
from tests.python_socketio import PythonSocketIO
from tests.redis_server import RedisServer
from tests.sites import free_port

PAGE = "recipe.md"
OURS = ROOT / "web" / "node_modules"
LISTENS = "listens on"


@pytest.fixture
def port() -> str:
    return str(free_port())


async def test_the_recipes_own_server(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, port: str) -> None:
    redis_port = free_port()
    with RedisServer(tmp_path_factory.mktemp("redis"), "--port", str(redis_port), "--bind", "127.0.0.1"):
        programs = Programs(PAGE, tmp_path, _6379=str(redis_port), _3000=port, _30_000="100")
        with (tmp_path / "server.js").open("a") as file:
            file.write(
                'io.on("connection", (socket) => socket.on("go", () => changeStatus(17, "ready", "kitchen")));\n'
            )
            file.write('console.log("whole");\n')
        async with programs.running("node server.js", "whole") as terminal:
            url = f"http://127.0.0.1:{port}"
            with pytest.raises(socketio.exceptions.ConnectionError):
                await Listener().connect(url, token(42, secret="another secret that is none of the server's own"))
            async with listening(url, 42) as old, listening(url, "ana", "operator") as ana:
                await terminal.leave_running("", r"Connections: 2 \| Operators online: 1")
                await old.client.emit("watch:order", 17)
                await old.client.emit("go")
                assert await old.until("order:updated", wait=WAIT) == [{"orderId": 17, "status": "ready"}]
                (changed,) = await ana.until("order:status_changed", wait=WAIT)
                assert changed == {"orderId": 17, "status": "ready", "customerId": 42, "updatedBy": "kitchen"}
                async with listening(url, 42):
                    assert await old.until("force_disconnect", wait=WAIT) == [{"reason": "new_login"}]


async def test_from_the_server_to_monitoring(tmp_path: Path, port: str) -> None:
    programs = Programs(PAGE, tmp_path, _3001=port)
    serve, _, limit = programs.blocks["terminal 1"]
    api, monitoring = programs.blocks["terminal 2"]
    url = f"http://127.0.0.1:{port}"
    settings = {"ORDERCAST_PORT": port, "ORDERCAST_MONITOR_INTERVAL": "0.1"}
    async with programs.running(serve.text, LISTENS, **settings) as one, programs.terminal() as two:
        said = await two.run(api.text)
        assert re.findall(r'"status":"(\w+)"', said) == ["received", "accepted"]
        async with programs.running(
            "node watch.js", "(?s)17 accepted.*18 not_found|18 not_found.*17 accepted"
        ) as three:
            said = await two.run(monitoring.text)
            assert "ordercast_connections 1.0" in said
            assert '"operatorsOnline":0' in said
            assert '{"status":"ready"}' in said
            await one.leave_running("", r"Connections: 1 \| Operators online: 0")
            await three.interrupt()
        await one.interrupt()

        await one.leave_running(limit.text, LISTENS)
        mine = (tmp_path / "customer.token").read_text().strip()
        async with listening_with(url, mine) as old:
            await asyncio.sleep(6)  # older than the 5 s in which nobody evicts it
            async with listening_with(url, mine) as new:
                assert await old.until("force_disconnect", wait=WAIT) == [{"reason": "new_login"}]
                await two.run('api PATCH /17 \'{"status": "preparing"}\'')
                assert [one["status"] for one in await new.until("order:updated", wait=WAIT)] == ["preparing"]
                assert old.of("order:updated") == []


async def test_a_backend_signs(server: ServerProcess, tmp_path: Path) -> None:
    programs = Programs(PAGE, tmp_path)
    async with programs.terminal() as terminal:
        signed = await terminal.run(f'{BIN}/python -c "import tokens; print(tokens.token(42))"')
    async with listening_with(server.url, signed.strip()) as mine:
        assert await mine.watch("nothing-such") == {"orderId": "nothing-such", "error": "not_found"}


async def test_within_an_application(tmp_path: Path, port: str) -> None:
    programs = Programs(PAGE, tmp_path)
    url = f"http://127.0.0.1:{port}"
    told: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
    async with programs.running(f"uvicorn shop:app --port {port}", "running on"), programs.terminal() as terminal:
        create = f'curl -sSf -H "Authorization: Bearer {token("shop", "service")}" -H "Content-Type: application/json"'
        await terminal.run(f'{create} -d \'{{"customerId": 42, "orderId": 17}}\' {url}/live/api/orders')
        customer = PythonSocketIO()
        customer.on("*", lambda event, data: told.put_nowait((event, data)))
        await customer.connect(url, auth={"token": token(42)}, socketio_path="/live/socket.io/", wait_timeout=WAIT)
        try:
            assert (await terminal.run(f"curl -sSf -X POST {url}/kitchen/17/accepted")).strip() == "2"
            async with asyncio.timeout(WAIT):
                heard = dict([await told.get() for _ in range(3)])
        finally:
            await customer.disconnect()
    assert heard["order:updated"]["status"] == "accepted"
    assert heard["kitchen:bell"] == {"orderId": 17}


@pytest.fixture
async def seventeen(fresh_server: ServerProcess) -> AsyncIterator[Api]:
    """A server with the order of the page."""
    async with fresh_server.api() as api:
        await api.create(customerId=42, orderId=17)
        yield api


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "const { showOrder } = await import('./client.js');"
            "showOrder(token, 17, (order) => console.log('drawn', order.status, order.version))",
            "drawn",
        ),
        (
            "const { start } = await import('./redux.js');"
            "const dispatch = ({ type, payload }) => console.log(type, payload?.status, payload?.version);"
            "start(token, { dispatch }).watchOrder(17)",
            "ORDER_STATUS_UPDATED",
        ),
    ],
    ids=["client", "redux"],
)
async def test_our_clients(fresh_server: ServerProcess, seventeen: Api, tmp_path: Path, code: str, says: str) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    programs = Programs(PAGE, folder, OURS, _3001=str(fresh_server.port))
    (folder / "try.js").write_text(f"const token = '{token(42)}'; {code}")
    connected = "SOCKET_CONNECTED" if says.isupper() else "drawn received 1"
    async with programs.running("node try.js", connected) as terminal:
        await seventeen.patch(17, status="accepted")
        await terminal.says(f"{says} accepted 2")


async def test_several_processes(tmp_path: Path, redis: RedisServer, postgres_url: str, port: str) -> None:
    programs = Programs(PAGE, tmp_path)
    text = programs.blocks["terminal 1"][1].text
    for old, new in (
        ("postgresql://shop:password@127.0.0.1:5432/ordercast", postgres_url),
        ("redis://127.0.0.1:6379", redis.url),
    ):
        assert old in text
        text = text.replace(old, f"'{new}'")
    url = f"http://127.0.0.1:{port}"
    async with programs.running(text, LISTENS, ORDERCAST_PORT=port), programs.terminal() as terminal:
        headers = f'-H "Authorization: Bearer {token("shop", "service")}" -H "Content-Type: application/json"'
        await terminal.run(f'curl -sSf {headers} -d \'{{"customerId": 42, "orderId": 17}}\' {url}/api/orders')
        async with listening(url, 42) as mine, listening(url, 42) as too, listening(url, "ana", "operator") as ana:
            await terminal.run(f'curl -sSf -X PATCH {headers} -d \'{{"status": "accepted"}}\' {url}/api/orders/17')
            for listener in (mine, too):
                assert [one["status"] for one in await listener.until("order:updated", wait=WAIT)] == ["accepted"]
            assert len(await ana.until("order:status_changed", wait=WAIT)) == 1


class OfThePage(Nginx):
    """With the page's configuration."""

    def _configuration(self) -> str:
        (block,) = (block for block in blocks(PAGE, _3001=str(self.nodes[0])) if block.language == "nginx")
        return block.text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_behind_nginx(server: ServerProcess, api: Api, tmp_path: Path, transport: str) -> None:
    with OfThePage(tmp_path, [server.port]) as nginx:
        order = (await api.create(customerId=42))["orderId"]
        listener = Listener()
        await listener.connect(nginx.url, token(42), [transport])
        assert listener.client.transport() == transport
        await api.patch(order, status="accepted")
        assert [one["status"] for one in await listener.until("order:updated", wait=WAIT)] == ["accepted"]
        await listener.close()


def test_what_is_quoted_is_there() -> None:
    quoted = [block for block in blocks(PAGE) if "/" in block.place and block.language != "nginx"]
    assert len(quoted) == 4
    for block in quoted:
        assert block.text.split("\n", 1)[1] in (ROOT / block.place).read_text(), block.place


def test_no_block_is_left_out() -> None:
    places = {block.place for block in blocks(PAGE) if "/" not in block.place}
    assert places == {
        *("server.js", "terminal 1", "terminal 2", "tokens.py", "watch.js", "shop.py", "client.js", "redux.js"),
    }
