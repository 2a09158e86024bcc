"""`DELETE /api/customers/{id}`: what those who are connected notice, and docs/howto/privacy.md as it is written."""

from __future__ import annotations

import asyncio

import httpx2

from tests.harness import Api, ServerProcess, token
from tests.manual import Terminal, blocks


async def test_sockets_end_and_operators_hear(server: ServerProcess, api: Api) -> None:
    await api.create(customerId=42, orderId=1, contact={"name": "Ms Jones"}, note="ring twice", reference="r")
    async with (
        server.listener(7, "operator") as operator,
        server.listener(42) as customer,
        server.listener(43) as other,
    ):
        await customer.watch(1)
        gone = asyncio.Event()
        customer.client.on("disconnect", lambda *_: gone.set())
        assert (await api.send("DELETE", "/api/customers/42")).status_code == 204
        async with asyncio.timeout(60):
            await gone.wait()
        assert customer.of("force_disconnect") == [{"reason": "revoked"}]
        assert customer.of("order:changed") == []
        (heard,) = await operator.until("order:changed", wait=60)
        assert heard["changes"].pop("customerId").startswith("anonymous-")
        assert heard["changes"] == {"contact": None, "note": None, "reference": None}
        await other.settle()
        assert other.heard == []
    async with server.api("customer", 42, iat=1) as theirs:
        assert (await theirs.send("GET", "/api/orders")).status_code == 401


async def test_refusals(server: ServerProcess, api: Api) -> None:
    for role, claims, status in (
        ("customer", {}, 403),
        ("operator", {}, 403),
        ("admin", {"shops": ["north"]}, 403),
        ("admin", {}, 204),
    ):
        async with server.api(role, 9, **claims) as caller:
            answer = await caller.send("DELETE", "/api/customers/nobody")
            assert answer.status_code == status, answer.text
    assert (await api.send("DELETE", "/api/customers/no%20id")).status_code == 422
    async with httpx2.AsyncClient(base_url=server.url) as nobody:
        assert (await nobody.delete("/api/customers/42")).status_code == 401


async def test_the_manual_on_privacy(server: ServerProcess, api: Api) -> None:
    await api.create(customerId=142, orderId=17, contact={"name": "Ms Jones"})
    shell = [block.text for block in blocks("howto/privacy.md", **{"_http://127.0.0.1:3001": server.url})]
    async with Terminal(server.folder) as terminal:
        await terminal.run(f"export SERVICE={token('shop', 'service')}")
        said = await terminal.run(shell[0])
    assert "204" in said
    order = await api.get("/api/orders/17")
    assert order["contact"] is None
    assert order["customerId"].startswith("anonymous-")
