"""Webhooks of a real server to a real receiver: down, slow, wrong, redirecting, gone, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.harness import Api, Json, ServerProcess
from tests.receiver import WAIT, Receiver

SETTINGS: dict[str, Any] = {
    "webhook_allow_private": "127.0.0.0/8",
    "webhook_retries": "0.2 0.3 0.5 0.5 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "webhook_timeout": "1",
}
STATUSES = ("accepted", "preparing", "ready")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path, **SETTINGS) as server:
        yield server


@pytest.fixture
async def api(server: ServerProcess) -> AsyncIterator[Api]:
    async with server.api() as api:
        yield api


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


async def add(api: Api, receiver: Receiver, **more: Any) -> Json:
    """A webhook to the receiver, which learns its secret."""
    response = await api.send("POST", "/api/webhooks", json={"url": receiver.url, **more})
    assert response.status_code == 201, response.text
    made: Json = response.json()
    await receiver.learn(made["secret"])
    return made


async def until(api: Api, id: str, **wanted: Any) -> Json:
    """The webhook, once it is so."""
    async with asyncio.timeout(WAIT):
        while True:
            found = await api.get(f"/api/webhooks/{id}")
            if all(found[name] == value for name, value in wanted.items()):
                return found
            await asyncio.sleep(0.1)


async def move(api: Api, *order_ids: int) -> None:
    for status in STATUSES:
        for order_id in order_ids:
            await api.patch(order_id, status=status, force=True)


async def all_of(receiver: Receiver, *order_ids: int) -> None:
    """Each order's events, all of them and in their order."""
    await receiver.until(lambda: len(receiver.taken()) >= 4 * len(order_ids))
    for order_id in order_ids:
        created, *moved = receiver.taken(order_id)
        assert created["type"] == "order.created"  # with the order's values of when it was sent
        assert [(one["data"]["status"], one["data"]["version"]) for one in moved] == [
            *zip(STATUSES, (2, 3, 4), strict=True)
        ]


async def test_what_happens_arrives_as_a_service_hears_it(api: Api, receiver: Receiver) -> None:
    made = await add(api, receiver)
    order = await api.create(orderId=1, customerId=42, note="ring")
    await api.patch(1, status="accepted", note="knock", updatedBy="kitchen")
    await receiver.until(lambda: len(receiver.requests) == 3)
    created, moved, changed = (one.message for one in receiver.requests)
    feed = (await api.get("/api/events?after=0"))["events"]
    assert [one["data"] for one in (moved, changed)] == [one["data"] for one in feed[1:]]
    assert {name: created["data"][name] for name in ("orderId", "customerId")} == {"orderId": 1, "customerId": 42}
    assert moved["type"] == "order.status_changed"
    assert moved["timestamp"] == moved["data"]["updatedAt"]
    assert changed["data"]["changes"] == {"note": "knock"}
    assert created["timestamp"] == order["createdAt"]
    receiver.verify(made["secret"])
    assert len({one.id for one in receiver.requests}) == 3
    assert all("." not in one.id for one in receiver.requests)


async def test_only_what_was_asked_for(api: Api, receiver: Receiver) -> None:
    await add(api, receiver, events=["order.status_changed"], shops=["north", 7])
    await api.create(orderId=1, shopId="south")
    await api.create(orderId=2, shopId=7)
    await move(api, 1, 2)
    await receiver.until(lambda: len(receiver.requests) == 3)
    assert {one.data["orderId"] for one in receiver.requests} == {2}


