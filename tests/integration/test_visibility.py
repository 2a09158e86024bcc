"""Who sees what: roles × rooms × events, over real sockets."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx2
import pytest
import socketio

from tests.harness import Api, Listener, ServerProcess

# Who listens: (user, role, further claims).
WHO: dict[str, tuple[object, str | None, dict[str, Any]]] = {
    "customer": (42, "customer", {}),
    "customer, no role": ("42", None, {}),
    "another customer": (43, "customer", {}),
    "operator": ("op", "operator", {}),
    "admin": ("ad", "admin", {}),
    "operator of shop north": ("n", "operator", {"shops": ["north"]}),
    "operator of shop south": ("s", "operator", {"shops": ["south"]}),
    "operator of no shop": ("z", "operator", {"shops": []}),
    "operator who is the customer": (42, "operator", {}),
    "service": ("shop", "service", {}),
}
CREATED, UPDATED, STATUS, CHANGED = "order:created", "order:updated", "order:status_changed", "order:changed"
AS_CUSTOMER = {CREATED, UPDATED, CHANGED}
AS_OPERATOR = {CREATED, STATUS, CHANGED}
HEARS = {
    "customer": AS_CUSTOMER,
    "customer, no role": AS_CUSTOMER,
    "another customer": set(),
    "operator": AS_OPERATOR,
    "admin": AS_OPERATOR,
    "operator of shop north": AS_OPERATOR,
    "operator of shop south": set(),
    "operator of no shop": set(),
    "operator who is the customer": {CREATED, UPDATED, STATUS, CHANGED},
    "service": set(),
}


async def test_everyone_hears_what_is_theirs_once_and_nothing_else(server: ServerProcess, api: Api) -> None:
    async with contextlib.AsyncExitStack() as stack:
        listeners = {
            name: await stack.enter_async_context(server.listener(user, role, **claims))
            for name, (user, role, claims) in WHO.items()
        }
        order = await api.create(customerId=42, shopId="north", note="ring twice")
        await api.patch(order["orderId"], status="accepted", updatedBy="kitchen")
        await api.patch(order["orderId"], note="do not ring")
        for name, listener in listeners.items():
            await listener.settle()
            assert sorted(event for event, _ in listener.heard) == sorted(HEARS[name]), name
        position = listeners["operator"].of(CREATED)[0]["position"]

        assert listeners["operator"].of(CREATED) == [order | {"position": position}]
        assert listeners["customer"].of(CREATED) == [order | {"position": position}]
        [updated] = listeners["customer"].of(UPDATED)
        assert set(updated) == {"orderId", "status", "updatedAt", "version", "position"}
        assert (updated["orderId"], updated["status"], updated["version"]) == (order["orderId"], "accepted", 2)
        [changed] = listeners["operator"].of(STATUS)
        assert changed == updated | {"customerId": 42, "updatedBy": "kitchen"}
        for name in ("operator", "customer"):
            assert listeners[name].of(CHANGED) == [
                {
                    "orderId": order["orderId"],
                    "changes": {"note": "do not ring"},
                    "version": 3,
                    "position": position + 2,
                }
            ]


@pytest.mark.parametrize("who", ["another customer", "operator of shop south", "operator of no shop"])
async def test_a_foreign_order_is_as_if_it_were_not_there(server: ServerProcess, api: Api, who: str) -> None:
    user, role, claims = WHO[who]
    order = await api.create(customerId=42, shopId="north")
    async with server.listener(user, role, **claims) as listener, server.api(role, user, **claims) as caller:
        denied = {"orderId": order["orderId"], "error": "not_found"}
        unknown = {"orderId": "no-such-order", "error": "not_found"}
        assert await listener.watch(order["orderId"]) == denied
        assert await listener.watch("no-such-order") == unknown
        await api.patch(order["orderId"], status="accepted")
        await listener.settle()
        assert listener.heard == [("watch:denied", denied), ("watch:denied", unknown)]

        for method, path in (("GET", ""), ("GET", "/events"), ("PATCH", ""), ("POST", "/contact")):
            body = {"json": {"status": "preparing"}} if method == "PATCH" else {}
            answers = [
                await caller.send(method, f"/api/orders/{id}{path}", **body)
                for id in (order["orderId"], "no-such-order")
            ]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].text == answers[1].text
        page = await caller.get("/api/orders")
        assert order["orderId"] not in [found["orderId"] for found in page["orders"]]
        feed = await caller.get("/api/events?after=0")
        assert order["orderId"] not in [item["data"]["orderId"] for item in feed["events"]]


async def test_watching_joins_with_a_snapshot_and_unwatching_leaves(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=77)
    async with server.listener("op", "operator") as listener:
        answer = await listener.watch(order["orderId"])
        assert answer == {
            "orderId": order["orderId"],
            "status": "received",
            "version": 1,
            "position": answer["position"],
        }
        assert await listener.until("watching") == [answer]
        await api.patch(order["orderId"], status="accepted")
        assert [event["version"] for event in await listener.until(UPDATED)] == [2]
        await listener.client.emit("unwatch:order", str(order["orderId"]))
        await listener.settle()
        await api.patch(order["orderId"], status="preparing")
        await listener.settle()
        assert len(listener.of(UPDATED)) == 1
        assert len(listener.of(STATUS)) == 2


async def test_a_customer_who_watches_their_own_order_hears_it_once(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=42)
    async with server.listener(42) as listener:
        for id in (order["orderId"], str(order["orderId"])):
            assert (await listener.watch(id))["version"] == 1
        await api.patch(order["orderId"], status="accepted")
        await listener.settle()
        assert len(listener.of(UPDATED)) == 1


async def test_clients_cannot_name_rooms_or_send_our_events(server: ServerProcess, api: Api) -> None:
    order = await api.create(customerId=42)
    async with server.listener(43) as intruder, server.listener(42) as victim:
        for event in ("join", "join:room", "order:updated", "order:status_changed", "subscribe"):
            await intruder.client.emit(event, {"room": f"order:{order['orderId']}", "orderId": order["orderId"]})
        await intruder.settle()
        await api.patch(order["orderId"], status="accepted")
        await victim.until(UPDATED)
        await intruder.settle()
        assert intruder.heard == []
        assert len(victim.heard) == 1


async def test_the_poll_fallback_hears_what_a_socket_would(server: ServerProcess, api: Api) -> None:
    for name, (user, role, claims) in WHO.items():
        async with server.api(role, user, **claims) as caller:
            start = (await caller.get("/api/events"))["cursor"]
            order = await api.create(customerId=42, shopId="north")
            await api.patch(order["orderId"], status="accepted")
            await api.patch(order["orderId"], note="changed")
            page = await caller.get(f"/api/events?after={start}")
            # A service has no room of its own, and its feed is this route.
            expected = AS_OPERATOR if name == "service" else HEARS[name]
            assert sorted(item["event"] for item in page["events"]) == sorted(expected), name
            assert page["cursor"].endswith(f".{page['position']}")
            assert (await caller.get(f"/api/events?after={page['cursor']}"))["events"] == []


async def test_a_long_poll_wakes_when_something_happens(server: ServerProcess, api: Api) -> None:
    import asyncio

    order = await api.create(customerId=42)
    async with server.api("customer", 42) as caller:
        cursor = (await caller.get("/api/events"))["cursor"]
        poll = asyncio.create_task(caller.get(f"/api/events?after={cursor}&wait=20"))
        await asyncio.sleep(0.1)
        await api.patch(order["orderId"], status="accepted")
        page = await poll
        assert [item["event"] for item in page["events"]] == ["order:updated"]


async def test_no_token_no_connection(server: ServerProcess) -> None:
    listener = Listener()
    with pytest.raises(socketio.exceptions.ConnectionError):
        await listener.connect(server.url, "")
    await listener.close()


async def test_a_share_link_shows_one_order_of_a_thousand(server: ServerProcess, api: Api) -> None:
    """A thousand foreign orders, asked for in every way that a share token opens: nothing is seen of them."""
    foreign = [(await api.create(customerId=42, orderId=f"foreign-{n}"))["orderId"] for n in range(1_000)]
    own = (await api.create(customerId=42, note="second bell"))["orderId"]
    share_token = (await api.share(own)).rpartition("/")[2]
    listener = Listener()
    await listener.connect(server.url, share_token)
    headers = {"Authorization": f"Bearer {share_token}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:
        guest = Api(client)
        start = (await guest.get("/api/events"))["cursor"]
        unknown = await guest.send("GET", "/api/orders/no-such-order")
        assert unknown.status_code == 404
        for id in foreign:
            assert await listener.watch(id) == {"orderId": id, "error": "not_found"}
            for path in ("", "/events"):
                answer = await guest.send("GET", f"/api/orders/{id}{path}")
                assert (answer.status_code, answer.text) == (404, unknown.text)
        listener.heard.clear()
        for id in (*foreign, own):
            await api.patch(id, status="accepted")
        await listener.until(UPDATED)
        await listener.settle()
        assert [(event, data["orderId"]) for event, data in listener.heard] == [(UPDATED, own)]
        page: dict[str, Any] = {"cursor": start}
        events: list[Any] = []
        while page.get("position", 0) < listener.heard[0][1]["position"]:
            page = await guest.get(f"/api/events?after={page['cursor']}")
            events += page["events"]
        assert [(item["event"], item["data"]["orderId"]) for item in events] == [(UPDATED, own)]
        assert [(await guest.send("GET", path)).status_code for path in ("/api/orders", "/api/presence")] == [403, 403]
    await listener.close()

    replayed = Listener()
    since = f"?since={start}"
    await replayed.connect(server.url + since, share_token)
    assert [data["orderId"] for data in await replayed.until(UPDATED)] == [own]
    await replayed.settle()
    assert [event for event, _ in replayed.heard] == [UPDATED], "what was missed, of the one order"
    await replayed.close()
