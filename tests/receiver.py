"""A receiver of webhooks for tests: ``webhook_receiver.mjs`` as a process, which may be killed and come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import httpx2
from standardwebhooks import Webhook

from tests.harness import CLIENTS, Json

WAIT = 60.0  # s that only bound a failure


@dataclass(frozen=True)
class Request:
    """What came: ``status`` is what was answered."""

    url: str
    headers: dict[str, str]
    body: str
    verified: bool | str
    status: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    @property
    def data(self) -> Json:
        found: Json = self.message["data"]
        return found


class Receiver:
    """Takes what comes, until told otherwise (`answer`)."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._secret = ""

    async def start(self) -> Self:
        """On the port it had before, if any."""
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(CLIENTS / "webhook_receiver.mjs"),
            str(self.port),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=CLIENTS,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT):
            self.port = json.loads(await self._process.stdout.readline())["port"]
        self._reading = asyncio.create_task(self._read())
        await self.learn(self._secret)
        return self

    async def kill(self) -> None:
        """It is down."""
        assert self._process is not None
        assert self._reading is not None
        self._process.kill()
        await self._process.wait()
        await self._reading

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            await self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/orders"

    async def learn(self, secret: str) -> None:
        """What it verifies with from now on."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._secret = secret
        self._process.stdin.write(secret.encode() + b"\n")
        await self._process.stdin.drain()

    async def answer(self, **mode: Any) -> None:
        """How it answers from now on: ``status``, ``wait`` (ms), ``headers``; ``only`` for this order."""
        async with httpx2.AsyncClient() as client:
            await client.post(f"http://127.0.0.1:{self.port}/mode", json={"status": 204, **mode})

    async def until(self, done: Callable[[], bool]) -> None:
        """Waits until what came is so."""
        async with asyncio.timeout(WAIT):
            while not done():
                self._news.clear()
                await self._news.wait()

    def taken(self, order_id: object = None) -> list[Json]:
        """What arrived and was taken, each once, as it first came."""
        found = {one.id: one.message for one in self.requests if one.status < 300}
        return [one for one in found.values() if order_id is None or one["data"].get("orderId") == order_id]

    def verify(self, secret: str) -> None:
        """All that came is signed, as both libraries have it."""
        assert {one.verified for one in self.requests} == {True}
        for one in self.requests:
            Webhook(secret).verify(one.body, one.headers)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.requests.append(Request(**json.loads(line)))
            self._news.set()
