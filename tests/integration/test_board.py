"""The board's server side as its users meet it: claims, figures and settings over real sockets, on one node and two."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.harness import Api, ServerProcess, api_at, run_node, token
from tests.inside import WAIT, listening, several
from tests.redis_server import RedisServer


async def test_both_claim_at_once_and_everybody_is_told(server: ServerProcess, api: Api) -> None:
    id = (await api.create(customerId=42, shopId="north"))["orderId"]
    async with (
        server.listener("ana", "operator") as ana,
        server.listener("ben", "operator", shops=["north"]) as ben,
        server.listener("sam", "operator", shops=["south"]) as sam,
        server.listener(42) as customer,
        server.api("operator", "ana") as by_ana,
        server.api("operator", "ben", shops=["north"]) as by_ben,
    ):
        path = f"/api/orders/{id}/claim"
        answers = await asyncio.gather(by_ana.send("POST", path), by_ben.send("POST", path))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        holder = won.json()["claimedBy"]
        assert lost.json()["claimedBy"] == holder
        [change] = await ana.until("order:changed")
        assert change == {"orderId": id, "changes": {"claimedBy": holder}, "version": 2, "position": 2}
        assert await ben.until("order:changed") == [change]
        for other in (sam, customer):
            await other.settle()
            assert other.heard == []
        async with server.api("customer", 42) as own:
            assert (await own.get(f"/api/orders/{id}"))["claimedBy"] is None
            history = (await own.get(f"/api/orders/{id}/events"))["events"]
            assert [entry["kind"] for entry in history] == ["created"]
            heard = (await own.get("/api/events?after=0"))["events"]
            assert [event["event"] for event in heard] == ["order:created"]


async def test_new_targets_reach_every_board(server: ServerProcess) -> None:
    async with (
        server.listener("ana", "operator") as ana,
        server.listener("sam", "operator", shops=["south"]) as sam,
        server.listener("ada", "admin", shops=["a", "b"]) as ada,
        server.listener(42) as customer,
        server.listener("shop", "service") as shop,
        server.api("admin", "ada") as api,
    ):
        answer = await api.send("PUT", "/api/board", json={"targets": {"received": 30}})
        assert answer.json()["targets"] == {"received": 30}
        for listener in (ana, sam, ada):
            assert await listener.until("board:changed") == [{"targets": {"received": 30}}]
        for listener in (customer, shop):
            await listener.settle()
            assert listener.heard == []
        server.stop()
        server.start()
        async with server.api("operator", "ana") as again:
            assert (await again.get("/api/board"))["targets"] == {"received": 30}


async def test_new_targets_reach_every_node_without_redis(postgres_url: str) -> None:
    async with (
        several(2, postgres_url) as ((_, a), (_, b)),
        listening(a, "ana", "operator") as ana,
        listening(b, "ben", "operator") as ben,
        api_at(b, "admin", "ada") as by_ada,
    ):
        for count, seconds in enumerate((5, 6), 1):
            await by_ada.send("PUT", "/api/board", json={"targets": {"ready": seconds}})
            for listener in (ana, ben):
                heard = await listener.until("board:changed", count, wait=WAIT)
                assert heard[-1] == {"targets": {"ready": seconds}}
        await ben.settle()
        assert len(ben.of("board:changed")) == 2, "it was told where it was set"


async def test_on_two_nodes(postgres_url: str, redis: RedisServer) -> None:
    async with (
        several(2, postgres_url, redis_url=redis.url) as ((_, a), (_, b)),
        listening(a, "ana", "operator") as ana,
        listening(b, "ben", "operator", shops=["north"]) as ben,
        api_at(a, "service") as shop,
        api_at(a, "operator", "ana") as by_ana,
        api_at(b, "operator", "ben", shops=["north"]) as by_ben,
        api_at(b, "admin", "ada") as by_ada,
    ):
        await by_ada.send("PUT", "/api/board", json={"targets": {"ready": 5}})
        for listener in (ana, ben):
            assert await listener.until("board:changed", wait=WAIT) == [{"targets": {"ready": 5}}]
        assert (await by_ana.get("/api/board"))["targets"] == {"ready": 5}
        for n in range(5):
            id = (await shop.create(customerId=42, shopId="north"))["orderId"]
            path = f"/api/orders/{id}/claim"
            answers = await asyncio.gather(*(api.send("POST", path) for api in (by_ana, by_ben) * 3))
            holders = {answer.json()["claimedBy"] for answer in answers}
            assert len(holders) == 1, "those who lost are told who has it"
            assert sorted(answer.status_code for answer in answers) == [200] * 3 + [409] * 3
            for listener in (ana, ben):
                changes = await listener.until("order:changed", n + 1, wait=WAIT)
                assert {changes[n]["changes"]["claimedBy"]} == holders
        for api in (by_ana, by_ben):
            figures = await api.get("/api/stats")
            assert (figures["created"], figures["orders"]["received"], figures["firstContact"]["waiting"]) == (5, 5, 5)


async def test_the_client_package_asks_for_all_of_it(server: ServerProcess, api: Api) -> None:
    id = (await api.create(customerId=42, reference="Été 7"))["orderId"]
    async with server.api("admin", "ada") as ada:
        figures = await ada.get("/api/stats")
    said = await run_node("board.mjs", server.url, token("ana", "operator"), token("ada", "admin"), str(id))
    assert {key: value for line in said for key, value in line.items()} == {
        "claimed": "ana",
        "refused": [409, "ana"],
        "taken over": "ada",
        "released": None,
        "found": [id],
        "none": [],
        "created": figures["created"],
        "online": 2,
        "me": {"userId": "ana", "role": "operator", "shops": None},
        "set": {"ready": 90},
        "changed": {"targets": {"ready": 90}},
        "corrected": "received",
    }


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (None, ""),
        ("/session/renew", ""),
        ("https://id.shop.example/renew?for=board", " https://id.shop.example"),
        ("http://127.0.0.1:8080/x", " http://127.0.0.1:8080"),
    ],
)
async def test_the_page_may_ask_the_shop_for_tokens(tmp_path: Path, url: str | None, allowed: str) -> None:
    # Set to nothing, it is not set.
    shop = {"shop_name": "Trattoria", "login_url": "https://shop.example/login", "refresh_url": url or ""}
    with ServerProcess(tmp_path, 0, **shop) as server:
        async with server.api() as api:
            answer = {"shopName": "Trattoria", "loginUrl": "https://shop.example/login", "refreshUrl": url}
            assert await api.get("/board/sign-in.json") == answer
            policy = (await api.send("GET", "/board")).headers["content-security-policy"]
            assert f"connect-src 'self'{allowed} ws: wss:;" in policy
