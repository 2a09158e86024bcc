"""``pid``: what a client shows to come back as whom it was (https://socket.io/docs/v4/connection-state-recovery).

Clients since 4.6 get one with their CONNECT and send it back, with the last string they heard as an offset. Ours is
signed and carries the user and the cursor at its issue, so that any node can read it, also after a restart.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ordercast.auth.signing import Signer

_CONTEXT = b"ordercast pid 1 "  # the key signs other things too


@dataclass(frozen=True, slots=True)
class Pid:
    """What a pid says. ``cursor`` is from before the client could have heard anything; empty at a ``resync``."""

    user_id: str
    cursor: str


class Pids:
    """Issues and reads pids. ``secret_key`` is the installation's own."""

    def __init__(self, secret_key: str) -> None:
        self._signer = Signer(secret_key, _CONTEXT)

    def issue(self, user_id: str, cursor: str) -> str:
        """A new pid, that no other connection has."""
        return self._signer.sign([secrets.token_urlsafe(9), user_id, cursor])

    def read(self, pid: object) -> Pid | None:
        """What a pid says, or ``None`` for what is none of ours."""
        value = self._signer.read(pid)
        if value is None:
            return None
        _, user_id, cursor = value
        return Pid(user_id, cursor)
