"""Many orders at once, as `ordercast import` brings them: operators are told once that there is more than they know.

An `order:created` for each of 100,000 imported orders would keep the feed busy for minutes, and what happens meanwhile
would wait behind them. So operators get one `resync` where an import pauses or ends, and fetch what they show.
Customers are told of their own orders as ever: where one is connected, those are few. The log has all of it, for
replays and ``GET /api/events``, which go at their reader's pace (docs/decisions/0011).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ordercast.live.rooms import OPERATORS, shop_room
from ordercast.live.said import Speaker
from ordercast.orders.models import OrderEvent
from ordercast.socketio import Server

PAUSE = 1.0
"""s without another imported order, after which operators are told."""

LONGEST = 10.0
"""s after which they are told while it still goes on: a board may be that far behind, and not fetch all the time."""


class Imports:
    """Collects which shops' operators are to fetch anew. ``position`` says how far the feed is."""

    def __init__(self, io: Server, speaker: Speaker, position: Callable[[], int]) -> None:
        self._io = io
        self._position = position
        self._speaker = speaker
        self._rooms: set[str] = set()
        self._newest = 0.0
        self._told = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def came(self, event: OrderEvent) -> None:
        """An imported order was passed over."""
        loop = asyncio.get_running_loop()
        self._newest = loop.time()
        self._rooms.add(OPERATORS)
        if event.shop_id is not None:
            self._rooms.add(shop_room(event.shop_id))
        if self._timer is None:
            self._told = self._newest
            self._timer = loop.call_later(min(PAUSE, LONGEST), self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        if (left := min(self._newest + PAUSE, self._told + LONGEST) - loop.time()) > 0:
            self._timer = loop.call_later(left, self._look)
            return
        self._timer = None
        rooms, self._rooms = self._rooms, set()
        packets = self._speaker.standing("resync", self._position())
        packets[0].key = "resync"  # the newest will do
        self._io.local.to(*rooms).deliver(packets)

    def stop(self) -> None:
        """Tells nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
