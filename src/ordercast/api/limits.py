"""A bound on request bodies, before anything reads them."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ordercast.api.problems import BodyTooLarge


class BodyLimit:
    """ASGI middleware: 413 for a body of more than ``limit`` bytes, announced or not.

    The connection stays open and what still comes is thrown away: closing it under a client that is still sending
    would take the answer from it.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        for name, value in scope["headers"]:
            if name == b"content-length" and (len(value) > 12 or not value.isdigit() or int(value) > self.limit):
                await BodyTooLarge(self.limit).response()(scope, receive, send)
                return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self.limit:
                raise BodyTooLarge(self.limit)
            return message

        await self.app(scope, counted, send)
