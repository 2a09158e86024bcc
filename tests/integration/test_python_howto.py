"""docs/howto/python.md and examples/worker.py as their readers would run them, and Ctrl-C at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness import ROOT, Api, ServerProcess, token
from tests.manual import blocks

WAIT = 60.0  # s; bounds a failure only
SHOP = token("shop", "service")
WORKER = "import sys; from runpy import run_module; run_module('examples.worker', run_name='__main__')"


class Program:
    """A Python program of the manual's, under which every warning is an error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def says(self, wanted: str) -> list[str]:
        """What it prints up to a line that begins like this."""
        assert self._process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(WAIT):
            while not (lines and lines[-1].startswith(wanted)):
                line = await self._process.stdout.readline()
                assert line, f"it ended, and said {lines} and {await self._wrong()}"
                lines.append(line.decode().rstrip())
        return lines

    async def ends(self, status: int = 0) -> list[str]:
        """What it prints until it has ended like this."""
        async with asyncio.timeout(WAIT):
            assert self._process.stdout is not None
            said = (await self._process.stdout.read()).decode()
            wrong = await self._wrong()
            assert await self._process.wait() == status, wrong
        for word in ("Unclosed", "was destroyed", "never retrieved", "Warning", "a bug"):
            assert word not in wrong
        return said.splitlines()

    async def _wrong(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()


@asynccontextmanager
async def running(text: str, folder: Path, *arguments: str, **variables: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "dev", "-W", "error", "-c", text),
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ORDERCAST_TOKEN": SHOP, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_the_manual_for_python(fresh_server: ServerProcess, tmp_path: Path) -> None:
    script, service, again, watching = (
        block.text.replace("https://shop.example", fresh_server.url)
        for block in blocks("howto/python.md")
        if block.language == "py"
    )
    async with fresh_server.api() as api:
        async with running(script, tmp_path) as it:
            conflict, order = await it.ends()
            assert conflict.startswith("409 ")
            assert order.startswith("17 accepted 20")
        async with running(service, tmp_path) as it:
            assert await it.says("17 2") == ["17 2 order:created accepted"], "with the values of now"
            assert await it.says("17 2") == ["17 2 order:status_changed accepted"]
            await api.patch(17, status="preparing")
            assert await it.says("17 3") == ["17 3 order:status_changed preparing"]
            it.interrupt()
            await it.ends(-signal.SIGINT)
        await api.patch(17, note="knock")
        async with running(service, tmp_path) as it:
            assert await it.says("17 4") == ["17 4 order:changed None"], "it goes on where it was"
        async with running(again, tmp_path, SINCE="another.1") as it:
            await it.says("fetched 1")
            await api.patch(17, note="ring")
            await it.says("heard")
        async with running(watching, tmp_path) as it:
            await it.says("preparing ring")
            await api.patch(17, status="ready")
            await it.ends()


def test_the_manual_names_the_extra_that_there_is() -> None:
    (install,) = (block.text for block in blocks("howto/python.md") if block.language == "sh")
    assert "ordercast[client]" in install
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert any(need.startswith("aiohttp") for need in project["optional-dependencies"]["client"])


async def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    text = """
import sys
sys.modules["aiohttp"] = None
import ordercast
try:
    import ordercast.client
except ModuleNotFoundError as error:
    print(error)
"""
    async with running(text, tmp_path) as it:
        assert await it.ends() == ["ordercast.client needs aiohttp: pip install 'ordercast[client]'"]


async def test_it_brings_nothing_of_the_server_along(tmp_path: Path) -> None:
    text = "import sys, ordercast.client; print(*sorted(m for m in sys.modules if m.startswith('ordercast.')))"
    async with running(text, tmp_path) as it:
        (modules,) = await it.ends()
    assert all(name.startswith(("ordercast.client", "ordercast.version")) for name in modules.split())


def table(path: Path) -> dict[str, Any]:
    database = sqlite3.connect(path)
    try:
        return {id: (status, version) for id, status, version in database.execute("SELECT * FROM orders")}
    finally:
        database.close()


async def test_the_worker_deals_with_each_event_once(fresh_server: ServerProcess, tmp_path: Path) -> None:
    async with fresh_server.api() as api:
        await api.create(customerId=42, orderId=1)
        for version, status in enumerate(("accepted", "preparing", "ready"), 2):
            async with running(WORKER, tmp_path, fresh_server.url, "worker.db") as worker:
                await api.patch(1, status=status)
                said = await worker.says(f"1 {version} {status}")
                assert all(int(line.split()[1]) >= version - 1 for line in said), "nothing from before the last kill"
                worker.kill()
            assert table(tmp_path / "worker.db")["1"][0] == status
        async with running(WORKER, tmp_path, fresh_server.url, "worker.db") as worker:
            await api.create(customerId=43, orderId=2)
            await worker.says("2 1 received")
            await asyncio.to_thread(fresh_server.kill)
            await asyncio.to_thread(fresh_server.start)
            async with fresh_server.api() as other:
                await other.patch(2, status="accepted")
            await worker.says("2 2")
            worker.interrupt()
            assert await worker.ends(130) == []
    assert table(tmp_path / "worker.db") == {"1": ("ready", 4), "2": ("accepted", 2)}


@pytest.mark.parametrize("face", ["asyncio", "script"])
async def test_ctrl_c_ends_it_without_a_word(server: ServerProcess, api: Api, tmp_path: Path, face: str) -> None:
    order = await api.create(customerId=42)
    script = f"""
from ordercast.client import connect
try:
    with connect("{server.url}", "{SHOP}") as client, client.watch_order({order["orderId"]}) as watch:
        for order in watch:
            print(order.status, flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""
    on_a_loop = f"""
import asyncio
from ordercast.client import OrdercastClient
async def main():
    async with OrdercastClient("{server.url}", lambda: "{SHOP}") as client:
        async def tell(connection):
            print(connection.status, flush=True)
        client.on("connection", tell)
        async with asyncio.TaskGroup() as group:
            group.create_task(follow(client))
            async for order in client.watch_order({order["orderId"]}):
                print(order.status, flush=True)
async def follow(client):
    async for event in client.events():
        print(event)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    async with running(script if face == "script" else on_a_loop, tmp_path) as it:
        said = await it.says("received")
        if face == "asyncio" and "live" not in said:
            await it.says("live")
        it.interrupt()
        assert (await it.ends())[-1] == "interrupted"
