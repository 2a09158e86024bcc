"""Watches and revoked tokens in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from math import inf

from ordercast.errors import IdempotencyKeyReused
from ordercast.orders.models import IdempotencyKey, now
from ordercast.orders.principal import Principal
from ordercast.orders.revocations import RevocationKind, Revoked


class MemoryWatches:
    """`Watches`, given for ``ttl`` seconds after they were last saved."""

    def __init__(self, ttl: float = 86_400) -> None:
        self._ttl = timedelta(seconds=ttl)
        self._watches: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def save(self, pid: str, user_id: str, order_id: str) -> None:
        self._watches[pid, order_id] = (user_id, now())

    async def save_all(self, pid: str, user_id: str, order_ids: Collection[str]) -> None:
        for order_id in order_ids:
            await self.save(pid, user_id, order_id)

    async def drop(self, pid: str, order_id: str) -> None:
        self._watches.pop((pid, order_id), None)

    def forget(self, user_id: str) -> None:
        """Nothing of this user is kept."""
        self._watches = {key: kept for key, kept in self._watches.items() if kept[0] != user_id}

    async def of(self, pid: str, user_id: str) -> frozenset[str]:
        since = now() - self._ttl
        return frozenset(
            order_id
            for (its_pid, order_id), (its_user, at) in self._watches.items()
            if (its_pid, its_user) == (pid, user_id) and at >= since
        )


class MemoryRequests:
    """`Requests`, remembered for ``ttl`` seconds."""

    def __init__(self, ttl: float = 86_400) -> None:
        self._ttl = timedelta(seconds=ttl)
        self._asked: dict[tuple[str, str], tuple[str, datetime]] = {}

    async def is_first(self, key: IdempotencyKey) -> bool:
        asked = self._asked.get((key.scope, key.key))
        if asked is None or asked[1] < now() - self._ttl:
            self._asked[key.scope, key.key] = (key.fingerprint, now())
            return True
        if asked[0] != key.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body. Use a new key for a new request."
            )
        return False


class MemoryRevocations:
    """`Revocations`, kept for ever."""

    def __init__(self, requests: MemoryRequests | None = None) -> None:
        self._requests = requests or MemoryRequests()
        self._revoked = Revoked()

    def is_revoked(self, principal: Principal) -> bool:
        return self._revoked.reaches(principal)

    async def revoke_user(self, user_id: str, idempotency: IdempotencyKey | None = None) -> bool:
        return await self._revoke(RevocationKind.USER, user_id, idempotency)

    async def revoke_token(
        self, token_id: str, expires_at: float | None = None, idempotency: IdempotencyKey | None = None
    ) -> bool:
        return await self._revoke(RevocationKind.TOKEN, token_id, idempotency)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._revoked.subscribe(callback)

    async def _revoke(self, kind: RevocationKind, value: str, key: IdempotencyKey | None) -> bool:
        if key is not None and not await self._requests.is_first(key):
            return False
        self._revoked.add(kind, value, now().timestamp(), inf)
        self._revoked.tell()
        return True
