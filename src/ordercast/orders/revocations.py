"""Which tokens a revocation reaches. Pure; where revocations are kept is `ordercast.storage`'s."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import structlog

from ordercast.orders.principal import Principal

_log = structlog.get_logger("ordercast")


class RevocationKind(StrEnum):
    """What is revoked: all tokens of a user, or one token."""

    USER = "user"
    TOKEN = "token"  # noqa: S105 - a word


class Revoked:
    """All revocations that may still reach a token, in memory, since every request asks; and who wants to hear.

    Times are in seconds since the epoch.
    """

    def __init__(self) -> None:
        self._users: dict[str, tuple[float, float]] = {}  # issued before, and when all those have ended
        self._tokens: dict[str, float] = {}
        self._callbacks: set[Callable[[], None]] = set()

    def reaches(self, principal: Principal) -> bool:
        """Whether the caller's token is revoked."""
        if principal.token_id is not None and principal.token_id in self._tokens:
            return True
        user = self._users.get(principal.user_id)
        return user is not None and (principal.issued_at is None or principal.issued_at < user[0])

    def add(self, kind: RevocationKind, value: str, at: float, until: float) -> bool:
        """Remembers what was revoked ``at`` a millisecond, that is, in all of it; returns whether it is anything new.

        ``until``: all that it reaches has ended by itself then.
        """
        if kind is RevocationKind.TOKEN:
            new = value not in self._tokens
            self._tokens[value] = max(until, self._tokens.get(value, until))
            return new
        before = at + 0.001
        known = self._users.get(value)
        if known is not None and known[0] >= before:
            return False
        self._users[value] = (before, until)
        return True

    def forget(self, now: float) -> None:
        """Drops those whose tokens have all ended by themselves."""
        self._users = {user: kept for user, kept in self._users.items() if kept[1] >= now}
        self._tokens = {token: until for token, until in self._tokens.items() if until >= now}

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Has `tell` call this; returns how to stop it."""

        # Wrapped, so that the same function may subscribe twice.
        def subscribed() -> None:
            callback()

        self._callbacks.add(subscribed)
        return lambda: self._callbacks.discard(subscribed)

    def tell(self) -> None:
        """Calls all who subscribed."""
        for callback in tuple(self._callbacks):
            try:
                callback()
            except Exception:  # or the others would not hear, and who revoked would be told that it failed
                _log.exception("whoever follows revocations failed to act on one")

    def __len__(self) -> int:
        return len(self._users) + len(self._tokens)
