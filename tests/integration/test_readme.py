"""README.md, "Use it", as its reader would run it; and its lines for an application of one's own."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from ordercast import Ordercast, Settings
from tests.harness import ROOT, SECRET
from tests.manual import Terminal
from tests.programs import BIN
from tests.sites import free_port

BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)


def block(begins: str) -> str:
    """The block that begins so."""
    (text,) = (text for _, text in BLOCKS if text.startswith(begins))
    return str(text)


async def test_use_it(tmp_path: Path) -> None:
    port = str(free_port())
    secret, serve, sign = block("export ORDERCAST_JWT_SECRET").splitlines()
    serve = serve.replace("3001", port)
    async with Terminal(tmp_path) as one, Terminal(tmp_path) as two:
        for terminal in (one, two):
            await terminal.run(f"export PATH={BIN}:$PATH ORDERCAST_PORT={port}")
            # The token is signed where the secret is: both terminals have it.
            await terminal.run(f'test -e secret || {{ {secret}; echo "$ORDERCAST_JWT_SECRET" > secret; }}')
            await terminal.run("export ORDERCAST_JWT_SECRET=$(cat secret)")
        await one.leave_running(serve, "listens on")
        assert (tmp_path / "ordercast.db").exists()
        await two.run(f"SERVICE=$({sign.partition('#')[0].strip()})")
        said = await two.run(block("curl -H").replace("3001", port).replace("curl ", "curl -sSf -w '\\n' "))
        created, changed = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
        assert (created["orderId"], created["customerId"], created["status"]) == (17, 42, "received")
        assert (changed["orderId"], changed["status"], changed["version"]) == (17, "accepted", 2)
        await one.interrupt()


async def test_within_an_application(tmp_path: Path) -> None:
    """Its lines, in a program that has what they take for granted: FastAPI, and an order that is to be ready."""
    lines = block("live = Ordercast").replace("\n", "\n    ")
    program = f"""
import asyncio
from fastapi import FastAPI
from ordercast import Ordercast, Settings
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService

SECRET = {SECRET!r}
app = FastAPI()
begin = Ordercast.__aenter__

async def with_an_order(self):
    entered = await begin(self)
    await self.orders.put(
        NewOrder(customer_id="42", order_id="17"), Principal("shop", Role.SERVICE), status="preparing"
    )
    return entered

Ordercast.__aenter__ = with_an_order

async def main():
    {lines}
    print(app.routes[-1].path)

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    assert said.splitlines()[-1] == "/live"
    settings = Settings(jwt_secret=(SECRET,), database_url=f"sqlite:///{tmp_path}/ordercast.db")
    async with Ordercast(settings) as live:
        order = await live.orders.change_status(17, "ready", updated_by="kitchen")
    assert (order.status, order.version) == ("ready", 2), "it was ready already: by those lines"
