"""How a person at the board reacts, pure. A model: the numbers are a decision of ours, not measured on people.

- An order is to be looked after by a *team* of one or more operators (a branch, a district, one's own customers).
  Everybody's screen shows all orders; people act on their team's.
- A person who is free looks at what has come up after a moment (`NOTICE`), and takes the oldest order on the screen
  that nobody has. Who is busy notices nothing until they are free again, and then needs that moment too.
- Where a colleague was faster (409), a polling screen is loaded anew at once, and the person looks again.
- They read the order and reach the customer (`REACH`): that is the first contact. Then they talk (`TALK`) and are free.

The moments are lognormal, since people are rarely much faster than usual and now and then much slower. Each is drawn
for one person and one order from the seed alone, so that the same person is as fast with either screen: all that can
differ is when the screen shows an order. A live screen could ring as well, which a page that reloads cannot; the model
gives it no credit for that.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from random import Random


@dataclass(frozen=True, slots=True)
class Moment:
    """A lognormal time: its median in seconds, and ``sigma``, the deviation of its logarithm."""

    median: float
    sigma: float

    def draw(self, random: Random) -> float:
        """One such time (s)."""
        return self.median * math.exp(random.gauss(0, self.sigma))


NOTICE = Moment(4.0, 0.6)
"""Until a free person has seen what came up: one in ten needs more than 8.6 s, as who only glances now and then."""
REACH = Moment(6.0, 0.4)
"""Until the customer is on the line, or the message is sent: reading two lines and pressing one button."""
TALK = Moment(8.0, 0.5)
"""A short call: "we have your order, it will take half an hour"."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one person is with one order (s each)."""

    notice: float
    reach: float
    talk: float


@lru_cache(maxsize=65_536)
def pace(seed: int, person: int, order: int) -> Pace:
    """The same for the same three numbers, whatever else happens."""
    random = Random(f"{seed}/{person}/{order}")
    return Pace(NOTICE.draw(random), REACH.draw(random), TALK.draw(random))


class Step(Enum):
    """What a person asks of the server."""

    CLAIM = "claim"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Act:
    """A person does this to this order now."""

    step: Step
    order: int


class Person:
    """One operator. Orders are named by number, oldest first; every method takes the time (s, of any clock).

    `act` is to be called when `due` has come, and `answered` with what the server said to it.
    """

    def __init__(self, number: int, theirs: Container[int], seed: int) -> None:
        self.number = number
        self.due = math.inf
        self._theirs = theirs  # orders that their team looks after
        self._seed = seed
        self._taken: set[int] = set()
        self._shown: dict[int, float] = {}  # those of the team's on the screen that seem free, and since when
        self._free_since: float | None = -math.inf
        self._hand: Act | None = None  # the next thing to do with the order that they have

    def sees(self, free: Iterable[int], taken: Iterable[int], now: float) -> None:
        """The screen shows these orders, and whether somebody has them. Nobody gives one back."""
        for order in taken:
            self._taken.add(order)
            self._shown.pop(order, None)
        for order in free:
            if order in self._theirs and order not in self._taken:
                self._shown.setdefault(order, now)
        self._look()

    @property
    def shown(self) -> Mapping[int, float]:
        """Orders to take that the screen shows as free, and since when."""
        return self._shown

    def act(self, now: float) -> Act | None:
        """What they do now that `due` has come; ``None`` where it is to stop talking."""
        self.due = math.inf
        if self._free_since is not None:
            self._free_since = None
            return Act(Step.CLAIM, min(self._shown))
        hand, self._hand = self._hand, None
        if hand is None:
            self._is_free(now)
        return hand

    def answered(self, act: Act, done: bool, now: float) -> None:
        """The server did what they asked, or said that somebody else has the order."""
        if act.step is Step.CLAIM:
            self._taken.add(act.order)
            self._shown.pop(act.order, None)
            if done:
                self._hand = Act(Step.CONTACT, act.order)
                self.due = now + self._pace(act.order).reach
            else:
                self._is_free(now)
        else:
            self.due = now + self._pace(act.order).talk

    def _is_free(self, now: float) -> None:
        self._free_since = now
        self._look()

    def _look(self) -> None:
        """Sets when they have noticed the oldest order; nothing where they are busy."""
        if self._free_since is None:
            return
        self.due = math.inf
        if self._shown:
            order = min(self._shown)
            self.due = max(self._shown[order], self._free_since) + self._pace(order).notice

    def _pace(self, order: int) -> Pace:
        return pace(self._seed, self.number, order)
