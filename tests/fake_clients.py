"""Clients without a network: one that speaks Socket.IO, and one that makes ASGI calls by hand."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import msgspec

from ordercast.engineio import EngineServer, Options, PacketType, Session, asgi
from ordercast.socketio import Server
from tests.fakes import HOST, FakeHandler, FakeTransport, request

LIMIT = 1000  # bytes, of `Polls`
HANDSHAKE = "EIO=4&transport=polling"


async def settled(io: Server) -> None:
    """Waits until the server has nothing left to write and no task of its own runs."""
    async with asyncio.timeout(60):
        while io.engine._dirty or io._tasks:  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(0)


class FakeClient:
    """A Socket.IO client without a network, of the protocol in ``query``: says packets, keeps what it hears."""

    def __init__(self, io: Server, query: bytes = b"EIO=4&transport=websocket") -> None:
        self.io = io
        self.transport = FakeTransport(protocol=3 if b"EIO=3" in query else 4)
        self.session = io.engine.open(request(query), self.transport)
        self._heard = 0

    def say(self, *messages: str | bytes) -> None:
        """Sends messages as they would stand in a WebSocket frame, without the engine's ``4``."""
        for said in messages:
            self.session.receive(PacketType.MESSAGE, said)

    async def hear(self) -> list[str | bytes]:
        """The Socket.IO packets that have come since the last call."""
        await settled(self.io)
        packets = [packet for packet in self.transport.packets if packet.type is PacketType.MESSAGE]
        new, self._heard = packets[self._heard :], len(packets)
        return [packet.data if packet.binary else packet.data.decode() for packet in new]

    async def join(self, namespace: str = "/", auth: str = "") -> str:
        """Joins a namespace and returns the socket's id."""
        prefix = "" if namespace == "/" else namespace + ","
        self.say(f"0{prefix}{auth}")
        heard = await self.hear()
        start = f'0{prefix}{{"sid":"'
        (answer,) = [text for text in heard if isinstance(text, str) and text.startswith(start)]
        return answer.removeprefix(start).removesuffix('"}')


class AsgiCall:
    """One HTTP request to an ASGI function, made by hand: its body in chunks, its answer in parts."""

    def __init__(
        self, method: str = "GET", query: str = "", headers: dict[str, str] | None = None, body: bytes | None = b""
    ) -> None:
        """``body=None``: the body is still on its way, see `feed`."""
        self.scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": "/socket.io/",
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in {"host": HOST.decode(), **(headers or {})}.items()],
            "client": ("192.0.2.1", 1234),
            "scheme": "http",
        }
        self._incoming: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        if body is not None:
            self.feed(body)

    def feed(self, chunk: bytes, *, more: bool = False) -> None:
        """A part of the request's body arrives."""
        self._incoming.put_nowait({"type": "http.request", "body": chunk, "more_body": more})

    def hang_up(self) -> None:
        """The client drops the connection."""
        self._incoming.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> MutableMapping[str, Any]:
        return await self._incoming.get()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert self.status is None
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            assert self.status is not None
            self.body += message["body"]


class Polls:
    """An engine that is asked by ASGI calls."""

    def __init__(self, **options: object) -> None:
        self.handler = FakeHandler()
        chosen = {"max_payload": LIMIT, "max_packets": 4, "linger": 0.05, **options}
        self.engine = EngineServer(self.handler, Options(**chosen))  # type: ignore[arg-type]
        self.tasks: list[asyncio.Task[None]] = []

    async def run(self, call: AsgiCall) -> AsgiCall:
        """Answers a call that does not wait."""
        async with asyncio.timeout(60):
            await asgi.app(self.engine, call.scope, call.receive, call.send)
        return call

    async def begin(self, call: AsgiCall) -> asyncio.Task[None]:
        """Begins a call that waits."""
        task = asyncio.create_task(asgi.app(self.engine, call.scope, call.receive, call.send))
        self.tasks.append(task)
        await self.turns()
        return task

    async def stop(self) -> None:
        """Ends what still waits."""
        self.engine.timer.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def turns(self) -> None:
        """Lets everything happen that waits for nothing from outside."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def open(self) -> Session:
        call = await self.run(AsgiCall(query=HANDSHAKE))
        assert call.status == 200
        return self.engine.find(msgspec.json.decode(call.body[1:])["sid"])

    def query(self, session: Session) -> str:
        return f"{HANDSHAKE}&sid={session.id}"

    async def poll(self, session: Session) -> AsgiCall:
        return await self.run(AsgiCall(query=self.query(session)))

    async def post(self, session: Session, body: bytes, **headers: str) -> AsgiCall:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.run(AsgiCall("POST", self.query(session), named, body))
