"""How live a client is: a state machine. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Status = Literal["live", "resuming", "polling", "offline"]

Reason = Literal[
    "idle",  # not connected yet
    "closed",  # by `disconnect`
    "unreachable",  # neither socket nor REST; it goes on trying
    "token",  # the application's token function failed; it goes on trying
    "new_login",
    "revoked",
    "token_expired",
    "unauthorized",  # the token was refused
    "ended",  # by the server, without a reason
    "broken",  # a bug in the client, which the log has
]
"""Why there is no connection. Those of a server that has ended it for good come with ``retrying`` false."""


@dataclass(frozen=True, slots=True)
class Connection:
    """``live``: a socket, and everything missed has been heard. ``resuming``: connecting, or hearing what was missed.
    ``polling``: no socket can be had, and REST brings the events. ``offline``: ``reason`` says why, and ``retrying``
    whether it goes on trying. ``last_synced_at``: when this was last known to be all there is (while live: when it
    became so); ``None``: never."""

    status: Status = "offline"
    last_synced_at: datetime | None = None
    reason: Reason | None = None
    retrying: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has been told to stay away, or never asked to come."""
        return self.status == "offline" and not self.retrying

    # What happened. Whatever comes late, after the end, changes nothing but `opening`.

    def opening(self) -> Connection:
        """It has been told to connect."""
        return Connection("resuming", self.last_synced_at) if self.is_over else self

    def connected(self) -> Connection:
        """There is a socket, which may have things to tell first. Who polls is up to date until it has."""
        if self.is_over or self.status == "polling":
            return self
        return Connection("resuming", self.last_synced_at)

    def synced(self, at: datetime) -> Connection:
        """The socket has told all that was missed."""
        return self if self.is_over else Connection("live", at)

    def lost(self, heard_at: datetime) -> Connection:
        """The socket is gone, which was last heard then."""
        return Connection("resuming", heard_at) if self.status == "live" else self

    def polled(self, at: datetime) -> Connection:
        """REST has answered."""
        return self if self.is_over else Connection("polling", at)

    def failed(self, reason: Reason) -> Connection:
        """A try has failed; there will be others."""
        return self if self.is_over else Connection("offline", self.last_synced_at, reason, retrying=True)

    def ended(self, reason: Reason, heard_at: datetime | None) -> Connection:
        """For good, or until told to connect again."""
        if self.is_over:
            return replace(self, reason="closed") if reason == "closed" else self
        return Connection("offline", heard_at if self.status == "live" else self.last_synced_at, reason)


IDLE = Connection(reason="idle")


def ended_by(words: str) -> Reason | None:
    """What is the end for good in a refusal of CONNECT, in ``force_disconnect`` or in the title of a 401."""
    match words:
        case "new_login" | "revoked" | "token_expired":
            return words
        case "Token expired":
            return "token_expired"
        case "Invalid token" | "Authentication required":
            return "unauthorized"
        case _:
            return None
