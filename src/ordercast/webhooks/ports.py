"""What webhooks ask of the outside. `ordercast.storage` keeps these promises; `ordercast.testing` has fakes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from ordercast.webhooks.models import Answer, Delivery, Endpoint, Key, Seen, Settled, State, Tally


class Webhooks(Protocol):
    """Endpoints and their messages. A sender's ``run`` holds an endpoint's lease while it writes: without it nothing
    is written. All of it raises `StorageError`."""

    async def all(self) -> Sequence[Endpoint]:
        """By the time they were added."""

    async def get(self, id: str) -> Endpoint | None:
        """One of them."""

    async def add(self, endpoint: Endpoint) -> None:
        """A new one."""

    async def replace(self, endpoint: Endpoint) -> bool:
        """Changes all but its cursor, and raises its revision. ``False``: it is not at this revision any more."""

    async def remove(self, id: str) -> bool:
        """Removes it with its messages. ``False``: it was not there."""

    async def tallies(self) -> Mapping[str, Tally]:
        """How the endpoints do; one that has no messages kept is missing."""

    async def deliveries(self, id: str, state: State, after: Key | None, limit: int) -> Sequence[Delivery]:
        """Its messages in this state after that one, ascending."""

    async def resend(self, id: str, keys: Collection[Key] | None, at: int) -> int:
        """Has dead messages (``None``: all) wait for their first attempt again; raises the revision; their number."""

    async def lease(self, id: str, run: str) -> bool:
        """Takes the endpoint's lease, or takes it anew. ``False``: another sender has it, or there is no endpoint."""

    async def release(self, id: str, run: str) -> None:
        """Gives the lease back."""

    async def settle(self, id: str, run: str, settled: Settled) -> bool:
        """Writes down what was done. ``False``: the lease is another's, and nothing was written."""

    async def trouble(self, id: str, run: str, problem: str, *, disable: bool) -> None:
        """Keeps in words what is wrong with the endpoint."""


class Received(Protocol):
    """Signed messages that came in, for as long as they could be played again."""

    async def begin(self, source: str, id: str, fingerprint: str) -> Seen:
        """Remembers the message, and says whether it was done before, or whether another one had its id."""

    async def done(self, source: str, id: str) -> None:
        """It was done."""


class Poster(Protocol):
    """Reaches receivers."""

    async def check(self, url: str) -> None:
        """Raises `AddressRefused` for where messages must not go."""

    async def post(self, endpoint: Endpoint, id: str, body: bytes) -> Answer:
        """One attempt."""
