"""The published schemas of the Socket.IO events against a real server, which is driven through every one of them.

A validator of JSON Schema that is not ours judges by the document that this server serves.
"""

from __future__ import annotations

import asyncio
import copy
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio

from ordercast.api.asyncapi import asyncapi, key
from tests.harness import CLIENTS, Api, Json, ServerProcess, token

PATIENCE = 60.0  # s; bounds a failure only

Heard = list[tuple[str, Any]]
"""Messages by the name that the document has for them, with what they carried."""


# -- judging -----------------------------------------------------------------------------------------------------


class Judge:
    """``schemas.mjs``."""

    def __init__(self, process: asyncio.subprocess.Process, document: Json) -> None:
        self._process = process
        self.document = document

    async def ask(self, question: Json) -> list[Json]:
        """What is wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        assert line, "the judge ended"
        answer: list[Json] = json.loads(line)
        return answer

    async def payload(self, name: str, payload: Any) -> list[Json]:
        """What is wrong with a message of this name."""
        return await self.ask({"message": key(name), "payload": payload})


@asynccontextmanager
async def judging(document: Json) -> AsyncIterator[Judge]:
    """A judge by this document, which must be right itself."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENTS / "schemas.mjs"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CLIENTS,
        limit=2**22,
    )
    try:
        judge = Judge(process, document)
        assert await judge.ask({"asyncapi": document}) == []
        yield judge
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
async def judge() -> AsyncIterator[Judge]:
    """By the document as it is written down."""
    async with judging(asyncapi()) as judge:
        yield judge


# -- driving -----------------------------------------------------------------------------------------------------


class Client:
    """Keeps all that it is told, and what it says itself."""

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.events: list[tuple[str, Any]] = []
        self.over = asyncio.Event()
        self._news = asyncio.Event()
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._hear)
        self._client.on("disconnect", lambda *_: self.over.set())
        self._client.on("connect_error", lambda why: self._hear("connect_error", why))

    def _hear(self, event: str, *args: Any) -> None:
        assert len(args) == 1, f"{event} has one argument"
        self.heard.append((event, args[0]))
        self.events.append((event, args[0]))
        self._news.set()

    async def connect(self, url: str, **auth: Any) -> None:
        """Raises `socketio.exceptions.ConnectionError`."""
        self.heard.append(("connect", auth))
        await self._client.connect(url, auth=auth, transports=["websocket"], wait_timeout=PATIENCE)

    async def until(self, event: str) -> Any:
        """Waits for an event; returns what the first one carried."""
        async with asyncio.timeout(PATIENCE):
            while not (found := [data for name, data in self.events if name == event]):
                self._news.clear()
                await self._news.wait()
        return found[0]

    async def ended(self) -> None:
        """It has been sent away."""
        async with asyncio.timeout(PATIENCE):
            await self.over.wait()

    async def say(self, event: str, data: Any) -> Any:
        """Says what the schemas know, and returns the acknowledgement."""
        self.heard.append((event, data))
        return await self.ask(event, data)

    async def ask(self, event: str, data: Any) -> Any:
        """Says anything, and returns the acknowledgement."""
        answer = await self._client.call(event, data, timeout=PATIENCE)
        if answer is not None:
            self.heard.append((f"{event} acknowledgement", answer))
        return answer

    async def close(self) -> None:
        await self._client.disconnect()


class Play:
    """All that is heard on a server, by any number of clients."""

    def __init__(self, server: ServerProcess, api: Api, stack: AsyncExitStack) -> None:
        self.server = server
        self.api = api
        self.heard: Heard = []
        self._stack = stack

    async def come(self, user: object, role: str = "customer", lifetime: float = 3600, **auth: Any) -> Client:
        """A client with a token, or with this ``auth``."""
        client = Client(self.heard)
        auth = {"token": token(user, role, lifetime=lifetime, iat=int(time.time()) - 10), **auth}
        await client.connect(self.server.url, **auth)
        self._stack.push_async_callback(client.close)
        return client

    async def refused(self, **auth: Any) -> str | None:
        """Why nobody is let in with this; ``None``: somebody is."""
        client = Client(self.heard)
        try:
            await client.connect(self.server.url, **auth)
        except socketio.exceptions.ConnectionError:
            message: str = (await client.until("connect_error"))["message"]
            return message
        finally:
            await client.close()
        return None


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    """A server where a user has one connection, and watches one order."""
    with ServerProcess(tmp_path, max_watches="1", max_connections_per_user="1") as server:
        async with AsyncExitStack() as stack, server.api() as api:
            yield Play(server, api, stack)


async def orders(play: Play) -> None:
    """An order's life, as operators, its customer and a guest hear it."""
    ana = await play.come("ana", "operator")
    noor = await play.come(42)
    id = (await play.api.create(shopId="north", items=[{"name": "Pizza"}], total=9.5, note="ring"))["orderId"]
    link = (await play.api.send("POST", f"/api/orders/{id}/share")).json()["shareToken"]
    guest = await play.come(None, token=link)
    await play.api.patch(id, status="accepted", expectedAt="2099-01-02T18:45:00Z", note=None, contact={"name": "Noor"})
    await play.api.send("POST", f"/api/orders/{id}/contact")
    for client in (ana, noor):
        await client.until("order:created")
    for client in (noor, guest):
        await client.until("order:updated")
        await client.until("order:changed")
    await ana.until("order:status_changed")
    await ana.until("order:changed")
    await noor.until("position")
    await play.api.send("PUT", f"/api/orders/{id}", json={"customerId": 44})
    await noor.until("order:gone")


