"""A sample shop whose orders keep moving: new ones come, somebody takes each, calls the customer and moves it along.

Some are late from the start, and some are left to whoever looks at the board.

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
from typing import Literal

from ordercast.errors import Problem
from ordercast.orders.models import Fulfilment, NewOrder, Order, now
from ordercast.orders.principal import Principal, Role
from ordercast.orders.service import OrderService

SHOP = Principal("demo-shop", Role.SERVICE)
CUSTOMER = "42"
"""Whose order the second link shows."""

OPERATOR = "ana"
"""Who looks at the board. The others leave alone what she takes."""

_OPERATORS = ("ben", "chiara", "dario")
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
_CLAIM = 2.0  # s until somebody takes a new order, on average
_CONTACT = 4.0  # s from there to the first contact
_STARTING = 12  # orders that are there from the start
_LATE = 3  # of those, which should have been there by now
_LEFT = 1 / 6  # of the orders are left to whoever looks on, for so long:
_PATIENCE = 75.0  # s, on average
_LOOK = 10.0  # s between looks at an order that somebody else has


def targets(speed: float = 1.0) -> dict[str, int]:
    """Seconds that an order may take in each status at such a pace: what takes longer than most of them do."""
    longest = {status: max(mean for _, _, mean in ways) for status, ways in _WAYS.items()}
    return {status: max(1, round(1.6 * mean / speed)) for status, mean in longest.items()}


@dataclass(frozen=True, slots=True)
class _Turn:
    """Somebody's turn at an order: to take it, to contact its customer or, where there is a status, to move it."""

    order_id: str
    who: Principal
    do: Literal["claim", "contact", "move"]
    status: str = ""


class DemoShop:
    """The shop. ``seed`` fixes what happens and when, as far as a running clock can. ``speed`` multiplies its pace."""

    def __init__(self, orders: OrderService, seed: int = 2016, speed: float = 1.0) -> None:
        self._orders = orders
        self._random = random.Random(seed)  # noqa: S311 - a plausible shop, not a secret
        self._speed = speed
        self._due: list[tuple[float, int, _Turn | None]] = []  # None: a new order comes
        self._tie = count()
        self._customers = self._endless_customers()

    async def open(self) -> Order:
        """Fills the shop and returns the order that the customer's link shows."""
        order = await self._new_order(CUSTOMER)
        self._at(self._wait(_CLAIM), _Turn(order.order_id, self._operator(), "claim"))
        for n in range(_STARTING - 1):
            other = await self._new_order(next(self._customers), late=n < _LATE)
            steps = n % 4
            if not steps:  # nobody has seen it yet
                self._at(self._wait(_PATIENCE), _Turn(other.order_id, self._operator(), "claim"))
                continue
            who = self._operator()
            other = (await self._orders.claim(other.order_id, who)).order
            other = (await self._orders.contact(other.order_id, who)).order
            for _ in range(steps):
                turn = self._next(other, who)
                if turn is not None:
                    other = (await self._orders.update(other.order_id, who, status=turn[1].status)).order
            self._plan(other, who, self._random.random())  # it has been there for a while
        self._at(0, None)
        return order

    async def run(self) -> None:
        """Keeps the shop moving until cancelled."""
        while True:
            await asyncio.sleep(max(self._due[0][0] - monotonic(), 0))
            turn = heapq.heappop(self._due)[2]
            if turn is not None:
                await self._take(turn)
                continue
            order = await self._new_order(next(self._customers))
            patience = _PATIENCE if self._random.random() < _LEFT else _CLAIM
            self._at(self._wait(patience), _Turn(order.order_id, self._operator(), "claim"))
            self._at(self._wait(_ARRIVALS), None)

    async def _take(self, turn: _Turn) -> None:
        id, who = turn.order_id, turn.who
        order = await self._orders.get(id, SHOP)
        if order.claimed_by not in (None, *_OPERATORS):  # an operator of flesh and blood has it
            if order.status in _WAYS:
                self._at(self._wait(_LOOK), turn)
            return
        with suppress(Problem):  # somebody was faster, just now
            if turn.do == "claim" or order.claimed_by is None:  # given back, perhaps
                order = (await self._orders.claim(id, who, order.claimed_by)).order
                self._at(self._wait(_CONTACT), _Turn(id, who, "contact"))
                return
            if turn.do == "contact" and order.first_contact_at is None:
                order = (await self._orders.contact(id, who)).order
            if turn.do == "move":
                order = (await self._orders.update(id, who, status=turn.status)).order
        self._plan(order, who)

    async def _new_order(self, customer: str, late: bool = False) -> Order:
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
                expected_at=now() + timedelta(minutes=-pick.randint(2, 6) if late else pick.randint(20, 45)),
            ),
            SHOP,
        )
        return written.order

    def _plan(self, order: Order, who: Principal, part: float = 1.0) -> None:
        """The next step of an order, after this part of the time that it takes."""
        if (turn := self._next(order, who)) is not None:
            self._at(part * turn[0], turn[1])

    def _next(self, order: Order, who: Principal) -> tuple[float, _Turn] | None:
        ways = _WAYS.get(order.status)
        if ways is None:
            return None
        if order.status == "ready":
            ways = ways[1:] if order.fulfilment is Fulfilment.PICKUP else ways[:1]
        if order.customer_id == CUSTOMER:
            ways = ways[:1]  # the order one watches goes all the way
        status, _, mean = self._random.choices(ways, [weight for _, weight, _ in ways])[0]
        return self._wait(mean), _Turn(order.order_id, who, "move", status)

    def _wait(self, mean: float) -> float:
        return self._random.uniform(0.5, 1.5) * mean / self._speed

    def _at(self, wait: float, turn: _Turn | None) -> None:
        heapq.heappush(self._due, (monotonic() + wait, next(self._tie), turn))

    def _operator(self) -> Principal:
        return Principal(self._random.choice(_OPERATORS), Role.OPERATOR)

    def _endless_customers(self) -> Iterator[str]:
        for number in count(100):
            yield str(number)
