"""The shop's backend in `tests.survive`: creates orders, moves them on, and keeps what was acknowledged."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.harness import Api, Json, api_at, token
from tests.sites import Site

LAP = ("accepted", "preparing", "ready", "out_for_delivery", *("failed_delivery", "out_for_delivery") * 10_000)
LANES = 16  # changes under way at once, at the most

AGE = 7_200  # s
LIFE = 86_400.0  # s


class Unanswered(Exception):
    """A server, or what stands behind it, is away: the change may have been made or not."""


def old_token(user: object, role: str) -> str:
    """A token as people have them who signed in two hours ago for a day: also a clock that is an hour off takes it."""
    return token(user, role, lifetime=LIFE, iat=int(time.time()) - AGE)


def api_of(site: Site) -> AbstractAsyncContextManager[Api]:
    """REST as the shop's backend."""
    return api_at(f"http://127.0.0.1:{site.port}", lifetime=LIFE, iat=int(time.time()) - AGE)


class Shop:
    """``rate``: changes per second; ``history``: the file for what was acknowledged, and when (ms since 1970)."""

    def __init__(self, site: Site, customers: int, rate: float, seed: int, history: Path) -> None:
        self._site = site
        self._rate = rate
        self._dice = random.Random(seed)
        self._history = history.open("w")
        self.customers = customers
        self.orders: dict[int, list[Json]] = {customer: [] for customer in range(self.customers)}
        self.changes = 0
        self._at: dict[Any, int] = {}

    async def open(self) -> Any:
        """An order for each customer, and one of nobody, whose id this gives."""
        async with api_of(self._site) as api:
            for customer in range(self.customers):
                await self.create(api, customer)
            return (await api.create(customerId="nobody"))["orderId"]

    def acknowledged(self, order: Json, asked: float) -> None:
        """Keeps it, before anything else happens. ``asked``: when, in s since 1970."""
        kept = {name: order[name] for name in ("orderId", "version", "status")}
        record = {"writer": "shop", **kept, "asked": asked * 1e3, "at": time.time() * 1e3}
        print(json.dumps(record), file=self._history, flush=True)
        self.changes += 1

    async def create(self, api: Api, customer: int) -> Json:
        """A new order of this customer."""
        order = await self._done(api, "POST", "/api/orders", {"customerId": customer})
        self.orders[customer].append(order)
        self._at[order["orderId"]] = 0
        return order

    async def work(self, over: asyncio.Event) -> None:
        """Makes changes at its rate, each order's one after the other, until it is over."""
        ids = [order["orderId"] for orders in self.orders.values() for order in orders]
        lanes = [ids[lane::LANES] for lane in range(LANES)]
        async with api_of(self._site) as api:
            await asyncio.gather(*(self._lane(api, lane, over) for lane in lanes if lane))

    async def _lane(self, api: Api, ids: list[Any], over: asyncio.Event) -> None:
        loop, pause = asyncio.get_running_loop(), LANES / self._rate
        due = loop.time() + self._dice.uniform(0, pause)
        while not over.is_set():
            await asyncio.sleep(max(due - loop.time(), 0))
            due = max(due + pause, loop.time() - 1)  # what a restart held up is made up for, within reason
            with suppress(httpx2.TransportError, Unanswered):
                await self._change(api, self._dice.choice(ids))

    async def _change(self, api: Api, id: Any) -> None:
        what = self._dice.random()
        if what < 0.03:
            await self.create(api, self._dice.randrange(self.customers))
        elif what < 0.1:
            await self._done(api, "PATCH", f"/api/orders/{id}", {"note": f"note {self.changes}"})
        else:
            place = self._at[id]
            if await self._done(api, "PATCH", f"/api/orders/{id}", {"status": LAP[place]}):
                self._at[id] = place + 1
            else:  # the answer to the change before was lost: it is further than we know
                status = (await self._send(api, "GET", f"/api/orders/{id}")).json()["status"]
                self._at[id] = LAP.index(status, max(place - 1, 0)) + 1

    async def _done(self, api: Api, method: str, path: str, body: Json) -> Json:
        """The order as it was acknowledged, which is kept; nothing where the workflow said no."""
        asked = time.time()
        response = await self._send(api, method, path, json=body)
        if response.status_code == 409:
            return {}
        order: Json = response.json()
        self.acknowledged(order, asked)
        return order

    async def _send(self, api: Api, method: str, path: str, **more: Any) -> httpx2.Response:
        response = await api.send(method, path, **more)
        if response.status_code in (502, 503, 504):
            raise Unanswered(response.text)
        assert response.status_code in (200, 201, 409), response.text
        return response

    def close(self) -> None:
        """No more changes."""
        self._history.close()
