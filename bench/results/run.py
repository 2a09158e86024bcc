"""One run: a server, the shop's backend, and people at their screens, all in real time."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bench.contenders import SECRET, Contender, Running, running, token
from bench.http import Connection
from bench.loop import Failed, Loop
from bench.results import figures
from bench.results.figures import PERSON, Logged, Seen
from bench.results.model import Act, Person, Step
from bench.results.plan import KITCHEN, Plan, Planned
from bench.results.screens import LiveScreens, Shown

SERVE = Contender(
    "ordercast serve",
    (sys.executable, "-m", "ordercast", "serve", "--port", "{port}"),
    {"ORDERCAST_JWT_SECRET": SECRET, "ORDERCAST_DATABASE_URL": "sqlite:///{folder}/orders.db"},
)
PATIENCE = 600.0
"""s after the last order: by then people have worked off whatever queue there was, or something is wrong."""

LONGEST = 500
"""Orders in one answer; all stay open in a run, as the last step of an order's way is nobody's here."""
_LIST = f"/api/orders?status={','.join(('received', *KITCHEN))}&limit={LONGEST}"
_SHORTEST = 0.0005  # s: a wait of 0 would spin until an answer comes

Tell = Callable[[float, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run's figures; lists in seconds. ``requests``: a minute, by method. ``cpu``: the server's, of one core."""

    updates: list[float]
    reactions: list[float]
    contacts: list[float]
    requests: dict[str, float]
    cpu: float
    events: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class _Meter:
    at: float
    requests: dict[str, float]
    cpu: float


