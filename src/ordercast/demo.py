"""A sample shop whose orders keep moving: new ones come, each goes its way at its own pace, someone calls customers.

It is a client of the domain like any shop's backend: it knows `OrderService` and nothing else.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from time import monotonic

from ordercast.errors import Problem
from ordercast.orders.models import Fulfilment, NewOrder, Order, now
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService

SHOP = Principal("demo-shop", Role.SERVICE)
CUSTOMER = "42"
"""Whose order the second link shows."""

_OPERATORS = ("ana", "ben", "chiara")
_MENU = (
    ("Margherita", 8.5),
    ("Quattro formaggi", 11.0),
    ("Diavola", 10.5),
    ("Tiramisù", 5.5),
    ("Insalata mista", 6.0),
    ("Lasagne", 12.0),
    ("Limonata", 3.0),
)
_NAMES = ("Noor", "Mateo", "Aiko", "Lena", "Omar", "Priya", "Jonas", "Sofia", "Kofi", "Inès", "Tomás", "Mei")

# The next status, its weight, and the mean time (s) until it comes: fast enough to watch, slow enough to follow.
_WAYS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "received": (("accepted", 0.93, 6), ("rejected", 0.04, 8), ("cancelled", 0.03, 10)),
    "accepted": (("preparing", 1.0, 6),),
    "preparing": (("ready", 0.98, 12), ("cancelled", 0.02, 8)),
    "ready": (("out_for_delivery", 1.0, 6), ("collected", 1.0, 8)),
    "out_for_delivery": (("delivered", 0.94, 14), ("failed_delivery", 0.06, 12)),
    "failed_delivery": (("out_for_delivery", 1.0, 10),),
}
_ARRIVALS = 3.0  # s between new orders, on average
_CONTACT = 7.0  # s to the first contact, on average
_STARTING = 12  # orders that are there from the start


@dataclass(frozen=True, slots=True)
class _Move:
    order_id: str
    status: str | None  # None: a person contacts the customer


class DemoShop:
    """The shop. ``seed`` fixes what happens and when, as far as a running clock can. ``speed`` multiplies its pace."""

    def __init__(self, orders: OrderService, seed: int = 2016, speed: float = 1.0) -> None:
        self._orders = orders
        self._random = random.Random(seed)  # noqa: S311 - a plausible shop, not a secret
        self._speed = speed
        self._due: list[tuple[float, int, _Move | None]] = []  # None: a new order comes
        self._tie = count()
        self._customers = self._endless_customers()

    async def open(self) -> Order:
        """Fills the shop and returns the order that the customer's link shows."""
        order = await self._new_order(CUSTOMER)
        for _ in range(_STARTING - 1):
            other = await self._new_order(next(self._customers))
            for _ in range(self._random.randrange(4)):
                move = self._next_move(other)
                if move is None or move[1].status is None:
                    break
                other = await self._orders.change_status(other.order_id, move[1].status, self._operator())
            self._plan(other)
        self._at(0, None)
        return order

    async def run(self) -> None:
        """Keeps the shop moving until cancelled."""
        while True:
            at, _, move = heapq.heappop(self._due)
            await asyncio.sleep(max(at - monotonic(), 0))
            with suppress(Problem):  # an operator of flesh and blood was faster
                if move is None:
                    await self._new_order(next(self._customers))
                    self._at(self._wait(_ARRIVALS), None)
                else:
                    await self._make(move)

    async def _make(self, move: _Move) -> None:
        operator = self._operator()
        if move.status is None:
            await self._orders.contact(move.order_id, Principal(operator, Role.OPERATOR))
            return
        try:
            order = await self._orders.change_status(move.order_id, move.status, operator)
        except Problem:
            # Someone moved it elsewhere: go on from there.
            order = await self._orders.get(move.order_id, SHOP)
        self._plan(order)

    async def _new_order(self, customer: str) -> Order:
        pick = self._random
        basket = [(name, pick.choice((1, 1, 1, 2)), price) for name, price in pick.sample(_MENU, pick.randint(1, 3))]
        pickup = customer != CUSTOMER and pick.random() < 0.25
        name = _NAMES[int(customer) % len(_NAMES)]
        written = await self._orders.create(
            NewOrder(
                customer_id=customer,
                shop_id="trattoria",
                reference=f"T-{pick.randrange(1000, 9999)}",
                fulfilment=Fulfilment.PICKUP if pickup else Fulfilment.DELIVERY,
                items=[{"name": name, "quantity": n, "price": price} for name, n, price in basket],
                total=sum(n * price for _, n, price in basket),
                currency="EUR",
                contact={"name": name},
                expected_at=now() + timedelta(minutes=pick.randint(20, 45)),
            ),
            SHOP,
        )
        self._at(self._wait(_CONTACT), _Move(written.order.order_id, None))
        self._plan(written.order)
        return written.order

    def _plan(self, order: Order) -> None:
        if (move := self._next_move(order)) is not None:
            self._at(*move)

    def _next_move(self, order: Order) -> tuple[float, _Move] | None:
        ways = _WAYS.get(order.status)
        if ways is None:
            return None
        if order.status == "ready":
            ways = ways[1:] if order.fulfilment is Fulfilment.PICKUP else ways[:1]
        if order.customer_id == CUSTOMER:
            ways = ways[:1]  # the order one watches goes all the way
        status, _, mean = self._random.choices(ways, [weight for _, weight, _ in ways])[0]
        return self._wait(mean), _Move(order.order_id, status)

    def _wait(self, mean: float) -> float:
        return self._random.uniform(0.5, 1.5) * mean / self._speed

    def _at(self, wait: float, move: _Move | None) -> None:
        heapq.heappush(self._due, (monotonic() + wait, next(self._tie), move))

    def _operator(self) -> str:
        return self._random.choice(_OPERATORS)

    def _endless_customers(self) -> Iterator[str]:
        for number in count(100):
            yield str(number)
