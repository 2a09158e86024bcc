"""The same people and orders on a server that takes no time, by an imagined clock: hours in a moment.

It serves to ask what the measured run cannot in minutes: how the answer depends on how many people share an order.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field

from bench.results.model import Person, Step
from bench.results.plan import Plan


@dataclass
class Imagined:
    """What came of it: seconds from each order's creation, and claims that came too late."""

    reactions: list[float] = field(default_factory=list)
    contacts: list[float] = field(default_factory=list)
    conflicts: int = 0


class _Day:
    def __init__(self, plan: Plan, live: bool) -> None:
        self.people = [Person(n, plan.orders_of(n), plan.seed) for n in range(plan.operators)]
        self.result = Imagined()
        self._plan = plan
        self._live = live
        self._coming = deque(planned for planned in plan.stream if planned.status is None)
        self._polls = [] if live else [(plan.phase(n), n) for n in range(plan.operators)]
        heapq.heapify(self._polls)
        self._created: dict[int, float] = {}
        self._free: set[int] = set()

    def run(self) -> None:
        while len(self.result.contacts) < self._plan.orders:
            person = min(self.people, key=lambda one: one.due)
            arrival = self._coming[0].at if self._coming else math.inf
            poll = self._polls[0][0] if self._polls else math.inf
            if person.due <= min(arrival, poll):
                self._act(person)
            elif arrival <= poll:
                self._arrive()
            else:
                self._poll()

    def _arrive(self) -> None:
        planned = self._coming.popleft()
        self._created[planned.order] = planned.at
        self._free.add(planned.order)
        if self._live:
            for person in self.people:
                person.sees((planned.order,), (), planned.at)

    def _poll(self) -> None:
        now, number = self._polls[0]
        heapq.heapreplace(self._polls, (now + self._plan.interval, number))
        self._load(self.people[number], now)

    def _load(self, person: Person, now: float) -> None:
        person.sees(self._free, person.shown.keys() - self._free, now)

    def _act(self, person: Person) -> None:
        now = person.due
        act = person.act(now)
        if act is None:
            return
        taken = act.step is Step.CLAIM and act.order not in self._free
        person.answered(act, not taken, now)
        if taken:
            self.result.conflicts += 1
            self._load(person, now)
        elif act.step is Step.CLAIM:
            self._free.discard(act.order)
            self.result.reactions.append(now - self._created[act.order])
            if self._live:
                for each in self.people:
                    each.sees((), (act.order,), now)
        else:
            self.result.contacts.append(now - self._created[act.order])


def imagine(plan: Plan, live: bool) -> Imagined:
    """Runs a plan to its last contact."""
    day = _Day(plan, live)
    day.run()
    return day.result