class _Shift:
    """``tell``: called with the seconds so far and the orders contacted."""

    def __init__(self, loop: Loop, server: Running, plan: Plan, live: bool, tell: Tell, patience: float) -> None:
        self._loop, self._server, self._plan, self._tell = loop, server, plan, tell
        self._patience = plan.seconds + patience
        numbers = range(plan.operators)
        users = [(f"{PERSON}{n}", token(f"{PERSON}{n}", "operator")) for n in numbers]
        self._people = [Person(n, plan.orders_of(n), plan.seed) for n in numbers]
        self._browsers = [self._connection(text) for _, text in users]
        self._shop = self._connection(token("shop", "service"))
        self._live = LiveScreens(loop, server.port, self._show) if live else None
        if self._live is not None:
            self._live.connect(users)
        self._waiting = 0  # answers
        self._seen: list[Seen] = []
        self._versions: list[dict[int, int]] = [{} for _ in numbers]
        self._contacted = self._conflicts = 0
        self._meters: list[_Meter] = []
        self._read_meter()
        self._run(lambda: not self._waiting, "the server does not answer /metrics")
        self._began = time.time()
        self._end: float | None = self._began + plan.seconds  # ``None`` once that is read
        self._stream = deque(plan.stream)
        self._polls = [] if live else [self._began + plan.phase(n) for n in numbers]

    def _connection(self, text: str) -> Connection:
        return Connection(self._loop, self._server.port, {"Authorization": f"Bearer {text}"})

    def work(self) -> Measured:
        """The whole plan, to the last contact and the last screen."""
        orders = self._plan.orders
        self._run(
            lambda: self._turn() and self._contacted == orders and self._end is None and not self._waiting,
            "some customers were never contacted",
        )
        log = self._log()
        newest = {event.order: event.version for event in log}
        self._run(
            lambda: self._turn() and all(versions == newest for versions in self._versions),
            "some screens never showed all that happened",
        )
        return self._measured(log)

    def close(self) -> None:
        """Drops all connections."""
        for connection in (*self._browsers, self._shop):
            connection.close()
        if self._live is not None:
            self._live.close()

    def _run(self, until: Callable[[], bool], otherwise: str) -> None:
        if not self._loop.run(until, self._patience):
            raise Failed(otherwise)

    def _turn(self) -> bool:
        """Does all that is due, and asks to be called when the next is."""
        now = time.time()
        while self._stream and self._began + self._stream[0].at <= now:
            self._do(self._stream.popleft())
        for number, due in enumerate(self._polls):
            if due <= now:
                self._polls[number] += self._plan.interval
                self._load(number)
        for person in self._people:
            if person.due <= now and (act := person.act(now)) is not None:
                self._act(person, act)
        if self._end is not None and self._end <= now:
            self._end = None
            self._read_meter()
        if self._live is not None:
            self._live.check()
        self._tell(now - self._began, self._contacted)
        dues = [*self._polls, *(person.due for person in self._people)]
        if self._stream:
            dues.append(self._began + self._stream[0].at)
        self._loop.wake_at(time.perf_counter() + max(min(dues) - time.time(), _SHORTEST))
        return True

    # -- what happens ----------------------------------------------------------------------------------------

    def _do(self, planned: Planned) -> None:
        if planned.status is None:
            body = {"orderId": planned.order, "customerId": 10_000 + planned.order}
            self._send(self._shop, "POST", "/api/orders", body, _must(201))
        else:
            self._send(self._shop, "PATCH", f"/api/orders/{planned.order}", {"status": planned.status}, _must(200))

    def _act(self, person: Person, act: Act) -> None:
        def answered(status: int, body: bytes) -> None:
            if status not in (200, 409):
                _must(200)(status, body)
            done = status == 200
            person.answered(act, done, time.time())
            if act.step is Step.CONTACT:
                _must(200)(status, body)
                self._contacted += 1
            elif not done:
                self._conflicts += 1
                if self._live is None:
                    self._load(person.number)

        path = f"/api/orders/{act.order}/{act.step.value}"
        self._send(self._browsers[person.number], "POST", path, None, answered)

    def _load(self, number: int) -> None:
        def loaded(status: int, body: bytes) -> None:
            _must(200)(status, body)
            self._show(number, _orders(body))

        self._send(self._browsers[number], "GET", _LIST, None, loaded)

    def _show(self, number: int, shown: tuple[Shown, ...]) -> None:
        """A person's screen has news."""
        now, versions = time.time(), self._versions[number]
        for each in shown:
            if each.version > versions.get(each.order, 0):
                versions[each.order] = each.version
                self._seen.append(Seen(number, each.order, each.version, now))
        free = [each.order for each in shown if each.taken is False]
        self._people[number].sees(free, [each.order for each in shown if each.taken], now)

    def _send(
        self, through: Connection, method: str, path: str, body: Any, answer: Callable[[int, bytes], None]
    ) -> None:
        def answered(status: int, data: bytes) -> None:
            self._waiting -= 1
            answer(status, data)

        self._waiting += 1
        through.send(method, path, b"" if body is None else json.dumps(body).encode(), answered)

    # -- what is read of it ----------------------------------------------------------------------------------

    def _read_meter(self) -> None:
        def read(status: int, body: bytes) -> None:
            _must(200)(status, body)
            self._meters.append(_Meter(time.time(), figures.requests(body.decode()), self._server.cpu_seconds()))

        self._send(self._shop, "GET", "/metrics", None, read)

    def _log(self) -> list[Logged]:
        """The server's own, by order."""
        asking = self._connection(token("reader", "admin"))
        orders = range(1, self._plan.orders + 1)
        log = [entry for n in orders for entry in figures.logged(asking.call("GET", f"/api/orders/{n}/events"))]
        asking.close()
        return log

    def _measured(self, log: list[Logged]) -> Measured:
        before, after = self._meters
        return Measured(
            updates=figures.updates(log, self._seen, range(self._plan.operators)),
            reactions=figures.reactions(log),
            contacts=figures.contacts(log),
            requests=figures.per_minute(before.requests, after.requests, after.at - before.at),
            cpu=(after.cpu - before.cpu) / (after.at - before.at),
            events=len(log),
            conflicts=self._conflicts,
        )


def _must(expected: int) -> Callable[[int, bytes], None]:
    def check(status: int, body: bytes) -> None:
        if status != expected:
            raise Failed(f"a request was answered with {status}: {body.decode(errors='replace')}")

    return check


@lru_cache(maxsize=64)
def _orders(body: bytes) -> tuple[Shown, ...]:
    """The orders of a list as a screen shows them. Many get the same one."""
    return tuple(
        Shown(int(order["orderId"]), order["version"], order["claimedBy"] is not None)
        for order in json.loads(body)["orders"]
    )


def measure(
    plan: Plan, live: bool, tell: Tell = lambda seconds, contacted: None, patience: float = PATIENCE
) -> Measured:
    """Runs a plan with live screens, or with polling ones. ``patience``: s from the last order to the last screen.

    Raises `Failed` where anything was lost, ``ValueError`` for more orders than a polling screen's list can hold.
    """
    if plan.orders > LONGEST:
        raise ValueError(
            f"{plan.orders} orders are more than a screen lists ({LONGEST}): choose less time or a lower rate"
        )
    loop = Loop()
    try:
        with running(SERVE, os.sched_getaffinity(0)) as server:
            shift = _Shift(loop, server, plan, live, tell, patience)
            try:
                return shift.work()
            finally:
                shift.close()
    finally:
        loop.close()
