"""Tokens that were found good, so that the next request with the same one costs no second check of its signature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ordercast.auth.keys import Key
from ordercast.orders.principal import Principal

SIZE = 4_096
"""Tokens remembered: some MB, and more backends and operators than one node has. Of the rest, each is checked anew."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A token's bearer, the key that signed it, the key's name in its header, and when its claims were checked."""

    principal: Principal
    key: Key
    kid: str | None
    at: float

    def holds(self, keys: Iterable[Key], now: float) -> bool:
        """Whether a check of everything would say the same again.

        The signature: the very key is still one of ours (keys that were fetched anew are others). The claims: what
        they must not be ahead of, time has only got further past; only ``exp`` can have come. A clock that was set
        back decides nothing here.
        """
        expires_at = self.principal.expires_at
        return expires_at is not None and self.at <= now < expires_at and any(key is self.key for key in keys)


class SeenTokens:
    """A bounded memory of them. Holds no token, only hashes; and none that was refused, so that nobody without a
    good token can fill it."""

    def __init__(self, size: int = SIZE) -> None:
        self._seen: dict[bytes, Seen] = {}
        self._size = size

    def find(self, token: str) -> Seen | None:
        """What is known of a token. Ask it whether it still `Seen.holds`."""
        return self._seen.get(_digest(token))

    def keep(self, token: str, seen: Seen) -> None:
        """Remembers a token, and forgets the one that came first where there are too many."""
        self._seen[_digest(token)] = seen
        if len(self._seen) > self._size:
            del self._seen[next(iter(self._seen))]

    def __len__(self) -> int:
        return len(self._seen)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
