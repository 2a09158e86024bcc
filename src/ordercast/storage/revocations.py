"""Revoked tokens in SQLite: `Revocations` of the domain's ports. The table is the truth, memory answers."""

from __future__ import annotations

import math
from collections.abc import Callable

from ordercast.orders.models import IdempotencyKey, now
from ordercast.orders.principal import Principal
from ordercast.orders.revocations import RevocationKind, Revoked
from ordercast.storage.idempotency import Answer, Answers
from ordercast.storage.purge import purge
from ordercast.storage.rows import to_ms
from ordercast.storage.sqlite import Readers
from ordercast.storage.writer import Transaction, Writer

_NEWEST = "SELECT coalesce(max(at), 0) FROM revocations"
_SAVE = (
    "INSERT INTO revocations (kind, value, at, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, value) DO UPDATE "
    "SET at = excluded.at, expires_at = max(expires_at, excluded.expires_at)"
)
_SINCE = "SELECT kind, value, at, expires_at FROM revocations WHERE at > ? ORDER BY at"


class SqliteRevocations:
    """What this process revokes counts at once; what another one does, after the next `look`.

    ``max_lifetime`` (s): no token lives longer, so no revocation needs to.
    """

    def __init__(self, writer: Writer, readers: Readers, max_lifetime: float, answers: Answers) -> None:
        self._writer = writer
        self._readers = readers
        self._lifetime_ms = math.ceil(max_lifetime * 1000)
        self._answers = answers
        self._revoked = Revoked()
        self._seen = -1

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
        def work(transaction: Transaction) -> tuple[int, int] | None:
            db = transaction.db
            if key is not None:
                if self._answers.known(db, key) is not None:
                    return None
                self._answers.keep(db, key, Answer(b""))
            # Each has a later time than all before it, whatever the clock says, so that `look` misses none.
            at: int = max(to_ms(now()), db.execute(_NEWEST).fetchone()[0] + 1)
            until = at + self._lifetime_ms
            if expires_at is not None:
                until = math.ceil(min(max(expires_at * 1000, 0), until))
            db.execute(_SAVE, (kind.value, value, at, until))
            return at, until

        written = await self._writer.submit(work)
        if written is None:
            return False
        at, until = written
        self._revoked.add(kind, value, at / 1000, until / 1000)
        self._revoked.tell()
        return True

    async def look(self) -> None:
        """Reads what was revoked since the last look, by this process or another."""
        rows = await self._readers.run(lambda db: db.execute(_SINCE, (self._seen,)).fetchall())
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
