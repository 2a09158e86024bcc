"""Someone who uses a whole Ordercast on the test's own loop: over Socket.IO without a network, and over REST."""

from __future__ import annotations

import json
from typing import Any

from ordercast.app import Ordercast
from ordercast.engineio import disconnects
from tests.fake_clients import FakeClient
from tests.harness import Json, token
from tests.rest import ask


class Visitor:
    """A user with a role, who comes and goes."""

    def __init__(self, app: Ordercast, user: object, role: str = "customer", **claims: Any) -> None:
        self.app = app
        self.token = token(user, role, **claims)
        self._client: FakeClient
        self._asked = 0

    async def come(self, *, query: str = "", **auth: object) -> Json:
        """Connects, and returns the answer to CONNECT. What comes with it, `hear` gives."""
        self._client = FakeClient(self.app.io, f"EIO=4&transport=websocket{query}".encode())
        self._early: list[str | bytes] = []
        self._client.say("0" + json.dumps({"token": self.token, **auth}))
        hello, *self._early = await self._client.hear()
        assert isinstance(hello, str)
        assert hello.startswith("0"), hello
        answer: Json = json.loads(hello[1:])
        return answer

    def go(self) -> None:
        """The connection is gone."""
        self._client.session.close(disconnects.TRANSPORT_CLOSE)

    async def hear(self) -> list[tuple[str, Any]]:
        """The events that have come since the last call; all that was committed by now is among them."""
        await self.app.feed.reached(await self.app.storage.log.head())
        packets, self._early = self._early + await self._client.hear(), []
        return [tuple(json.loads(text[1:])) for text in packets if isinstance(text, str) and text[0] == "2"]

    async def call(self, event: str, *args: object) -> Any:
        """The acknowledgement of an event."""
        self._asked += 1
        self._client.say(f"2{self._asked}" + json.dumps([event, *args]))
        packets = await self._client.hear()
        start = f"3{self._asked}["
        (answer,) = [text for text in packets if isinstance(text, str) and text.startswith(start)]
        self._early += [text for text in packets if text != answer]
        return json.loads(answer[len(start) - 1 :])[0]

    async def get(self, path: str, query: str = "") -> tuple[int, Any]:
        """A REST answer's status and body."""
        bearer = [(b"authorization", f"Bearer {self.token}".encode())]
        status, _, body = await ask(self.app.asgi, "GET", path, headers=bearer, query=query.encode())
        return status, json.loads(body)
