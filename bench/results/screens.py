"""Live screens: Socket.IO clients that hear of every order, and what an event changes on a screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bench.crowd import Client, Crowd
from bench.loop import Loop
from bench.packets import NONE, Reader

_EVENTS = ("order:created", "order:status_changed", "order:changed")


@dataclass(frozen=True, slots=True)
class Shown:
    """An order on a screen. ``taken``: whether somebody has it; ``None`` where this news does not say."""

    order: int
    version: int
    taken: bool | None


@lru_cache(maxsize=1024)
def read(packet: bytes) -> Shown | None:
    """What a Socket.IO packet tells a screen; ``None`` for one that is not of an order. Fifty get the same one."""
    if not packet.startswith(b"42["):
        return None
    event, *data = json.loads(packet[2:])
    if event not in _EVENTS:
        return None
    values = data[0].get("changes", data[0])
    taken = values["claimedBy"] is not None if "claimedBy" in values else None
    return Shown(int(data[0]["orderId"]), data[0]["version"], taken)


class LiveScreens(Crowd):
    """``show`` is called with a screen's number and its news."""

    def __init__(self, loop: Loop, port: int, show: Callable[[int, tuple[Shown, ...]], None]) -> None:
        super().__init__(loop, port)
        self.reader = Reader(NONE)
        self._show = show

    def told(self, client: Client, packets: tuple[bytes, ...]) -> None:
        """See `Crowd.told`."""
        news = tuple(shown for packet in packets if (shown := read(packet)) is not None)
        if news:
            self._show(client.number, news)
