"""Orders that are watched: each keeps itself current by events, and is fetched where something is missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from ordercast.client.answers import order_in
from ordercast.client.backoff import Backoff
from ordercast.client.errors import ClientError, Ended, Problem, is_passing
from ordercast.client.ids import Id, text_of
from ordercast.client.merge import NOTHING, Known
from ordercast.client.models import Order
from ordercast.client.signals import Signal, Tasks

Fetch = Callable[[str], Any]
Say = Callable[[str, str], None]


class Watched:
    """One order that somebody watches."""

    def __init__(self, id: str, watches: Watches) -> None:
        self.id = id
        self.uses = 0
        self.acknowledged = False
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
        shown = known.order(self._watches.steps.get)
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
            self._fetching = self._watches.tasks.spawn(self._fetch())

    def stop(self) -> None:
        """Fetches no more."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

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

    def __init__(self, tasks: Tasks, fetch: Fetch, say: Say, backoff: Backoff) -> None:
        self.tasks = tasks
        self.fetch = fetch
        self.backoff = backoff
        self.paused = True
        self.steps: dict[str, int] = {}
        self.settled = Signal()
        self.ended: Ended | None = None
        self._say = say
        self._orders: dict[str, Watched] = {}

    def order(self, id: Id) -> OrderWatch:
        """Somebody watches an order."""
        key = text_of(id)
        watched = self._orders.get(key)
        if watched is None:
            watched = self._orders[key] = Watched(key, self)
            self._say("watch:order", key)
        watched.uses += 1
        watched.bring()
        return OrderWatch(id, watched, self)

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
            watched.acknowledged = watched.acknowledged and recovered
            if not watched.acknowledged:
                self._say("watch:order", watched.id)

    def heard(self, order_id: Id, change: Callable[[Known], Known]) -> None:
        """Something of an order, as `merge` takes it in."""
        watched = self._orders.get(str(order_id))
        if watched is not None:
            watched.apply(change(watched.known))

    def acknowledged(self, order_id: Id) -> None:
        """The server has said that we watch it."""
        if (watched := self._orders.get(str(order_id))) is not None:
            watched.acknowledged = True

    def denied(self, order_id: Id | None, error: str) -> None:
        """The server has said that we do not."""
        watched = None if order_id is None else self._orders.get(str(order_id))
        if watched is None:
            return
        if error == "too_many_watches":
            detail = "This connection watches as many orders as it may. Close some."
            watched.fail(Problem(429, {"title": error, "detail": detail}))
        else:
            detail = f"There is no order {order_id}, or it is not yours."
            watched.fail(Problem(404, {"title": error, "detail": detail}))

    def taker(self, order_id: Id) -> Callable[[Mapping[str, Any]], None]:
        """Takes the answer to a request that is about to be made."""
        watched = self._orders.get(str(order_id))
        return (lambda _: None) if watched is None else watched.taker()

    def set_steps(self, steps: Mapping[str, int]) -> None:
        """Which step each status is."""
        self.steps = dict(steps)
        for watched in tuple(self._orders.values()):
            watched.apply(watched.known)

    def pause(self, ended: Ended) -> None:
        """Nothing comes any more: those who wait learn why."""
        self.paused, self.ended = True, ended
        for watched in self._orders.values():
            watched.stop()
            watched.changes.set()

    def resume(self) -> None:
        """Fetches what is missing."""
        self.paused, self.ended = False, None
        for watched in self._orders.values():
            watched.bring()

    async def reset(self) -> None:
        """Fetches all anew, and returns when it is there."""
        for watched in self._orders.values():
            watched.forget()
        self.resume()
        count = self.settled.count
        while not all(watched.is_settled for watched in self._orders.values()):
            count = await self.settled.after(count)

    def all(self) -> Sequence[Watched]:
        """Those that are watched now."""
        return tuple(self._orders.values())


class OrderWatch:
    """An order that keeps itself current until it is closed; closing is what ``with`` does at its end, too.

    Iterated, it gives the order as it is, then each time it has changed. Who is slower than the changes gets the
    newest: who must miss none follows `OrdercastClient.events`.
    """

    def __init__(self, id: Id, watched: Watched, watches: Watches) -> None:
        self.order_id = id
        self._watched = watched
        self._watches = watches
        self._seen = 0 if watched.order is None and watched.error is None else -1
        self._last: Order | None = None
        self._closed = False

    @property
    def order(self) -> Order | None:
        """As far as it is known; ``None`` before the first answer."""
        return self._watched.order

    @property
    def complete(self) -> bool:
        """Whether nothing of it is missing. Where something is, it is being fetched."""
        return self._watched.is_complete

    @property
    def error(self) -> ClientError | None:
        """Why it cannot be had: a `Problem` with status 404 for what is not there or not yours."""
        return self._watched.error

    async def changed(self) -> Order:
        """The order when it has changed since the last call; at first, when it is there.

        Raises what `error` is, `Ended` where nothing comes any more.
        """
        while True:
            if self._closed:
                raise Ended("closed")
            if self._seen != self._watched.changes.count:
                self._seen = self._watched.changes.count
                if self.error is not None:
                    raise self.error
                if self.order is not None and self.order != self._last:
                    self._last = self.order
                    return self.order
            if self._watches.ended is not None:
                raise self._watches.ended
            await self._watched.changes.after(self._seen)

    def close(self) -> None:
        """Watches it no more. Twice does no harm."""
        if not self._closed:
            self._closed = True
            self._watches.release(self._watched)
            self._watched.changes.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Order:
        try:
            return await self.changed()
        except Ended as end:
            if end.reason != "closed":
                raise
            raise StopAsyncIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
