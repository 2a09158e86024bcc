"""The shop behind a board: many open orders, of which one after the other moves on."""

from __future__ import annotations

import json
import time
from collections import deque

from bench.contenders import token
from bench.http import Connection
from bench.loop import Failed, Loop

_OPEN = ("received", "accepted", "preparing", "ready", "out_for_delivery")
_PATIENCE = 120.0  # s
_AT_ONCE = 8


class BoardShop:
    """Its orders never end: the backend may set any status, so each goes round all the columns."""

    def __init__(self, loop: Loop, port: int) -> None:
        headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
        self._loop = loop
        self._idle = deque(Connection(loop, port, headers) for _ in range(_AT_ONCE))
        self._at: list[int] = []
        self._done = 0

    def create(self, count: int) -> None:
        """Orders in every column, like those of a trattoria."""
        self._at = [number % len(_OPEN) for number in range(count)]
        self._done, sent = 0, 0

        def more() -> bool:
            nonlocal sent
            while self._idle and sent < count:
                self._put(sent)
                sent += 1
            return self._done == count

        if not self._loop.run(more, _PATIENCE):
            raise Failed(f"only {self._done} of {count} orders were created")

    def change(self, rate: float, seconds: float) -> int:
        """So many a second, each due at its time; returns how many were answered by the end."""
        began, self._done, sent = time.perf_counter(), 0, 0
        count = len(self._at)

        def more() -> bool:
            nonlocal sent
            now = time.perf_counter() - began
            while self._idle and sent < min(now, seconds) * rate:
                number = sent * 7919 % count  # a prime: all over the board
                self._at[number] = (self._at[number] + 1) % len(_OPEN)
                self._put(number)
                sent += 1
            return now >= seconds

        self._loop.run(more, seconds + _PATIENCE)
        return self._done

    def _put(self, number: int) -> None:
        connection = self._idle.popleft()

        def answered(status: int, body: bytes) -> None:
            if status not in (200, 201):
                raise Failed(f"an order was answered with {status}: {body.decode(errors='replace')}")
            self._done += 1
            self._idle.append(connection)

        order = {
            "customerId": number + 1,
            "status": _OPEN[self._at[number]],
            "reference": f"T-{number}",
            "fulfilment": "delivery",
            "contact": {"name": "Kofi"},
            "items": [{"name": "Margherita", "quantity": 1 + number % 2}, {"name": "Limonata", "quantity": 1}],
        }
        connection.send("PUT", f"/api/orders/{number + 1}", json.dumps(order).encode(), answered)
