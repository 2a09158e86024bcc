"""How far this node has told of an order, while somebody asks what it is now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Latest:
    """The newest version of each order that is being asked for, as far as it has gone out."""

    def __init__(self) -> None:
        self._askers: dict[str, int] = {}
        self._versions: dict[str, int] = {}

    def add(self, order_id: str, version: int) -> None:
        """This version has gone out."""
        if order_id in self._askers:
            self._versions[order_id] = max(version, self._versions.get(order_id, 0))

    @contextmanager
    def of(self, order_id: str) -> Iterator[Callable[[], int]]:
        """Tells the newest version that has gone out since then; 0: none."""
        self._askers[order_id] = self._askers.get(order_id, 0) + 1
        try:
            yield lambda: self._versions.get(order_id, 0)
        finally:
            self._askers[order_id] -= 1
            if not self._askers[order_id]:
                del self._askers[order_id]
                self._versions.pop(order_id, None)