async def test_down_wrong_slow_redirecting_and_back(api: Api, server: ServerProcess, receiver: Receiver) -> None:
    made = await add(api, receiver)
    await receiver.kill()
    await api.create(orderId=1)
    await api.create(orderId=2)
    waiting = await until(api, made["id"], waiting=2)
    assert waiting["dead"] == 0
    await receiver.start()
    await receiver.answer(status=500)
    await move(api, 1)
    await receiver.until(lambda: 500 in [one.status for one in receiver.requests])
    await receiver.answer(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    await receiver.until(lambda: 302 in [one.status for one in receiver.requests])
    found = await api.get(f"/api/webhooks/{made['id']}/deliveries?state=waiting")
    await receiver.answer(status=503, wait=2_500)
    await move(api, 2)
    before = len(receiver.requests)
    await receiver.until(lambda: len(receiver.requests) > before)
    await receiver.answer()
    await all_of(receiver, 1, 2)
    assert {one.url for one in receiver.requests} == {"/orders"}
    receiver.verify(made["secret"])
    assert any("redirect" in one["reason"] or "500" in one["reason"] for one in found["deliveries"])
    await until(api, made["id"], waiting=0)
    assert made["secret"] not in server.log
    metrics = (await api.send("GET", "/metrics")).text
    assert 'ordercast_webhook_attempts_total{outcome="delivered"} 8.0' in metrics
    assert "ordercast_webhooks_behind 0.0" in metrics


async def test_a_killed_server_goes_on_where_it_was(tmp_path: Path, receiver: Receiver) -> None:
    server = ServerProcess(tmp_path, **SETTINGS).start()
    try:
        async with server.api() as api:
            made = await add(api, receiver)
            await receiver.kill()
            for order_id in (1, 2, 3):
                await api.create(orderId=order_id)
            await until(api, made["id"], waiting=3)
            await move(api, 1, 2, 3)
        server.kill()
        await receiver.start()
        server.start()
        await all_of(receiver, 1, 2, 3)
        receiver.verify(made["secret"])
    finally:
        server.stop()


async def test_one_order_that_is_refused_holds_up_no_other(tmp_path: Path, receiver: Receiver) -> None:
    with ServerProcess(tmp_path, **SETTINGS | {"webhook_retries": "0.1,0.1"}) as server:
        async with server.api() as api:
            made = await add(api, receiver)
            await receiver.answer(status=422, only=1)
            await api.create(orderId=1)
            await api.create(orderId=2)
            await api.patch(1, status="accepted")
            await move(api, 2)
            await receiver.until(lambda: len(receiver.taken(2)) == 4)
            await until(api, made["id"], waiting=0, dead=2)
            path = f"/api/webhooks/{made['id']}"
            first = await api.get(f"{path}/deliveries?limit=1")
            second = await api.get(f"{path}/deliveries", params={"after": first["next"]})
            dead = [*first["deliveries"], *second["deliveries"]]
            assert [one["type"] for one in dead] == ["order.created", "order.status_changed"]
            assert [one["attempts"] for one in dead] == [3, 3]
            assert {(one["status"], one["reason"], one["answer"]) for one in dead} == {
                (422, "It answered 422.", "said so")
            }
            tried = [one.id for one in receiver.requests if one.data["orderId"] == 1]
            assert tried == [dead[0]["messageId"]] * 3 + [dead[1]["messageId"]] * 3
            await receiver.answer()
            one = await api.send("POST", f"{path}/resend", json={"messageIds": [dead[1]["messageId"]]})
            assert one.json() == {"resent": 1}
            await receiver.until(lambda: len(receiver.taken(1)) == 1)
            rest = await api.send("POST", f"{path}/resend")
            assert rest.json() == {"resent": 1}
            await receiver.until(lambda: len(receiver.taken(1)) == 2)
            await until(api, made["id"], dead=0, waiting=0)


async def test_who_is_gone_is_left_alone_until_enabled_again(api: Api, receiver: Receiver) -> None:
    made = await add(api, receiver)
    await receiver.answer(status=410)
    await api.create(orderId=1)
    found = await until(api, made["id"], enabled=False)
    assert "410" in found["problem"]
    await move(api, 1)
    await receiver.answer()
    await api.send("PATCH", f"/api/webhooks/{made['id']}", json={"enabled": True})
    await all_of(receiver, 1)
    assert (await api.get(f"/api/webhooks/{made['id']}"))["problem"] is None
    assert [one.status for one in receiver.requests].count(410) == 1


async def test_retry_after_is_kept(api: Api, receiver: Receiver) -> None:
    made = await add(api, receiver)
    await receiver.answer(status=429, headers={"Retry-After": "3"})
    await api.create(orderId=1)
    await receiver.until(lambda: len(receiver.requests) == 1)
    await receiver.answer()
    await api.create(orderId=2)
    await receiver.until(lambda: len(receiver.taken()) == 2)
    first, *others = [int(one.headers["webhook-timestamp"]) for one in receiver.requests]
    assert min(others) - first >= 2  # whole seconds, rounded down
    await until(api, made["id"], waiting=0)


async def test_a_secret_is_rotated_without_a_refusal(api: Api, receiver: Receiver) -> None:
    made = await add(api, receiver)
    path = f"/api/webhooks/{made['id']}"
    fresh = (await api.send("POST", f"{path}/rotate")).json()
    assert fresh["secret"] != made["secret"]
    assert fresh["oldSecretUntil"]
    assert "secret" not in await api.get(path)
    await api.create(orderId=1)
    await receiver.until(lambda: len(receiver.requests) == 1)
    receiver.verify(made["secret"])
    await receiver.learn(fresh["secret"])
    await api.create(orderId=2)
    await receiver.until(lambda: len(receiver.requests) == 2)
    receiver.verify(fresh["secret"])
    assert receiver.requests[1].headers["webhook-signature"].count("v1,") == 2
    last = (await api.send("POST", f"{path}/rotate", json={"overlap": 0})).json()
    await receiver.learn(last["secret"])
    await api.create(orderId=3)
    await receiver.until(lambda: len(receiver.requests) == 3)
    assert receiver.requests[2].verified is True
    assert receiver.requests[2].headers["webhook-signature"].count("v1,") == 1


async def test_a_test_message_says_what_the_receiver_said(api: Api, receiver: Receiver) -> None:
    made = await add(api, receiver)
    path = f"/api/webhooks/{made['id']}/test"
    good = (await api.send("POST", path)).json()
    assert good == {"delivered": True, "status": 204, "reason": "", "answer": ""}
    await receiver.until(lambda: len(receiver.requests) == 1)
    assert receiver.requests[0].message["type"] == "webhook.test"
    assert receiver.requests[0].verified is True
    await receiver.kill()
    bad = (await api.send("POST", path)).json()
    assert bad["delivered"] is False
    assert "cannot be reached" in bad["reason"]


async def test_on_two_nodes_one_sends_and_the_other_takes_over(
    tmp_path: Path, postgres_url: str, receiver: Receiver
) -> None:
    """The sender is killed again and again, with messages on their way: none is lost, each order's keep their order."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    nodes = [ServerProcess(folder, database_url=postgres_url, **SETTINGS) for folder in folders]
    for node in nodes:
        node.start()
    try:
        async with nodes[1].api() as api:
            made = await add(api, receiver)
        order_ids = range(1, 9)
        for order_id in order_ids:
            async with nodes[1].api() as api:
                await api.create(orderId=order_id)
        await receiver.until(lambda: len(receiver.taken()) == len(order_ids))
        assert len(receiver.requests) == len(order_ids)  # each by one of the two
        await receiver.answer(wait=100)
        for turn, status in enumerate(STATUSES):
            async with nodes[1 - turn % 2].api() as api:
                for order_id in order_ids:
                    await api.patch(order_id, status=status, force=True)
            sender = await _sender(nodes, postgres_url, made["id"])
            sender.kill()
            sender.start()
        await all_of(receiver, *order_ids)
        receiver.verify(made["secret"])
        async with nodes[0].api() as api:
            await until(api, made["id"], waiting=0, dead=0)
    finally:
        for node in nodes:
            node.stop()


async def _sender(nodes: list[ServerProcess], url: str, id: str) -> ServerProcess:
    """Which of the nodes sends to a webhook."""
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(WAIT):
            while True:
                query = "SELECT address FROM nodes JOIN webhooks ON run = lease_run WHERE id = $1"
                if address := await connection.fetchval(query, id):
                    return next(node for node in nodes if str(address).endswith(f":{node.port}"))
                await asyncio.sleep(0.1)
    finally:
        await connection.close()
