"""Values that come back: signed, so that nobody makes up others. Pure.

Not encrypted: whoever holds one can read it. ``BODY.SIGNATURE``, both base64url without padding (RFC 4648, section 5).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any

import msgspec

_SIGNATURE = 18  # bytes of the HMAC: 144 bits, of which nobody guesses one
_LONGEST = 512  # characters; the longest id of ours is 64


class Signer:
    """Signs and reads values of one kind. ``secret_key`` is the installation's own; it signs several kinds, and
    ``context`` tells them apart."""

    def __init__(self, secret_key: str, context: bytes) -> None:
        self._key = secret_key.encode()
        self._context = context

    def sign(self, value: Any) -> str:
        """A JSON value as signed text."""
        body = urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=")
        return f"{body.decode()}.{self._signature(body)}"

    def read(self, text: object) -> Any:
        """The value that was signed, or ``None`` for what is none of ours."""
        if not isinstance(text, str) or len(text) > _LONGEST or not text.isascii():
            return None
        body, _, signature = text.encode().partition(b".")
        if not hmac.compare_digest(signature, self._signature(body).encode()):
            return None
        return msgspec.json.decode(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))

    def _signature(self, body: bytes) -> str:
        digest = hmac.digest(self._key, self._context + body, sha256)[:_SIGNATURE]
        return urlsafe_b64encode(digest).decode()
