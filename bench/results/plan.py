"""What happens in a run, from the seed alone, pure: the same orders come at the same times with either screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random

KITCHEN = ("accepted", "preparing", "ready")
"""How an order moves on meanwhile, by the shop's own backend: changes that all screens have to follow."""
_STEP = (6.0, 18.0)  # s between two of those


@dataclass(frozen=True, slots=True)
class Planned:
    """The shop's backend does this ``at`` seconds after the beginning: creates an order, or moves it to a status."""

    at: float
    order: int
    status: str | None = None


@dataclass(frozen=True)
class Plan:
    """``seconds`` of orders that come at random (Poisson), ``rate`` a minute. Orders are numbered from 1.

    ``team``: how many operators look after the same orders. ``interval``: how often a polling screen asks (s).
    """

    seconds: float
    operators: int = 50
    team: int = 1
    rate: float = 60.0
    interval: float = 30.0
    seed: int = 2016

    def __post_init__(self) -> None:
        if self.operators % self.team:
            raise ValueError(f"{self.operators} operators cannot be in teams of {self.team}: choose a divisor")

    @cached_property
    def stream(self) -> tuple[Planned, ...]:
        """All that the shop does, in order; at least one order."""
        return tuple(sorted(self._orders(), key=lambda planned: planned.at))

    def _orders(self) -> Iterator[Planned]:
        random = Random(self.seed)
        at, number = min(random.expovariate(self.rate / 60), self.seconds / 2), 0
        while at < self.seconds:
            number += 1
            yield Planned(at, number)
            moved = at
            for status in KITCHEN:
                moved += random.uniform(*_STEP)
                if moved < self.seconds:
                    yield Planned(moved, number, status)
            at += random.expovariate(self.rate / 60)

    @cached_property
    def orders(self) -> int:
        """How many come."""
        return sum(planned.status is None for planned in self.stream)

    def orders_of(self, person: int) -> frozenset[int]:
        """Those that an operator looks after with their team. Which team an order is for is chance, too."""
        return self._by_team[person // self.team]

    @cached_property
    def _by_team(self) -> tuple[frozenset[int], ...]:
        random, teams = Random(f"{self.seed}/teams"), range(self.operators // self.team)
        whose = [random.choice(teams) for _ in range(self.orders)]
        return tuple(frozenset(n for n, team in enumerate(whose, 1) if team == mine) for mine in teams)

    def phase(self, person: int) -> float:
        """When a polling screen asks for the first time (s): people do not open their pages at the same moment."""
        return Random(f"{self.seed}/phase/{person}").uniform(0, self.interval)