async def the_board(play: Play) -> None:
    """An operator takes an order, and an admin sets targets."""
    id = (await play.api.create())["orderId"]
    ben = await play.come("ben", "operator")
    async with play.server.api("operator", "ben") as operator, play.server.api("admin", "ada") as admin:
        for act in ("claim", "release"):
            assert (await operator.send("POST", f"/api/orders/{id}/{act}", json={})).is_success
        assert (await admin.send("PUT", "/api/board", json={"targets": {"received": 120}})).is_success
    assert await ben.until("board:changed") == {"targets": {"received": 120}}
    assert "claimedBy" in (await ben.until("order:changed"))["changes"]


async def watching(play: Play) -> None:
    """Each answer to ``watch:order``."""
    for order_id in (17, "A-18"):
        await play.api.create(customerId=43, orderId=order_id)
    client = await play.come(43)
    assert "status" in await client.say("watch:order", "A-18")
    await client.until("watching")
    assert (await client.say("watch:order", 17))["error"] == "too_many_watches"
    assert await client.say("unwatch:order", "A-18") is None
    assert (await client.say("watch:order", 999))["error"] == "not_found"
    await client.until("watch:denied")
    assert await client.ask("watch:order", {"no": "id"}) == {"orderId": None, "error": "invalid_order_id"}


async def tokens(play: Play) -> None:
    """A token that is about to end is renewed, or not; one that ends, and one that is taken back, send away."""
    for user, ahead in ((440, 1.5), (441, 6), (442, 24)):  # s before it is told; a busy machine may connect too late
        told_at = time.time() + ahead
        client = await play.come(user, lifetime=60 + ahead)
        if time.time() < told_at:
            break
    await client.until("token:expiring")
    assert "error" in await client.say("auth:refresh", token(45))
    assert "expiresAt" in await client.say("auth:refresh", token(user))
    await play.api.send("POST", "/api/tokens/revoke", json={"userId": user})
    assert await client.until("force_disconnect") == {"reason": "revoked"}
    await client.ended()
    for user, lifetime in ((460, 3), (461, 12), (462, 48)):  # likewise
        try:
            late = await play.come(user, lifetime=lifetime)
        except socketio.exceptions.ConnectionError:
            continue
        break
    assert await late.until("force_disconnect") == {"reason": "token_expired"}


async def coming_back(play: Play) -> None:
    """What was missed is told, or cannot be."""
    head = (await play.api.get("/api/events"))["cursor"]
    await (await play.come(47, since=head)).until("caught_up")
    await (await play.come(48, since="another.1")).until("resync")
    await (await play.come(49, since=0)).until("caught_up")


async def refusals(play: Play) -> None:
    """Each reason why there is no connection."""
    assert await play.refused() == "Authentication required"
    assert await play.refused(token="none") == "Invalid token"
    assert await play.refused(token=token(50, lifetime=-1)) == "Token expired"
    why = None
    while why is None:  # who comes 5 s after the last one is let in, and the last one goes
        await play.come(51)
        why = await play.refused(token=token(51))
    assert why == "new_login"


# -- tests -------------------------------------------------------------------------------------------------------


async def test_every_event_of_a_real_server_is_as_its_schema_says(play: Play) -> None:
    for part in (orders, the_board, watching, tokens, coming_back, refusals):
        await part(play)
    document = await play.api.get("/asyncapi.json")
    async with judging(document) as judge:
        wrong = [(name, data, why) for name, data in play.heard if (why := await judge.payload(name, data))]
        assert wrong == []
        named = {message["name"] for message in document["components"]["messages"].values()}
        assert {name for name, _ in play.heard} == named, "this test drives every event"
        for name, data in play.heard:
            if name != "connect" and isinstance(data, dict):  # clients say more of themselves than we ask
                await is_exact(judge, name, data)


async def is_exact(judge: Judge, name: str, data: Json) -> None:
    """Nothing may be added to it, and nothing taken away."""
    assert await judge.payload(name, {**data, "surprise": 1}) != [], f"{name} with one more field"
    for field in data:
        less = {other: value for other, value in data.items() if other != field}
        assert await judge.payload(name, less) != [], f"{name} without {field}"
    if "changes" in data:
        more = {**data, "changes": {**data["changes"], "surprise": 1}}
        assert await judge.payload(name, more) != [], f"{name} with another change"


async def test_the_examples_are_as_their_schemas_say(judge: Judge) -> None:
    for message in judge.document["components"]["messages"].values():
        assert message["examples"]
        for example in message["examples"]:
            assert await judge.payload(message["name"], example["payload"]) == []


async def test_the_judge_finds_what_is_wrong(judge: Judge) -> None:
    assert await judge.payload("force_disconnect", {"reason": "whim"}) != []
    assert await judge.payload("order:lost", {}) == [{"message": "the document has no message orderLost"}]
    broken = copy.deepcopy(judge.document)
    broken["operations"]["orderUpdated"]["action"] = "say"
    assert await judge.ask({"asyncapi": broken}) != []
