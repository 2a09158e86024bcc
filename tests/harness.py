"""Runs `ordercast serve` as a process and talks to it as its users do."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import httpx2
import jwt

from ordercast.config import Settings
from ordercast.storage.database import migrate
from tests.prepared import Forked, prepared
from tests.python_socketio import PythonSocketIO

SECRET = "a-secret-of-the-tests-that-is-long-enough-1234567890"
ROOT = Path(__file__).parent.parent
CLIENTS = ROOT / "tests" / "clients"
SERVE = ("ordercast", "serve")
START_TIMEOUT = 60.0  # s; generous, since machines that run tests are busy ones

Json = dict[str, Any]


def token(
    user: object, role: str | None = "customer", *, lifetime: float = 3600, secret: str = SECRET, **claims: Any
) -> str:
    """A signed token; ``claims`` are added or, with ``None``, left out."""
    now = time.time()
    body = {"userId": user, "role": role, "iat": int(now), "exp": now + lifetime, **claims}
    return jwt.encode({k: v for k, v in body.items() if v is not None}, secret, algorithm="HS256")


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and not ended."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Api:
    """REST as one caller. `send` gives the whole response; the others insist on success."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def send(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        """One request, whatever comes of it."""
        return await self.client.request(method, path, **kwargs)

    async def create(self, **order: Any) -> Json:
        """A new order."""
        return self._ok(await self.send("POST", "/api/orders", json={"customerId": 42, **order}), 201)

    async def patch(self, order_id: object, **change: Any) -> Json:
        """A changed order."""
        return self._ok(await self.send("PATCH", f"/api/orders/{order_id}", json=change))

    async def get(self, path: str, **kwargs: Any) -> Json:
        """Anything that is read."""
        return self._ok(await self.send("GET", path, **kwargs))

    async def share(self, order_id: object) -> str:
        """A share link of an order."""
        url: str = self._ok(await self.send("POST", f"/api/orders/{order_id}/share"))["url"]
        return url

    def _ok(self, response: httpx2.Response, status: int = 200) -> Json:
        assert response.status_code == status, response.text
        answer: Json = response.json()
        return answer


KEPT = httpx2.Limits(keepalive_expiry=2)
"""uvicorn ends what idles for 5 s, at which moment a client must not begin to use it again."""


@asynccontextmanager
async def api_at(url: str, role: str | None = "service", user: object = "shop", **claims: Any) -> AsyncIterator[Api]:
    """REST at an address, as a user of this role."""
    headers = {"Authorization": f"Bearer {token(user, role, **claims)}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=60, limits=KEPT) as client:
        yield Api(client)


@cache
def migrated() -> bytes:
    """A database file at the current schema, with nothing in it. Each server could make its own, a second later."""
    with TemporaryDirectory() as folder:
        migrate(Settings(database_url=f"sqlite:///{folder}/orders.db"))
        return (Path(folder) / "orders.db").read_bytes()


class ServerProcess:
    """``ordercast serve`` on a free port, or another ``command`` of ours that serves. Leaves no process behind,
    however the test ends."""

    def __init__(
        self, folder: Path, port: int = 0, command: Sequence[str] = SERVE, pythonpath: str = "", **settings: str
    ) -> None:
        self.folder = folder
        self.port = port
        self.command = command
        self.pythonpath = pythonpath
        self.settings = settings
        self.log_path = folder / "server.log"
        self._process: Forked | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the surroundings but what programs need to run."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "PYTHONPATH": self.pythonpath,
            "ORDERCAST_JWT_SECRET": SECRET,
            "ORDERCAST_PORT": str(self.port),
            "ORDERCAST_DATABASE_URL": f"sqlite:///{self.folder}/orders.db",
            **{f"ORDERCAST_{name.upper()}": value for name, value in self.settings.items()},
        }

    def start(self) -> Self:
        """Starts it and waits until it listens."""
        file = self.folder / "orders.db"
        if "database_url" not in self.settings and not file.exists():
            file.write_bytes(migrated())
        with self.log_path.open("a") as log:
            mark = log.tell()
            command = [*self.command, *self._port()]
            self._process = prepared().start(command, self.environment, self.folder, log.fileno())
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            said = self.log_path.read_text()[mark:]
            if match := re.search(r"(?:listens|[Rr]unning) on http://[^:]+:(\d+)", said):
                self.port = int(match[1])
                return self
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended with {self._process.returncode}:\n{said}")
            time.sleep(0.02)
        raise TimeoutError(f"the server did not start:\n{self.log_path.read_text()}")

    def _port(self) -> tuple[str, ...]:
        if len(self.command) == 1:  # a program of the tests' own, without options
            return ()
        if self.command[0] == "hypercorn":
            return ("--bind", f"127.0.0.1:{self.port}")
        return ("--port", str(self.port))

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        """As an operator would; returns the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self.ended()

    def ended(self) -> int:
        """The exit status of one that has been told to stop."""
        assert self._process is not None
        try:
            return self._process.wait(START_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All it has said."""
        return self.log_path.read_text()

    @asynccontextmanager
    async def api(self, role: str | None = "service", user: object = "shop", **claims: Any) -> AsyncIterator[Api]:
        """REST as a user of this role."""
        async with api_at(self.url, role, user, **claims) as api:
            yield api

    @asynccontextmanager
    async def listener(self, user: object, role: str | None = "customer", **claims: Any) -> AsyncIterator[Listener]:
        """A connected Socket.IO client that keeps what it hears."""
        listener = Listener()
        await listener.connect(self.url, token(user, role, **claims))
        try:
            yield listener
        finally:
            await listener.close()


EVENTS = (
    "order:created",
    "order:updated",
    "order:status_changed",
    "order:changed",
    "watching",
    "watch:denied",
    "token:expiring",
    "force_disconnect",
    "board:changed",
)


class Listener:
    """A `python-socketio` client, an implementation not ours, that keeps every event it hears."""

    def __init__(self, **options: Any) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = PythonSocketIO(**options)
        self._news = asyncio.Event()
        for event in EVENTS:
            self.client.on(event, self._keeper(event))

    def _keeper(self, event: str) -> Any:
        def keep(*data: Any) -> None:
            self.heard.append((event, data[0] if len(data) == 1 else data))
            self._news.set()

        return keep

    async def connect(self, url: str, token: str, transports: Iterable[str] = ("websocket",)) -> None:
        """Connects, or raises `socketio.exceptions.ConnectionError`."""
        await self.client.connect(url, auth={"token": token}, transports=list(transports), wait_timeout=60)

    async def close(self) -> None:
        """Disconnects."""
        await self.client.disconnect()

    async def watch(self, order_id: object) -> Any:
        """Asks to watch an order and returns the acknowledgement."""
        return await self.client.call("watch:order", order_id, timeout=60)

    def of(self, event: str) -> list[Any]:
        """What came with this event so far."""
        return [data for name, data in self.heard if name == event]

    async def until(self, event: str, count: int = 1, wait: float = 60) -> list[Any]:
        """Waits for so many of an event. The time only bounds a failure."""
        async with asyncio.timeout(wait):
            while len(self.of(event)) < count:
                self._news.clear()
                await self._news.wait()
        return self.of(event)

    async def settle(self) -> None:
        """Everything sent to this client before now has arrived: an answer on the same connection says so."""
        before = len(self.of("watch:denied"))
        await self.client.emit("watch:order", None)
        await self.until("watch:denied", before + 1)
        self.heard.remove(("watch:denied", {"orderId": None, "error": "invalid_order_id"}))


async def run_node(script: str, *arguments: str, wait: float = 60) -> list[Json]:
    """Runs a script of ``tests/clients`` and returns what it printed, one JSON object a line."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / script),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), wait)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode == 0, err.decode() + out.decode()
    return [json.loads(line) for line in out.decode().splitlines()]
