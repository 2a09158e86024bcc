"""Revoked tokens in SQL: `Revocations` of the domain's ports. The table is the truth, memory answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from ordercast.orders.models import IdempotencyKey, now
from ordercast.orders.principal import Principal
from ordercast.orders.revocations import RevocationKind, Revoked
from ordercast.storage.driver import Readers, Statement, Writer
from ordercast.storage.idempotency import Answers, Claim
from ordercast.storage.purge import purge
from ordercast.storage.rows import to_ms

# Each has a later time than all before it, whatever the clock says, so that `look` misses none; and ends with the
# longest-lived token at the latest.
_SAVE = (
    "INSERT INTO revocations (kind, value, at, expires_at) "
    "SELECT ?, ?, at, CASE WHEN ? < at + ? THEN ? ELSE at + ? END FROM "
    "(SELECT CASE WHEN newest < ? THEN ? ELSE newest + 1 END AS at FROM "
    "(SELECT coalesce(max(at), 0) AS newest FROM revocations) AS known) AS later WHERE {} "
    "ON CONFLICT (kind, value) DO UPDATE SET at = excluded.at, expires_at = CASE WHEN revocations.expires_at > "
    "excluded.expires_at THEN revocations.expires_at ELSE excluded.expires_at END RETURNING at, expires_at"
)
_SINCE = "SELECT kind, value, at, expires_at FROM revocations WHERE at > ? ORDER BY at"

_NEVER = 2**62  # ms, as an integer that every database holds


class SqlRevocations:
    """What this process revokes counts at once; what another one does, after the next `look`.

    ``max_lifetime`` (s): no token lives longer that was made until now, so no revocation needs to.
    """

    def __init__(self, writer: Writer, readers: Readers, max_lifetime: float, answers: Answers) -> None:
        self._writer = writer
        self._readers = readers
        self._lifetime_ms = 0
        self.adopt(max_lifetime)
        self._answers = answers
        self._revoked = Revoked()
        self._seen = -1

    def adopt(self, max_lifetime: float) -> None:
        """Another one, for what is revoked from now on. Never less than before: what was made until now lives on."""
        self._lifetime_ms = max(self._lifetime_ms, math.ceil(max_lifetime * 1000))

    def is_revoked(self, principal: Principal) -> bool:
        return self._revoked.reaches(principal)

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._revoked.subscribe(callback)

    async def revoke_user(self, user_id: str, idempotency: IdempotencyKey | None = None) -> bool:
        return await self._revoke(RevocationKind.USER, user_id, None, idempotency)

    async def revoke_token(
        self, token_id: str, expires_at: float | None = None, idempotency: IdempotencyKey | None = None
    ) -> bool:
        return await self._revoke(RevocationKind.TOKEN, token_id, expires_at, idempotency)

    async def _revoke(
        self, kind: RevocationKind, value: str, expires_at: float | None, key: IdempotencyKey | None
    ) -> bool:
        at, lifetime = to_ms(now()), self._lifetime_ms
        until = _NEVER if expires_at is None else math.ceil(min(max(expires_at * 1000, 0), _NEVER))
        row = (kind.value, value, until, lifetime, until, lifetime, at, at)
        # Alone, since one of an earlier time that is committed later would be missed all the same.
        if key is None:
            (saved,) = await self._writer.run(Statement(_SAVE.format("true"), row), alone=True)
        else:
            await self._answers.tidy(self._writer)
            claim = self._answers.claim(key)
            save = Statement(_SAVE.format(Claim.HELD), (*row, *claim.parameters))
            _, (looked,), saved = await self._writer.run(claim.take, claim.look, save, alone=True)
            if not claim.is_ours(*looked):
                return False
        at, until = saved[0]
        if self._revoked.add(kind, value, at / 1000, until / 1000):  # else `look` has read it meanwhile, and told
            self._revoked.tell()
        return True

    async def look(self) -> None:
        """Reads what was revoked since the last look, by this process or another."""
        rows = await self._readers.fetch(_SINCE, self._seen)
        new = [self._revoked.add(RevocationKind(kind), value, at / 1000, end / 1000) for kind, value, at, end in rows]
        if rows:
            self._seen = max(self._seen, rows[-1][2])
        if any(new):
            self._revoked.tell()

    async def purge(self) -> None:
        """Removes those that reach no token any more."""
        at = to_ms(now())
        await purge(self._writer, self._readers, "revocations", "expires_at", at)
        self._revoked.forget(at / 1000)
