"""Orders that are watched: each keeps itself current by events, and is fetched where something is missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

from ordercast.client.answers import order_in
from ordercast.client.backoff import Backoff
from ordercast.client.errors import Broken, ClientError, Ended, Problem, is_passing
from ordercast.client.ids import Id, text_of
from ordercast.client.merge import NOTHING, Known
from ordercast.client.models import Order
from ordercast.client.signals import Signal, Tasks

Fetch = Callable[[str], Any]
Say = Callable[[str, str], None]
StepOf = Callable[[str], int | None]


class Watched:
    """One order that somebody watches."""

    def __init__(self, id: str, watches: Watches) -> None:
        self.id = id
        self.uses = 0
        self.acknowledged = False
        self.denied = False  # the server will not have it watched on this connection: no answer of REST's helps
        self.known = NOTHING
        self.order: Order | None = None
        self.error: ClientError | None = None
        self.changes = Signal()
        self._watches = watches
        self._fetching: asyncio.Task[None] | None = None
        self._epoch = 0  # answers from before a reset count no more

    @property
    def is_complete(self) -> bool:
        """Whether nothing of it is missing. Where something is, it is being fetched."""
        return self.known.is_complete

    @property
    def is_settled(self) -> bool:
        """Whether it is whole, or known not to be had."""
        return self.is_complete or self.error is not None

    def apply(self, known: Known) -> None:
        """Takes something in."""
        self.known = known
        shown = known.order(self._watches.step_of)
        order = self.order if shown is None else Order.read(shown)
        if order != self.order or (order is not None and self.error is not None):
            self.order, self.error = order, None
            self.changes.set()
        self.bring()
        if self.is_settled:
            self._watches.settled.set()

    def fail(self, error: ClientError) -> None:
        """It cannot be had."""
        self.known, self.order, self.error = NOTHING, None, error
        self.changes.set()
        self._watches.settled.set()

    def deny(self, error: ClientError) -> None:
        """The server says that it cannot be had: what was asked before counts no more."""
        self.forget()
        self.acknowledged, self.denied = False, True
        self.fail(error)

    def hear(self, known: Known) -> None:
        """Takes in what the server says, who lets us hear of it now, whatever was before."""
        self.denied, self.error = False, None
        self.apply(known)

    def retry(self) -> None:
        """Fetches it again where it could not be had: that was at another time, or with another token."""
        if not self.denied:
            self.error = None
        self.bring()

    def forget(self) -> None:
        """What is known may be of another log: shows it until there is something new."""
        self.stop()
        self._epoch += 1
        self.known, self.error = NOTHING, None

    def taker(self) -> Callable[[Mapping[str, Any]], None]:
        """Takes an answer to what is asked from now on; none after a `forget`, which would be of another log."""
        epoch = self._epoch

        def take(order: Mapping[str, Any]) -> None:
            if epoch == self._epoch:
                self.apply(self.known.with_snapshot(order))

        return take

    def bring(self) -> None:
        """Fetches it where something is missing."""
        if not self._watches.paused and not self.is_settled and self._fetching is None:
            self._fetching = self._watches.tasks.spawn(self._fetch(), self._broke)

    def stop(self) -> None:
        """Fetches no more."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def _broke(self) -> None:
        self._fetching = None
        self.fail(Broken())

    async def _fetch(self) -> None:
        tries = 0
        while not self.is_settled:
            take = self.taker()
            try:
                take(order_in(await self._watches.fetch(self.id), self.id))
            except ClientError as error:
                if not is_passing(error):
                    self.fail(error)
                    break
            tries += 1
            if not self.is_settled:
                await asyncio.sleep(self._watches.backoff.delay(tries, random.random()))  # noqa: S311 - spreads, hides nothing
        self._fetching = None


class Watches:
    """All of them, and what the server is told of them."""

    def __init__(self, tasks: Tasks, fetch: Fetch, say: Say, step_of: StepOf, backoff: Backoff) -> None:
        self.tasks = tasks
        self.fetch = fetch
        self.backoff = backoff
        self.paused = True
        self.step_of = step_of
        self.settled = Signal()
        self.ended: Ended | None = None
        self._say = say
        self._orders: dict[str, Watched] = {}

    def order(self, id: Id) -> Watched:
        """Somebody watches an order."""
        key = text_of(id)
        watched = self._orders.get(key)
        if watched is None:
            watched = self._orders[key] = Watched(key, self)
            self._say("watch:order", key)
        watched.uses += 1
        watched.retry()
        return watched

    def release(self, watched: Watched) -> None:
        """And watches it no more."""
        watched.uses -= 1
        if watched.uses == 0 and self._orders.get(watched.id) is watched:
            watched.stop()
            del self._orders[watched.id]
            self._say("unwatch:order", watched.id)
            self.settled.set()

    def connected(self, *, recovered: bool) -> None:
        """A socket is there. Who was ``recovered`` is still watching what the server has acknowledged."""
        for watched in tuple(self._orders.values()):
            watched.acknowledged, watched.denied = watched.acknowledged and recovered, False
            if not watched.acknowledged:
                self._say("watch:order", watched.id)

    def heard(self, order_id: Id, change: Callable[[Known], Known]) -> None:
        """Something of an order, as `merge` takes it in."""
        watched = self._orders.get(str(order_id))
        if watched is not None:
            watched.hear(change(watched.known))

    def acknowledged(self, order_id: Id) -> None:
        """The server has said that we watch it."""
        if (watched := self._orders.get(str(order_id))) is not None:
            watched.acknowledged = True

    def denied(self, order_id: Id | None, error: str) -> None:
        """The server has said that we do not, or no more."""
        watched = None if order_id is None else self._orders.get(str(order_id))
        if watched is None:
            return
        if error == "too_many_watches":
            detail = "This connection watches as many orders as it may. Close some."
            watched.deny(Problem(429, {"title": error, "detail": detail}))
        else:
            self.gone(watched.id)

    def gone(self, order_id: Id) -> None:
        """The order is not there for us, or no more."""
        if (watched := self._orders.get(str(order_id))) is not None:
            detail = f"There is no order {order_id}, or it is not yours."
            watched.deny(Problem(404, {"type": "urn:ordercast:not-found", "title": "not_found", "detail": detail}))

    def taker(self, order_id: Id) -> Callable[[Mapping[str, Any]], None]:
        """Takes the answer to a request that is about to be made."""
        watched = self._orders.get(str(order_id))
        return (lambda _: None) if watched is None else watched.taker()

    def show(self) -> None:
        """Shows what is known anew: which step each status is has become known."""
        for watched in tuple(self._orders.values()):
            watched.apply(watched.known)

    def pause(self, ended: Ended) -> None:
        """Nothing comes any more: those who wait learn why."""
        self.paused, self.ended = True, ended
        for watched in self._orders.values():
            watched.stop()
            watched.denied = False
            watched.changes.set()

    def resume(self) -> None:
        """Fetches what is missing, or could not be had."""
        self.paused, self.ended = False, None
        self.retry()

    def retry(self) -> None:
        """Fetches what could not be had again."""
        for watched in self._orders.values():
            watched.retry()

    async def reset(self) -> None:
        """Fetches all anew, and returns when it is there."""
        for watched in self._orders.values():
            watched.forget()
        self.resume()
        count = self.settled.count
        while not all(watched.is_settled for watched in self._orders.values()):
            count = await self.settled.after(count)
