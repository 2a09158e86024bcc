"""Everyone gets everything that is theirs, in order: many sockets, many changes at once."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.harness import Api, ServerProcess

OPERATORS = CUSTOMERS = 50
STEPS = ("accepted", "preparing", "ready", "out_for_delivery")  # 50 orders × 4 steps: 200 changes


async def test_fifty_operators_and_fifty_customers_miss_nothing_of_200_changes(fresh_server: ServerProcess) -> None:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(fresh_server.api())
        orders = [(await api.create(customerId=customer))["orderId"] for customer in range(CUSTOMERS)]
        operators = [
            await stack.enter_async_context(fresh_server.listener(f"op-{n}", "operator")) for n in range(OPERATORS)
        ]
        customers = [await stack.enter_async_context(fresh_server.listener(n)) for n in range(CUSTOMERS)]

        await asyncio.gather(*(_take(api, order) for order in orders))

        feed = (await api.get(f"/api/events?after={CUSTOMERS}"))["events"]
        expected = [item["data"] for item in feed]
        assert [data["position"] for data in expected] == list(range(CUSTOMERS + 1, CUSTOMERS + 201))
        for operator in operators:
            assert await operator.until("order:status_changed", 200) == expected
        for customer, listener in enumerate(customers):
            heard = await listener.until("order:updated", len(STEPS))
            mine = [data for data in expected if data["customerId"] == customer]
            assert heard == [{k: data[k] for k in data if k not in ("customerId", "updatedBy")} for data in mine]
            assert [(data["status"], data["version"]) for data in heard] == list(zip(STEPS, range(2, 6), strict=True))
        for listener in (*operators, *customers):
            before = len(listener.heard)
            await listener.settle()
            assert len(listener.heard) == before, "something came twice"


async def _take(api: Api, order: object) -> None:
    for status in STEPS:
        await api.patch(order, status=status)
