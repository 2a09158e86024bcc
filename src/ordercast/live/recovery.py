"""``pid``: what a client shows to come back as whom it was (https://socket.io/docs/v4/connection-state-recovery).

Clients since 4.6 get one with their CONNECT and send it back, with the last string they heard as an offset. Ours is
signed and carries the user and the cursor at its issue, so that any node can read it, also after a restart.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

import msgspec

_SIGNATURE = 18  # bytes of the HMAC: 144 bits, of which nobody guesses one
_LONGEST = 512  # characters; a user id is at most 64
_CONTEXT = b"ordercast pid 1 "  # the key signs other things too


@dataclass(frozen=True, slots=True)
class Pid:
    """What a pid says. ``cursor`` is from before the client could have heard anything; empty at a ``resync``."""

    user_id: str
    cursor: str


class Pids:
    """Issues and reads pids. ``secret_key`` is the installation's own."""

    def __init__(self, secret_key: str) -> None:
        self._key = secret_key.encode()

    def issue(self, user_id: str, cursor: str) -> str:
        """A new pid, that no other connection has."""
        body = urlsafe_b64encode(msgspec.json.encode([secrets.token_urlsafe(9), user_id, cursor])).rstrip(b"=")
        return f"{body.decode()}.{self._sign(body)}"

    def read(self, pid: object) -> Pid | None:
        """What a pid says, or ``None`` for what is none of ours."""
        if not isinstance(pid, str) or len(pid) > _LONGEST or not pid.isascii():
            return None
        body, _, signature = pid.encode().partition(b".")
        if not hmac.compare_digest(signature, self._sign(body).encode()):
            return None
        _, user_id, cursor = msgspec.json.decode(urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        return Pid(user_id, cursor)

    def _sign(self, body: bytes) -> str:
        digest = hmac.digest(self._key, _CONTEXT + body, sha256)[:_SIGNATURE]
        return urlsafe_b64encode(digest).decode()
