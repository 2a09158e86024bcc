"""Orders that have come to belong to another customer or shop: who may not see them any more must not go on hearing.

The log's feed and replays find out (`Speaker.say`); whoever was let into an order's room on what was read before that
looks again.
"""

from __future__ import annotations

from collections import OrderedDict

KEPT = 1_024
"""Orders that are remembered: more than can move while one snapshot is read."""


class Moves:
    """Counts them, and knows the latest of each order."""

    def __init__(self) -> None:
        self.count = 0
        self._latest: OrderedDict[str, int] = OrderedDict()

    def add(self, order_id: str) -> None:
        """The order has moved."""
        self.count += 1
        self._latest[order_id] = self.count
        self._latest.move_to_end(order_id)
        if len(self._latest) > KEPT:
            self._latest.popitem(last=False)

    def since(self, order_id: str, count: int) -> bool:
        """Whether the order may have moved since the ``count`` was this."""
        return self._latest.get(order_id, 0) > count or self.count - count > KEPT
