"""Watches and revoked tokens in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf

from ordercast.orders.models import now
from ordercast.orders.principal import Principal
from ordercast.orders.revocations import RevocationKind, Revoked


class MemoryWatches:
    """`Watches`, given for ``ttl`` seconds after they were last saved."""

    def __init__(self, ttl: float = 86_400) -> None:
        self._ttl = timedelta(seconds=ttl)
        self._watches: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def save(self, pid: str, user_id: str, order_id: str) -> None:
        self._watches[pid, order_id] = (user_id, now())

    async def drop(self, pid: str, order_id: str) -> None:
        self._watches.pop((pid, order_id), None)

    async def of(self, pid: str, user_id: str) -> frozenset[str]:
        since = now() - self._ttl
        return frozenset(
            order_id
            for (its_pid, order_id), (its_user, at) in self._watches.items()
            if (its_pid, its_user) == (pid, user_id) and at >= since
        )


class MemoryRevocations:
    """`Revocations`, kept for ever."""

    def __init__(self) -> None:
        self._revoked = Revoked()

    def is_revoked(self, principal: Principal) -> bool:
        return self._revoked.reaches(principal)

    async def revoke_user(self, user_id: str) -> None:
        self._revoke(RevocationKind.USER, user_id)

    async def revoke_token(self, token_id: str, expires_at: float | None = None) -> None:
        self._revoke(RevocationKind.TOKEN, token_id)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._revoked.subscribe(callback)

    def _revoke(self, kind: RevocationKind, value: str) -> None:
        self._revoked.add(kind, value, now().timestamp(), inf)
        self._revoked.tell()
