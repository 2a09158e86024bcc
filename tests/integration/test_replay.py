"""Whoever was away misses nothing, by a cursor of their own. The official client's own recovery: `test_recovery`."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.harness import Api, Json, Listener, ServerProcess, token


class Returning(Listener):
    """A listener that comes with a cursor, and keeps the replay's own events too."""

    def __init__(self) -> None:
        super().__init__()
        for event in ("caught_up", "resync", "position"):
            self.client.on(event, self._keeper(event))

    async def come(self, url: str, token: str, since: object, *, in_query: bool = False) -> None:
        """Connects with ``since`` in ``auth`` or in the query."""
        query = f"?since={since}&token={token}" if in_query else ""
        auth = {} if in_query else {"token": token, "since": since}
        await self.client.connect(url + query, auth=auth, transports=["websocket"], wait_timeout=60)


@contextlib.asynccontextmanager
async def returning(
    server: ServerProcess, who: object, role: str, since: object, **how: Any
) -> AsyncIterator[Returning]:
    listener = Returning()
    await listener.come(server.url, token(who, role), since, **how)
    try:
        yield listener
    finally:
        await listener.close()


async def cursor(api: Api) -> str:
    """The cursor of now."""
    return str((await api.get("/api/events"))["cursor"])


@pytest.mark.parametrize("in_query", [False, True])
async def test_what_was_missed_comes_first_and_in_order(server: ServerProcess, api: Api, in_query: bool) -> None:
    mine, foreign = await api.create(customerId=42), await api.create(customerId=43)
    since = await cursor(api)
    for status in ("accepted", "preparing"):
        for order in (foreign, mine):
            await api.patch(order["orderId"], status=status)
    await api.patch(mine["orderId"], note="ring twice")
    async with returning(server, 42, "customer", since, in_query=in_query) as customer:
        [caught_up] = await customer.until("caught_up")
        heard = [(event, data.get("version")) for event, data in customer.heard if isinstance(data, dict)]
        assert heard == [("order:updated", 2), ("order:updated", 3), ("order:changed", 4), ("caught_up", None)]
        assert {data["orderId"] for event, data in customer.heard if event.startswith("order:")} == {mine["orderId"]}
        await api.patch(mine["orderId"], status="ready")
        assert (await customer.until("order:updated", 3))[-1]["version"] == 5
        newest = (await customer.until("position"))[-1]
        assert newest.startswith(since.split(".")[0] + ".")
        assert caught_up["position"] == int(since.split(".")[1]) + 5
    async with returning(server, "op", "operator", since) as operator:
        await operator.until("caught_up")
        changed = operator.of("order:status_changed")
        assert [(data["orderId"], data["version"]) for data in changed] == [
            (order["orderId"], version) for version in (2, 3) for order in (foreign, mine)
        ] + [(mine["orderId"], 5)]


async def test_a_position_alone_and_a_cursor_of_now(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=42)
    position = int((await cursor(api)).split(".")[1])
    await api.patch(order["orderId"], status="accepted")
    async with returning(server, 42, "customer", position) as listener:
        await listener.until("caught_up")
        assert [data["version"] for data in listener.of("order:updated")] == [2]
    async with returning(server, 42, "customer", await cursor(api)) as listener:
        await listener.until("caught_up")
        assert listener.of("order:updated") == []


@pytest.mark.parametrize(
    "since", ["other-log.1", 10**9, "9" * 30, "garbage", -1, 1.5, {"position": 1}, [1], True, "", "log.-1", "x" * 5_000]
)
async def test_a_cursor_that_leads_nowhere_is_a_resync(server: ServerProcess, api: Api, since: object) -> None:
    order = await api.create(customerId=42)
    async with returning(server, 42, "customer", since) as listener:
        [resync] = await listener.until("resync")
        assert resync == {"position": int((await cursor(api)).split(".")[1])}
        await api.patch(order["orderId"], status="accepted")
        await listener.until("order:updated")
        assert listener.of("caught_up") == []


async def test_too_much_to_replay_is_a_resync(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, replay_max_events="3") as server:
        async with server.api() as api:
            since = await cursor(api)
            for _ in range(3):
                await api.create(customerId=42)
            async with returning(server, 42, "customer", since) as listener:
                await listener.until("caught_up")
                assert len(listener.of("order:created")) == 3
            await api.create(customerId=42)
            async with returning(server, 42, "customer", since) as listener:
                await listener.until("resync")


async def test_the_token_is_looked_at_again(server: ServerProcess, api: Api) -> None:
    since = await cursor(api)
    await api.create(customerId=42)
    listener = Returning()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await listener.come(server.url, token(42, lifetime=-1), since)
    await listener.close()
    async with returning(server, 43, "customer", since) as other:
        await other.until("caught_up")
        assert other.of("order:created") == []


