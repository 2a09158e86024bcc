"""Long-polling through plain ASGI. A poll costs a task here, because ASGI's ``send`` must be awaited.

https://asgi.readthedocs.io/en/latest/specs/www.html
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ordercast.engineio.polling import Exchange
from ordercast.engineio.query import Headers
from ordercast.engineio.request import Request
from ordercast.engineio.server import EngineServer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiExchange(Exchange):
    """A request whose answer is awaited."""

    __slots__ = ("_answer",)

    def __init__(self, engine: EngineServer, request: Request) -> None:
        super().__init__(engine, request)
        self._answer: asyncio.Future[tuple[int, bytes, Headers]] = asyncio.get_running_loop().create_future()

    def respond(self, status: int, body: bytes, type: bytes, headers: Headers) -> None:
        head = [(b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"), *headers]
        if body:
            head.append((b"content-type", type))
        if not self._answer.done():  # it is cancelled with the task that waits for it
            self._answer.set_result((status, body, head))

    async def run(self, method: str, receive: Receive, send: Send) -> None:
        """The request from its head to its answer."""
        self.begin(method)
        try:
            while self.takes_body:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.gone()
                    return
                self.feed(message.get("body", b""), message.get("more_body", False))
            if not self.answered and not await self._outlasts(receive):
                self.gone()
                return
        finally:
            self.let_go()
        status, body, headers = self._answer.result()
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _outlasts(self, receive: Receive) -> bool:
        """Waits for the answer; whether it came before the peer hung up."""
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await asyncio.wait((self._answer, gone), return_when=asyncio.FIRST_COMPLETED)
            return self._answer.done()
        finally:
            gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def handle(engine: EngineServer, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one HTTP request on the engine's path."""
    await AsgiExchange(engine, request_of(scope)).run(scope["method"], receive, send)


def request_of(scope: Scope) -> Request:
    """The request that an ASGI scope describes."""
    return Request(
        scope["path"],
        scope["query_string"],
        scope["headers"],
        (scope.get("client") or ("",))[0],
        scope.get("scheme") in ("https", "wss"),
    )
