"""Share tokens: whoever has one sees one order, and nothing else, until it ends."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from ordercast.auth.signing import Signer
from ordercast.errors import InvalidToken, TokenExpired
from ordercast.orders.principal import Principal, guest

_CONTEXT = b"ordercast share 1 "  # the key signs other things too

# Two parts, where a JWT has three: which of both a text is can be seen without a key.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """A share token; ``expires_at`` in seconds since the epoch."""

    token: str
    expires_at: int


def is_share_token(text: str) -> bool:
    """Whether a text has the form of a share token."""
    return _FORM.fullmatch(text) is not None


class ShareTokens:
    """Issues and reads share tokens. Each holds an order's id and when it ends, nothing of a person.

    ``secret_key`` is the installation's own, ``lifetime`` in seconds; ``clock`` tells the seconds since the epoch.
    """

    def __init__(self, secret_key: str, lifetime: float, clock: Callable[[], float] = time.time) -> None:
        self._signer = Signer(secret_key, _CONTEXT)
        self._lifetime = lifetime
        self._clock = clock

    def issue(self, order_id: str) -> Share:
        """A token for one order. Whether the caller may see that order is for the caller of this to ask."""
        expires_at = math.ceil(self._clock() + self._lifetime)
        return Share(self._signer.sign([order_id, expires_at]), expires_at)

    def read(self, token: str) -> Principal:
        """Whoever comes with this token. Raises `InvalidToken`, `TokenExpired`."""
        value = self._signer.read(token)
        if value is None:
            raise InvalidToken("no share token of ours")
        order_id, expires_at = value
        if expires_at <= self._clock():
            raise TokenExpired("the share link has ended")
        return guest(order_id, expires_at, token)
