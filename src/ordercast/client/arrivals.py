"""Which events are news. A torn connection may bring events again, and so may a change from the socket to polling; the
log's position says which have been. Events of one position (an order's status and its other changes) differ by name.
Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What has come: everything before ``position``, and ``names`` of that one."""

    position: int = 0
    names: frozenset[str] = frozenset()

    def with_event(self, name: str, position: int) -> Arrivals | None:
        """With this one, or ``None`` where it has been before."""
        if position < self.position:
            return None
        if position > self.position:
            return Arrivals(position, frozenset({name}))
        return None if name in self.names else Arrivals(position, self.names | {name})
