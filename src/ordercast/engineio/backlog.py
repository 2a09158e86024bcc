"""What waits for a client that does not read as fast as it is sent to.

While little waits, everything waits. Past a threshold only the newest packet of each `Packet.key` does: older ones are
taken out of the queue, so that what the client reads in the end stays in order and says how things are now.

That is done by halves: a packet that was replaced counts no more, and stays until as many others have gone the same way
as there are left (`Backlog.settle`). Taking each out at once cost a fifth of the server's time with 100 clients in
1,000 that never read.
"""

from __future__ import annotations

from collections.abc import Hashable

from ordercast.engineio.packet import Packet

CONFLATE_ABOVE = 1 / 16
"""Of the largest queue: from 64 kB on, more than a hiccup of the network leaves behind."""


class Backlog:
    """The count of a session's queue, made where the client falls behind and dropped where it catches up."""

    __slots__ = ("_counted", "_newest", "_replaced", "bytes", "conflated", "number")

    def __init__(self, number: int) -> None:
        self.number = number  # which backlog this is: a deadline that finds another one has nothing to do
        self.bytes = 0
        self.conflated = 0
        self._counted = 0
        self._newest: dict[Hashable, Packet] | None = None  # there while conflating
        self._replaced: set[int] = set()  # ids of packets that are still in the queue

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
        for packet in fresh:
            if packet.key is not None:
                older = newest.get(packet.key)
                if older is not None and older is not packet:
                    self._replaced.add(id(older))
                    self.bytes -= len(older)
                    self.conflated += 1
                newest[packet.key] = packet
        if len(self._replaced) * 2 > len(queue):
            self.settle(queue)

    def settle(self, queue: list[Packet]) -> None:
        """Takes out of the queue what was replaced. To be called before anything else is done with it."""
        if self._replaced:
            queue[:] = [packet for packet in queue if id(packet) not in self._replaced]
            self._replaced.clear()
            self._counted = len(queue)
