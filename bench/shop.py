"""The shop's backend: it creates orders and changes their statuses over REST, and knows what must be heard of it."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.contenders import token
from bench.crowd import Client
from bench.http import Connection
from bench.loop import Failed, Loop
from bench.packets import Key

_PATH = ("accepted", "preparing", "ready", "out_for_delivery")
_ROUND = ("failed_delivery", "out_for_delivery")  # for ever, as the default workflow allows
_PATIENCE = 60.0  # s


@dataclass(slots=True)
class _Order:
    id: bytes
    version: int = 1
    steps: int = 0

    def next(self) -> str:
        """The status that it gets next."""
        steps, self.steps = self.steps, self.steps + 1
        return _PATH[steps] if steps < len(_PATH) else _ROUND[(steps - len(_PATH)) % 2]


class Shop:
    """At most one request per connection and one change per order are under way.

    ``sent`` has when each change was due, ``changed`` the changes that were answered.
    """

    def __init__(self, loop: Loop, port: int, connections: int) -> None:
        headers = {"Authorization": f"Bearer {token('shop', 'service')}"}
        self._loop = loop
        self._all = [Connection(loop, port, headers) for _ in range(connections)]
        self._idle = deque(self._all)
        self._orders: deque[_Order] = deque()
        self.orders: dict[bytes, object] = {}
        self.sent: dict[Key, float] = {}
        self.changed: set[Key] = set()
        self.answers: list[float] = []

    def create(self, customers: Sequence[object]) -> None:
        """One order per customer named."""
        waiting = deque(customers)

        def more() -> bool:
            while waiting and self._idle:
                customer = waiting.popleft()
                self._create(self._idle.popleft(), customer)
            return len(self.orders) == len(customers)

        if not self._loop.run(more, _PATIENCE):
            raise Failed(f"only {len(self.orders)} of {len(customers)} orders were created")

    def _create(self, connection: Connection, customer: object) -> None:
        def created(status: int, body: bytes) -> None:
            if status != 201:
                raise Failed(f"an order was answered with {status}: {body.decode(errors='replace')}")
            id = str(json.loads(body)["orderId"]).encode()
            self.orders[id] = customer
            self._orders.append(_Order(id))
            self._idle.append(connection)

        connection.send("POST", "/api/orders", json.dumps({"customerId": customer}).encode(), created)

    def change_closed(self, seconds: float) -> None:
        """Every connection sends its next change when the last is answered, for so long and until all are."""
        end = time.perf_counter() + seconds

        def more() -> bool:
            now = time.perf_counter()
            while self._idle and now < end:
                self._change(now)
            return now >= end and len(self._idle) == len(self._all)

        if not self._loop.run(more, seconds + _PATIENCE):
            raise Failed("some changes were never answered")

    def change_open(self, rate: float, number: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        """A steady rate, whether or not the server keeps up; one that must wait counts from when it was due."""
        began = time.perf_counter()
        begun = 0

        def more() -> bool:
            nonlocal begun
            meanwhile()
            due = began + begun / rate
            while begun < number and due <= time.perf_counter() and self._idle and self._orders:
                self._change(due)
                begun += 1
                due = began + begun / rate
            if begun < number:
                self._loop.wake_at(due)
            return begun == number and len(self._idle) == len(self._all)

        if not self._loop.run(more, number / rate + _PATIENCE):
            raise Failed(f"only {len(self.changed)} of {number} changes were answered")

    def _change(self, due: float) -> None:
        connection, order = self._idle.popleft(), self._orders.popleft()
        key = (order.id, order.version + 1)
        self.sent[key] = due

        def changed(status: int, body: bytes) -> None:
            if status != 200:
                raise Failed(f"a change was answered with {status}: {body.decode(errors='replace')}")
            self.answers.append(time.perf_counter() - due)
            order.version = json.loads(body)["version"]
            if order.version != key[1]:
                raise Failed(f"a change made version {order.version} of order {order.id.decode()}, not {key[1]}")
            self.changed.add(key)
            self._orders.append(order)
            self._idle.append(connection)

        body = b'{"status":"' + order.next().encode() + b'"}'
        connection.send("PATCH", f"/api/orders/{order.id.decode()}", body, changed)

    def close(self) -> None:
        """Drops its connections."""
        for connection in self._all:
            connection.close()


class Lateness:
    """How long after a change was due its events came: a histogram, for there are millions. Hears for a crowd.

    ``one_in``: only every so-manieth client's deliveries, so that taking times does not slow the load down.
    """

    _BIN = 10_000  # a second: 0.1 ms each
    _TOP = 300_000  # 30 s

    def __init__(self, sent: dict[Key, float], one_in: int = 1) -> None:
        self._sent = sent
        self._one_in = one_in
        self._bins = [0] * (self._TOP + 1)
        self.worst = 0.0

    def __call__(self, client: Client, keys: tuple[Key, ...]) -> None:
        """See `crowd.Heard`."""
        if client.number % self._one_in:
            return
        now = time.perf_counter()
        sent, bins = self._sent, self._bins
        for key in keys:
            late = now - sent[key]
            bins[min(int(late * self._BIN), self._TOP)] += 1
            if late > self.worst:
                self.worst = late

    def clear(self) -> None:
        """Begins anew."""
        self._bins = [0] * (self._TOP + 1)
        self.worst = 0.0

    def quantile(self, share: float) -> float:
        """Seconds that this share of the deliveries kept to, to a tenth of a millisecond."""
        wanted = share * sum(self._bins)
        seen = 0
        for bin, count in enumerate(self._bins):
            seen += count
            if seen >= wanted and seen:
                return (bin + 0.5) / self._BIN
        return 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """Of a list."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
