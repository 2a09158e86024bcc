"""Nodes of a cluster for tests: ours in this process, Node.js's in one of its own, and clients that are not ours."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from ordercast.socketio import Server, Socket
from ordercast.socketio.cluster_redis import RedisCluster
from tests.harness import CLIENTS
from tests.python_socketio import PythonSocketIO
from tests.redis_server import RedisServer

WAIT = 60.0  # s; bounds a failure only


class OurNode:
    """A `Server` of ours in a cluster, on a port of its own."""

    def __init__(self, io: Server, port: int) -> None:
        self.io = io
        self.url = f"http://127.0.0.1:{port}"

    @property
    def cluster(self) -> RedisCluster:
        assert isinstance(self.io.cluster, RedisCluster)
        return self.io.cluster

    async def settled(self) -> None:
        """It hears all that is meant for the rooms it has."""
        async with asyncio.timeout(WAIT):
            await self.io.cluster.settled()


@asynccontextmanager
async def our_node(redis: RedisServer, prefix: str, **options: Any) -> AsyncIterator[OurNode]:
    """One that has joined the cluster."""
    io = Server(
        cluster=RedisCluster(redis.url, prefix=prefix, **{"request_timeout": 15.0, **options}), max_attachments=4
    )
    for namespace in (io.of("/"), io.of("/kitchen")):
        namespace.on("join", lambda socket, room: socket.join(room))
        namespace.on("connection", _connected)
    config = uvicorn.Config(io, port=0, log_level="error", timeout_graceful_shutdown=1, **io.uvicorn_settings())
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(WAIT):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    node = OurNode(io, server.servers[0].sockets[0].getsockname()[1])
    try:
        await node.settled()
        yield node
    finally:
        server.should_exit = True
        await task
        await io.close(grace=0)


def _connected(socket: Socket) -> None:
    socket.data["from"] = "python"


class NodeError(Exception):
    """What the code threw; ``responses`` as Node.js has them."""

    def __init__(self, message: str, responses: Any) -> None:
        super().__init__(message)
        self.responses = responses


class NodeJs:
    """``cluster_node.mjs``: a Node.js server with the official adapter, which runs code on demand."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.url = ""

    async def run(self, code: str) -> Any:
        """Runs JavaScript with ``io``, ``emitter`` and ``heard`` in reach; what it returns. Raises `NodeError`."""
        assert self._process.stdin is not None
        id = next(self._ids)
        self._waiting[id] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": id, "code": code}).encode() + b"\n")
        async with asyncio.timeout(WAIT):
            return await self._waiting[id]

    async def listen(self) -> None:
        """Reads what it prints."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = json.loads(line)
            if "error" in said:
                self._waiting.pop(said["id"]).set_exception(NodeError(said["error"], said["responses"]))
            else:
                self._waiting.pop(said["id"]).set_result(said["value"])

    async def start(self) -> None:
        """Waits until it listens."""
        assert self._process.stdout is not None
        async with asyncio.timeout(WAIT):
            line = await self._process.stdout.readline()
        self.url = f"http://127.0.0.1:{json.loads(line)['port']}"


@asynccontextmanager
async def node_js(redis: RedisServer, prefix: str) -> AsyncIterator[NodeJs]:
    """One that has joined the cluster."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "cluster_node.mjs"),
        str(redis.path),
        prefix,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
    )
    node = NodeJs(process)
    try:
        await node.start()
        listening = asyncio.create_task(node.listen())
        yield node
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    await listening


class Client:
    """python-socketio's client, which keeps what it hears in order and acknowledges with ``answer``."""

    def __init__(self, node: OurNode | NodeJs, namespace: str, answer: Callable[..., Any]) -> None:
        self.node = node
        self.namespace = namespace
        self.io = PythonSocketIO()
        self.heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.io.on("*", self._keep, namespace=namespace)
        self.io.on("disconnect", self._gone, namespace=namespace)
        self.gone = asyncio.Event()
        self._answer = answer

    def _keep(self, event: str, *args: Any) -> Any:
        self.heard.put_nowait((event, *args))
        return self._answer(*args)

    def _gone(self, *reason: Any) -> None:
        self.gone.set()

    @property
    def id(self) -> str:
        """The socket's id."""
        id = self.io.get_sid(self.namespace)
        assert isinstance(id, str)
        return id

    async def join(self, *rooms: str) -> None:
        """Is in rooms, and its node hears what is meant for them."""
        for room in rooms:
            await self.io.call("join", room, namespace=self.namespace, timeout=WAIT)
        if isinstance(self.node, OurNode):
            await self.node.settled()

    async def next(self) -> tuple[Any, ...]:
        """What it hears next: the event and its arguments."""
        async with asyncio.timeout(WAIT):
            return await self.heard.get()

    async def ended(self) -> None:
        """It has been sent away."""
        async with asyncio.timeout(WAIT):
            await self.gone.wait()


@asynccontextmanager
async def client(
    node: OurNode | NodeJs, *rooms: str, namespace: str = "/", answer: Callable[..., Any] = lambda *args: None
) -> AsyncIterator[Client]:
    """A client of a node, in rooms."""
    one = Client(node, namespace, answer)
    await one.io.connect(node.url, transports=["websocket"], namespaces=[namespace], wait_timeout=WAIT)
    try:
        await one.join(*rooms)
        yield one
    finally:
        await one.io.disconnect()
