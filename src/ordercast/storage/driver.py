"""What the two databases do each in its own way, and what storage asks of them. Pure.

`sqlite.py` and `sqlite_writer.py` keep this for a file, `postgres.py` and `postgres_writer.py` for a server. SQL that
both understand is written once, with ``?`` for its parameters.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ordercast.orders.models import Change, IdempotencyKey, Logged, Order, OrderEvent

T = TypeVar("T")

MAX_BATCH = 256
"""Works in one commit: bounds how long the first of them waits for the last."""

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with what stands for its question marks; or with ``many`` of those, one after the other, without rows."""

    sql: str
    parameters: Sequence[Any] = ()
    many: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept under an `IdempotencyKey`; ``order_id`` is empty where it is about no order; ``at`` in ms since the
    epoch."""

    fingerprint: str
    order_id: str
    body: bytes
    at: int


class Transaction(Protocol):
    """What a change of an order works with, inside its batch: it sees what those before it in the batch did."""

    def order(self, order_id: str) -> Order | None:
        """The order as it is now. Only those that the `Work` names, and those that answers name."""

    def next_number(self) -> str:
        """The next number that no order has, the shop's own ids considered."""

    def insert(self, order: Order, change: Change) -> OrderEvent:
        """Adds a new order, with its first event."""

    def insert_all(self, new: Sequence[tuple[Order, Change]]) -> Sequence[OrderEvent]:
        """As `insert` of each, cheaper."""

    def update(self, before: Order, order: Order, change: Change) -> OrderEvent:
        """Puts ``order`` in the place of ``before``, with the event that tells of it."""

    def answer(self, key: IdempotencyKey) -> Answer | None:
        """What is kept under this key, however old."""

    def keep(self, key: IdempotencyKey, answer: Answer) -> None:
        """Keeps an answer, in the place of any other."""


@dataclass(frozen=True, slots=True)
class Work(Generic[T]):
    """A change of orders, of one as a rule: what it does, and what it needs for that.

    ``do`` may be run more than once, and only the last time counts. What it raises refuses it, and spoils no other. It
    gives a `Written`, or a list with some in it. No ``order_ids``: it adds an order that is to be numbered.
    """

    do: Callable[[Transaction], T]
    order_ids: Collection[str]
    key: IdempotencyKey | None = None


@dataclass(slots=True)
class Outcome:
    """How a command ended, for the caller that waits for it."""

    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def deliver(self) -> None:
        """Tells the caller."""
        if self.future.done():
            return  # the caller has gone; its change is as committed as any
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


Committed = Callable[[Sequence[Logged]], None]
"""Told on the event loop of each commit's events, ascending, before any caller learns of its own."""


class Writer(Protocol):
    """Commits what waits together (group commit). All of it raises `StorageError`."""

    committed: Committed

    async def submit(self, work: Work[T]) -> T:
        """Runs ``work`` in a transaction, and returns its result once that is on disk.

        Raises what ``work`` raises, with nothing changed, or `StorageError` where the commit failed.
        """

    async def run(self, *statements: Statement, alone: bool = False) -> list[Sequence[Row]]:
        """Runs statements in one transaction that touches no order; returns the rows of each.

        They may be repeated where that is safe: write them so that twice is once. ``alone``: no other such transaction
        of any process is under way meanwhile.
        """


class Readers(Protocol):
    """Reads beside the writer, of what is committed."""

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[Row]:
        """All rows of a query, which sees one moment. Raises `StorageError`."""
