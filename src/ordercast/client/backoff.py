"""How long to wait before the next try. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """``first``: s before the first try again. ``longest``: s at most."""

    first: float = 0.5
    """A server restarts in about that."""
    longest: float = 30.0
    """What a person waits for."""

    def delay(self, failures: int, random: float) -> float:
        """Doubles with each failure. Half of it is left to chance (``random``: 0 to 1), so that clients cut off
        together do not return together."""
        doublings = min(max(failures - 1, 0), 62)  # more would only be a larger number than `longest`
        full = min(self.longest, self.first * (1 << doublings))
        return full / 2 + full / 2 * random
