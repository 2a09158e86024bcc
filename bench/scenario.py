"""What a benchmark is: something measured the same way on several servers, and what we want it to be."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.contenders import ORDERCAST, Contender
from bench.loop import Failed

Figures = Mapping[str, float]
"""What one round on one server gave, by the names of `Scenario.columns`; what does not apply is left out."""


@dataclass(frozen=True, slots=True)
class Column:
    """One figure. ``name`` has its unit."""

    name: str
    digits: int = 1
    higher_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a figure of ours should reach: at least or at most ``limit``, times that of another if one is named."""

    work: str
    column: str
    limit: float
    of: Contender | None = None
    at_least: bool = False
    stretch: float | None = None

    def reached(self, value: float, limit: float) -> bool:
        """Whether a value keeps to a limit."""
        return value >= limit if self.at_least else value <= limit


class Outcomes:
    """All rounds of a scenario so far."""

    def __init__(self, contenders: Sequence[Contender]) -> None:
        self.figures: dict[Contender, list[Figures]] = {contender: [] for contender in contenders}
        self.failures: dict[Contender, list[Failed]] = {contender: [] for contender in contenders}
        self.others: dict[Contender, list[float]] = {contender: [] for contender in contenders}
        """What share of both cores programs other than the load and the server took in each round."""

    def disturbance(self, contender: Contender) -> float | None:
        """The median of `others` for a server."""
        return statistics.median(self.others[contender]) if self.others[contender] else None

    def median(self, contender: Contender, column: str) -> float | None:
        """Of the rounds that did not fail."""
        values = [figures[column] for figures in self.figures.get(contender, ()) if column in figures]
        return statistics.median(values) if values else None


@dataclass(frozen=True, slots=True)
class Round:
    """What a scenario gets to measure with."""

    contender: Contender
    quick: bool
    outcomes: Outcomes

    def size(self, full: int, quick: int) -> int:
        """A number that a quick look makes smaller."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Scenario:
    """``measure`` raises `Failed` where a message or a connection was lost.

    The goals are for ``ours``. ``method`` and ``verdict`` are Markdown: how it is measured, and where we lose and why.
    """

    name: str
    title: str
    contenders: Sequence[Contender]
    columns: Sequence[Column]
    measure: Callable[[Round], Figures]
    goals: Sequence[Goal]
    method: str
    verdict: str = ""
    plots: Sequence[str] = field(default=())
    ours: Contender = ORDERCAST
