"""Share tokens: whoever has one sees one order, and nothing else, until it ends."""

from __future__ import annotations

import math
import re
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ordercast.errors import InvalidToken, TokenExpired
from ordercast.orders.principal import Principal, guest

_CONTEXT = b"ordercast share 2 "  # the key serves for other things too

# Two parts, where a JWT has three: which of both a text is can be seen without a key.
_FORM = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_LONGEST = 255  # characters, of two ids as long as they may be; longer ones could not be revoked
_NONCE = 12  # bytes, as NIST SP 800-38D, section 8.2.2, has them


@dataclass(frozen=True, slots=True)
class Share:
    """A share token; ``expires_at`` in seconds since the epoch."""

    token: str
    expires_at: int


def is_share_token(text: str) -> bool:
    """Whether a text has the form of a share token."""
    return _FORM.fullmatch(text) is not None


class ShareTokens:
    """Issues and reads share tokens. Each holds an order's id, whose it is, and when it ends: encrypted (AES-GCM),
    since who has a link is not to learn who the customer is.

    ``secret_key`` is the installation's own, ``lifetime`` in seconds; ``clock`` tells the seconds since the epoch.
    """

    def __init__(self, secret_key: str, lifetime: float, clock: Callable[[], float] = time.time) -> None:
        self._cipher = AESGCM(sha256(_CONTEXT + secret_key.encode()).digest())
        self._lifetime = lifetime
        self._clock = clock

    def adopt(self, lifetime: float) -> None:
        """Another lifetime, for tokens that are issued from now on."""
        self._lifetime = lifetime

    def issue(self, order_id: str, customer_id: str) -> Share:
        """A token for one order while it is this customer's. Whether the caller may see that order is for the caller of
        this to ask."""
        expires_at = math.ceil(self._clock() + self._lifetime)
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, msgspec.json.encode([order_id, customer_id, expires_at]), _CONTEXT)
        return Share(f"{_text(nonce)}.{_text(sealed)}", expires_at)

    def read(self, token: str) -> Principal:
        """Whoever comes with this token. Raises `InvalidToken`, `TokenExpired`."""
        try:
            nonce, sealed = map(_bytes, token.split(".")) if _fits(token) else (b"", b"")
            if f"{_text(nonce)}.{_text(sealed)}" != token:
                raise ValueError("written in another way, which a revocation would not know")
            order_id, customer_id, expires_at = msgspec.json.decode(self._cipher.decrypt(nonce, sealed, _CONTEXT))
        except (ValueError, InvalidTag):
            raise InvalidToken("no share token of ours") from None
        if expires_at <= self._clock():
            raise TokenExpired("the share link has ended")
        return guest(order_id, customer_id, expires_at, token)


def _fits(token: str) -> bool:
    return len(token) <= _LONGEST and is_share_token(token)


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Raises ``ValueError``."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
