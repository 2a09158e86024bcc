"""What somebody holds who watches an order."""

from __future__ import annotations

from typing import Self

from ordercast.client.errors import ClientError, Ended
from ordercast.client.ids import Id
from ordercast.client.models import Order
from ordercast.client.watches import Watches


class OrderWatch:
    """An order that keeps itself current until it is closed; closing is what ``with`` does at its end, too.

    Iterated, it gives the order as it is, then each time it has changed. Who is slower than the changes gets the
    newest: who must miss none follows `OrdercastClient.events`.
    """

    def __init__(self, id: Id, watches: Watches) -> None:
        self.order_id = id
        watched = self._watched = watches.order(id)
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
