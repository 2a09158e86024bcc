"""What waits for a client that does not read as fast as it is sent to.

While little waits, everything waits. Past a threshold only the newest packet of each `Packet.key` does: older ones are
taken out of the queue, so that what the client reads in the end stays in order and says how things are now.
"""

from __future__ import annotations

from collections.abc import Hashable

from ordercast.engineio.packet import Packet

CONFLATE_ABOVE = 1 / 16
"""Of the largest queue: from 64 kB on, more than a hiccup of the network leaves behind."""


class Backlog:
    """The count of a session's queue, made where the client falls behind and dropped where it catches up."""

    __slots__ = ("_counted", "_newest", "bytes", "conflated", "number")

    def __init__(self, number: int) -> None:
        self.number = number  # which backlog this is: a deadline that finds another one has nothing to do
        self.bytes = 0
        self.conflated = 0
        self._counted = 0
        self._newest: dict[Hashable, Packet] | None = None  # there while conflating

    def take(self, queue: list[Packet], threshold: float) -> None:
        """Counts what has been queued since the last time, and conflates what waits if it weighs more than
        ``threshold`` bytes."""
        for packet in queue[self._counted :]:
            self.bytes += len(packet)
        if self._newest is not None or self.bytes > threshold:
            self._conflate(queue)
        self._counted = len(queue)

    def _conflate(self, queue: list[Packet]) -> None:
        fresh = queue if self._newest is None else queue[self._counted :]
        newest = self._newest = self._newest or {}
        replaced: set[int] = set()
        for packet in fresh:
            if packet.key is not None:
                older = newest.get(packet.key)
                if older is not None and older is not packet:
                    replaced.add(id(older))
                    self.bytes -= len(older)
                newest[packet.key] = packet
        if replaced:
            before = len(queue)
            queue[:] = [packet for packet in queue if id(packet) not in replaced]
            self.conflated += before - len(queue)
