"""docs/howto/webhooks.md, as its reader would run it; and the commands it names."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ordercast.webhooks.models import new_secret
from tests.harness import CLIENTS, ROOT, Api, ServerProcess, token
from tests.integration.test_commands import ordercast
from tests.receiver import WAIT

TEXT = (ROOT / "docs" / "howto" / "webhooks.md").read_text("utf-8")
ALLOW = {"webhook_allow_private": "127.0.0.0/8"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@asynccontextmanager
async def running(*command: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process, killed at the end."""
    environment = {"PATH": os.environ["PATH"], **variables}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=CLIENTS, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("language", ["js", "python"])
async def test_the_manuals_receivers(tmp_path: Path, language: str) -> None:
    node = ["node", "--input-type=module", "-e", blocks("js")[0]]
    command = node if language == "js" else [sys.executable, "-c", blocks("python")[0]]
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with ServerProcess(tmp_path, **{**ALLOW, "webhook_retries": "0.2 " * 100}) as server:  # type: ignore[arg-type]
        settings = {"database_url": f"sqlite:///{tmp_path}/orders.db", **ALLOW}
        made = json.loads(ordercast(tmp_path, "webhook", "add", url, "--json", **settings).stdout)
        async with (
            running(*command, PORT=str(port), WEBHOOK_SECRET=made["secret"]) as receiver,
            server.api() as api,
            asyncio.timeout(WAIT),
        ):
            assert receiver.stdout is not None
            while not (said := json.loads(ordercast(tmp_path, "webhook", "test", made["id"], **settings).stdout))[
                "delivered"
            ]:
                assert "cannot be reached" in said["reason"]
            assert said["status"] == 204
            assert (await receiver.stdout.readline()).startswith(b"webhook.test")
            await api.create(orderId=17)
            assert await receiver.stdout.readline() == b"order.created 17 received\n"
            await api.patch(17, status="accepted")
            assert await receiver.stdout.readline() == b"order.status_changed 17 accepted\n"
            assert (await api.get(f"/api/webhooks/{made['id']}"))["dead"] == 0
            forged = await asyncio.create_subprocess_exec(
                *("curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-d", "{}", url), stdout=asyncio.subprocess.PIPE
            )
            assert (await forged.communicate())[0] == b"401"


async def test_the_manuals_commands(server: ServerProcess, api: Api) -> None:
    command, over_rest = blocks("sh")[:2]
    receiver = "https://93.184.216.34/hook"
    environment = {**server.environment, "RECEIVER": receiver, "SERVICE": token("shop", "service")}
    over_rest = over_rest.replace("http://127.0.0.1:3001", server.url)
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", over_rest, env=environment, stdout=asyncio.subprocess.PIPE
    )
    made = json.loads((await process.communicate())[0])
    assert (made["url"], made["shops"]) == (receiver, ["north"])
    add, listing, _ = command.splitlines()
    script = f'ordercast() {{ "{sys.executable}" -m ordercast "$@"; }}\n{add}\n{listing}'
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", script, env=environment, stdout=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0
    assert "secret  whsec_" in said
    webhooks = (await api.get("/api/webhooks"))["webhooks"]
    assert [one["events"] for one in webhooks][1] == ["order.created", "order.status_changed"]
    assert all(one["id"] in said for one in webhooks)


async def test_the_manuals_source(tmp_path: Path) -> None:
    secret = new_secret().value
    script = [sys.executable, "-c", blocks("python")[1]]
    made = ordercast_python(blocks("sh")[3])
    assert made.startswith("whsec_")
    with ServerProcess(tmp_path, hooks=f"till={secret},oven={made}") as server:
        async with server.api() as api, asyncio.timeout(WAIT):
            await api.create(orderId=17)
            for said in (b'{"replayed":false}\n', b'{"replayed":true}\n'):
                async with running(*script, "msg_1", ORDERCAST=server.url, TILL_SECRET=secret) as process:
                    assert (await process.communicate())[0] == said
            order = await api.get("/api/orders/17")
            assert (order["status"], order["version"]) == ("ready", 2)
        assert secret not in server.log


def ordercast_python(command: str) -> str:
    """What the manual's one-line program prints."""
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout.strip()


def test_the_commands_to_their_end(tmp_path: Path) -> None:
    url = {"database_url": f"sqlite:///{tmp_path}/orders.db"}

    def run(*arguments: str, **settings: str) -> tuple[int, str]:
        done = ordercast(tmp_path, *arguments, **url, **settings)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    assert run("webhook", "list") == (0, "There is none. Add one with 'ordercast webhook add https://host/path'.\n")
    code, said = run("webhook", "add", "http://127.0.0.1:9/")
    assert (code, "ordercast: url: its address 127.0.0.1 is not a public one" in said) == (1, True)
    code, said = run("webhook", "add", "http://93.184.216.34/")
    assert (code, "must begin with https://" in said) == (1, True)
    code, said = run("webhook", "add", "https://93.184.216.34/", "--event", "order.eaten")
    assert (code, "'order.eaten' is none of order.created" in said) == (1, True)
    _, said = run("webhook", "add", "https://127.0.0.1:9/", "--shop", "7", "--json", **ALLOW)
    made = json.loads(said)
    id = made["id"]
    code, said = run("webhook", "rotate", id, "--json")
    assert json.loads(said)["secret"] not in ("", made["secret"])
    assert json.loads(run("webhook", "show", id)[1])["shops"] == [7]
    code, said = run("webhook", "test", id, **ALLOW)
    assert (code, "cannot be reached" in said) == (1, True)
    code, said = run("webhook", "test", id)
    assert (code, "not a public one" in said) == (1, True)
    assert run("webhook", "disable", id)[0] == 0
    code, said = run("check", jwt_secret="x" * 40)
    assert f"Webhook {id} to https://127.0.0.1:9/ is disabled." in said
    assert "webhooks  1, not all of them well" in said
    assert run("webhook", "enable", id)[0] == 0
    assert f"Webhook {id}" not in run("check", jwt_secret="x" * 40)[1]
    assert run("webhook", "dead", id) == (0, "")
    assert run("webhook", "resend", id)[0] == 2
    assert run("webhook", "resend", id, "--all") == (0, "0 messages are tried again by the server.\n")
    assert run("webhook", "remove", id)[0] == 0
    code, said = run("webhook", "show", id)
    assert (code, "There is no such webhook" in said) == (1, True)
