"""What a webhook endpoint is, and what becomes of a message to it. Times are milliseconds since the epoch (UTC)."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

TYPES = ("order.created", "order.status_changed", "order.changed")
"""What may be sent, in the order in which one event of the log says it."""

State: TypeAlias = Literal["waiting", "dead"]

Key: TypeAlias = tuple[int, str]
"""A message of one endpoint: its event's position and its type."""

_SECRET_BYTES = 32  # the specification asks for 24 to 64


@dataclass(frozen=True, slots=True)
class Secret:
    """``whsec_…``; with ``until`` it has been replaced, and signs beside the newer one until then."""

    value: str = field(repr=False)
    until: int | None = None


def new_secret() -> Secret:
    """One that nobody has."""
    return Secret("whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where messages go. ``shops`` ``None``: orders of all shops, and of none.

    Up to the event at ``cursor`` all is delivered, or kept as a `Delivery`. ``revision`` rises with each change that
    its sender must know of. ``problem``: why it was disabled, or what it missed.
    """

    id: str
    url: str
    description: str = ""
    events: tuple[str, ...] = TYPES
    shops: frozenset[str] | None = None
    secrets: tuple[Secret, ...]
    enabled: bool = True
    problem: str | None = None
    cursor: int
    revision: int = 1
    created_at: int

    def signing(self, at: int) -> tuple[str, ...]:
        """The secrets that sign at this time, the newest first."""
        return tuple(secret.value for secret in self.secrets if secret.until is None or secret.until > at)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """A message that is not delivered yet, or never was. ``recorded``: as it is in the database."""

    position: int
    type: str
    order_id: str
    at: int
    attempts: int = 0
    due: int = 0
    status: int | None = None
    reason: str = ""
    answer: str = ""
    state: State = "waiting"
    recorded: bool = field(default=False, compare=False)

    @property
    def key(self) -> Key:
        """Which message it is."""
        return self.position, self.type

    @property
    def place(self) -> tuple[int, int]:
        """Sorts messages as they happened."""
        return self.position, TYPES.index(self.type)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a sender writes down: how far all is done or kept, what to keep, and what to keep no longer."""

    cursor: int
    keep: tuple[Delivery, ...] = ()
    drop: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """How an endpoint does: messages that wait after a failure, dead ones, and since when the oldest waits."""

    waiting: int = 0
    dead: int = 0
    oldest: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status (``None``: nothing), in words what was wrong (empty: nothing), the first bytes
    of its body, and the seconds it asked us to wait."""

    status: int | None
    problem: str = ""
    body: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        """Whether it has taken the message."""
        return not self.problem


class Seen(Enum):
    """Whether a message that came in came before: it did and was done, or another one did under its id."""

    NEW = "new"
    DONE = "done"
    OTHER = "other"
