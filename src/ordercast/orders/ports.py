"""What the domain asks of the outside. `ordercast.storage` keeps these promises; `ordercast.testing` has fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ordercast.errors import Problem
from ordercast.orders.figures import Fact, Standing
from ordercast.orders.models import (
    Change,
    IdempotencyKey,
    Logged,
    NewOrder,
    Order,
    OrderEvent,
    OrderPage,
    OrderQuery,
    Snapshot,
    Written,
)
from ordercast.orders.principal import Principal

Decide = Callable[[Order], Change | None]
"""Pure: looks at the current order inside the transaction and says what to change (``None``: nothing), or
raises a `Problem`, which refuses this one write and spoils no other."""


class Put(NamedTuple):
    """What `OrderRepository.put` is given. The order has an id."""

    new: NewOrder
    status: str
    created: Change
    decide: Decide


Render = Callable[[Order], bytes]
"""Turns the written order into the answer's body, stored under the `IdempotencyKey`."""


class OrderRepository(Protocol):
    """Orders and their log, each write one transaction with its event."""

    async def get(self, order_id: str) -> Order | None:
        """The order as last committed, or ``None``."""

    async def get_all(self, order_ids: Collection[str]) -> Sequence[Order]:
        """Those of the orders that are there, as last committed, in no order."""

    async def snapshot(self, order_id: str) -> Snapshot | None:
        """The order and the head of the log, read in one transaction."""

    async def find(self, query: OrderQuery) -> OrderPage:
        """A page of orders. Raises `Invalid` for an ``after`` that is not one of ours."""

    async def create(
        self,
        new: NewOrder,
        status: str,
        updated_by: str,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """Stores the order at version 1 with its `CREATED` event. Raises `OrderExists`, `IdempotencyKeyReused`."""

    async def change(
        self,
        order_id: str,
        decide: Decide,
        idempotency: IdempotencyKey | None = None,
        render: Render | None = None,
    ) -> Written:
        """Reads, decides and writes in one transaction, with the event at the next version and position.

        Raises `NotFound`, `IdempotencyKeyReused`, and whatever ``decide`` raises.
        """

    async def put(self, new: NewOrder, status: str, created: Change, decide: Decide) -> Written:
        """Where the order ``new.order_id`` is not there, stores it as `create` does, with an event as ``created`` says;
        else changes it as `change` does. Either is one transaction, however many do it at once.

        Raises whatever ``decide`` raises.
        """

    async def put_all(self, puts: Sequence[Put]) -> Sequence[Written | Problem]:
        """Does as `put` does for each, all in one transaction: what came of it, or why it was refused, which spoils no
        other. What is new may get its position before what is not."""

    async def history(self, order_id: str) -> Sequence[OrderEvent]:
        """All events of one order that the log still has, by version."""


class EventLog(Protocol):
    """The log of all orders, in the order of commitment, without holes. Its beginning may be gone (`floor`)."""

    @property
    def log_id(self) -> str:
        """Which log this is; another database or a restored one has another id."""

    @property
    def floor(self) -> int:
        """The position up to which events have been removed; 0 where there are all. It never falls.

        Known without waiting: as new as the last `head` or `after`, and never older than some seconds.
        """

    async def head(self) -> int:
        """The newest committed position; 0 for an empty log."""

    async def at(self, position: int) -> datetime | None:
        """When the event at that position happened; ``None`` where there is none, or none any more."""

    async def after(self, position: int, limit: int) -> Sequence[OrderEvent]:
        """Up to ``limit`` events with a greater position, ascending, without a hole after the first of them.

        Where ``position`` is below the `floor` afterwards, some before that first one may have been removed.
        """

    async def of_customer(self, customer_id: str, position: int, limit: int) -> tuple[Sequence[OrderEvent], int]:
        """As `after`, only what happened to orders of one customer, what made one another's included, and how far that
        is all of it: up to the last one given where these are ``limit``, else up to the head of the log."""

    def recent(self, position: int, limit: int) -> Sequence[Logged]:
        """As `after`, of what is at hand without waiting. Empty says nothing: `after` knows."""

    def subscribe(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls ``wake`` on the event loop after each commit of this process; returns how to stop it.

        A wake is a hint: it may be late, doubled or missing. The log is the truth.
        """


class Figures(Protocol):
    """What the figures of a day are made from."""

    async def facts(self, since: datetime, position: int, limit: int) -> tuple[Sequence[Fact], int]:
        """Up to ``limit`` facts of events at or after ``since`` with a greater position, ascending, and how far that is
        all of them: up to the last one given where these are ``limit``, else up to the head of the log."""

    async def standing(self, statuses: Collection[str]) -> Sequence[Standing]:
        """How many orders are in each of these statuses now, by shop, in no order; nothing for none."""


class Requests(Protocol):
    """Which requests came before, of those that are about no order."""

    async def is_first(self, key: IdempotencyKey) -> bool:
        """Whether this one has not; it has from now on. Raises `IdempotencyKeyReused`."""


class Targets(Protocol):
    """How long an order may take in a status, as it was set: seconds, or ``None`` for as long as it likes."""

    async def read(self) -> Mapping[str, int | None]:
        """What was set, by status; a status that is not among them was not."""

    async def replace(self, targets: Mapping[str, int | None]) -> None:
        """Sets these, and no others."""


class Watches(Protocol):
    """Which orders a connection watches, by its recovery id (``pid``), for as long as that may be used."""

    async def save(self, pid: str, user_id: str, order_id: str) -> None:
        """The connection watches the order from now on. The same again makes it last anew."""

    async def save_all(self, pid: str, user_id: str, order_ids: Collection[str]) -> None:
        """As `save` of each, at once."""

    async def drop(self, pid: str, order_id: str) -> None:
        """It does so no more."""

    async def of(self, pid: str, user_id: str) -> frozenset[str]:
        """What it watches; nothing where the id is another user's."""


class PersonalData(Protocol):
    """What is kept of a customer besides their orders: events, answers to requests, watches, logins."""

    async def replace_customer(self, customer_id: str, pseudonym: str) -> None:
        """Puts the pseudonym in the place of the customer in the log, with the reasons of those events gone, and
        forgets the rest. An earlier request that is repeated is answered with its order as it is then.

        Of orders that are the pseudonym's by now, too. Twice is once.
        """


class Revocations(Protocol):
    """Tokens that count no more, although they would still hold."""

    def is_revoked(self, principal: Principal) -> bool:
        """Whether the token that this caller came with was revoked. Known without waiting."""

    async def revoke_user(self, user_id: str, idempotency: IdempotencyKey | None = None) -> bool:
        """Revokes all tokens of the user that were issued up to now, to the millisecond.

        ``False``: nothing was revoked, since the same request did it before. Raises `IdempotencyKeyReused`.

        A token without ``iat`` counts as issued before. Most libraries write ``iat`` in whole seconds, rounded down:
        of those, the ones of this second are revoked too, also what is issued later in it.
        """

    async def revoke_token(
        self, token_id: str, expires_at: float | None = None, idempotency: IdempotencyKey | None = None
    ) -> bool:
        """Revokes the token with this ``jti``; ``expires_at`` (s since the epoch): it ends by itself then.

        Returns and raises as `revoke_user`.
        """

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls ``callback`` on the event loop after each revocation; returns how to stop it.

        It may come doubled, and some seconds late where another process revoked.
        """