# -- pids and tokens ---------------------------------------------------------------------------------------------


async def test_a_forged_or_foreign_pid_recovers_nothing(server: ServerProcess, api: Api) -> None:
    from websockets.asyncio.client import connect

    url = f"{server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"

    async def hello(user: object, **auth: object) -> tuple[Json, list[str]]:
        async with connect(url) as socket:
            await socket.recv()
            await socket.send("40" + json.dumps({"token": token(user), **auth}))
            answer: Json = json.loads(str(await socket.recv())[2:])
            await socket.send('421["watch:order",null]')
            told = []
            while not (packet := str(await asyncio.wait_for(socket.recv(), 10))).startswith("431"):
                told.append(packet)
            return answer, told

    mine, _ = await hello(42)
    assert mine["pid"]
    for user, pid in ((42, mine["pid"][:-2] + "xx"), (43, mine["pid"]), (42, 17), (42, {"a": 1}), (42, "")):
        answer, told = await hello(user, pid=pid)
        assert answer["pid"] not in (pid, mine["pid"])
        assert any('"resync"' in packet for packet in told)
    again, told = await hello(42, pid=mine["pid"], offset="not a cursor")
    assert again["pid"] == mine["pid"]
    assert any('"caught_up"' in packet for packet in told)


async def test_a_refreshed_token_keeps_the_connection_and_changes_its_rights(server: ServerProcess, api: Api) -> None:
    foreign = await api.create(customerId=43)
    async with server.listener("ana", "operator", lifetime=120) as listener:
        assert (await listener.watch(foreign["orderId"]))["version"] == 1
        for bad in (token("ben", "operator"), token("ana", "operator", lifetime=-1), "garbage", None, 17):
            assert "error" in await listener.client.call("auth:refresh", bad, timeout=60)
        answer = await listener.client.call("auth:refresh", token("ana", "customer", lifetime=600), timeout=60)
        assert answer["expiresAt"] > 0
        await listener.until("watch:denied")
        before = len(listener.heard)
        await api.patch(foreign["orderId"], status="accepted")
        await listener.settle()
        assert len(listener.heard) == before, "a customer hears no foreign order, whatever it watched as an operator"
        await listener.client.call("auth:refresh", token("ana", "admin"), timeout=60)
        await api.patch(foreign["orderId"], status="preparing")
        await listener.until("order:status_changed")


@pytest.mark.parametrize("what", ["userId", "tokenId"])
async def test_a_revoked_token_ends_its_sockets_and_opens_none(server: ServerProcess, api: Api, what: str) -> None:
    user = f"thief-{what}"
    stolen, other = token(user, "operator", jti=f"jti-{what}"), token("ana", "operator", jti="another")
    listeners = [Listener(), Listener()]
    for listener, text in zip(listeners, (stolen, other), strict=True):
        await listener.connect(server.url, text)
    value = user if what == "userId" else f"jti-{what}"
    response = await api.send("POST", "/api/tokens/revoke", json={what: value})
    assert response.status_code == 204, response.text
    assert await listeners[0].until("force_disconnect") == [{"reason": "revoked"}]
    await listeners[0].client.wait()
    again = Listener()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await again.connect(server.url, stolen)
    assert listeners[1].client.connected
    refresh = await listeners[1].client.call("auth:refresh", stolen, timeout=60)
    assert refresh == {"error": "Invalid token"}
    for listener in (*listeners, again):
        await listener.close()


async def test_idle_clients_learn_that_they_are_current(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, position_interval="0.1") as server:
        async with server.api() as api:
            idle = Returning()
            await idle.connect(server.url, token(42))
            await api.create(customerId=43)  # nothing for this one
            told = await idle.until("position")
            assert told[-1] == await cursor(api) or await idle.until("position", len(told) + 1)
            assert idle.of("order:created") == []
            await idle.close()


async def test_a_cursor_opens_no_way_around_the_limit_of_connections(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, max_connections_per_user="1") as server:
        listeners = [Returning() for _ in range(10)]
        outcomes = await asyncio.gather(
            *(listener.come(server.url, token(42), 0) for listener in listeners), return_exceptions=True
        )
        assert sum(outcome is None for outcome in outcomes) == 1
        for listener in listeners:
            await listener.close()


async def test_an_answer_to_another_shops_key_is_not_given(server: ServerProcess) -> None:
    async def create(shop: str) -> Any:
        async with server.api("operator", "ana", shops=[shop]) as caller:
            key = {"Idempotency-Key": "the same"}
            return (await caller.send("POST", "/api/orders", json={"customerId": 7}, headers=key)).json()

    north, south = await create("north"), await create("south")
    assert (north["shopId"], south["shopId"]) == ("north", "south")
    assert north["orderId"] != south["orderId"]
