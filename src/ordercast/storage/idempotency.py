"""What was answered to an `IdempotencyKey`, in SQLite. Called within the transaction of the write that it guards."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from ordercast.errors import IdempotencyKeyReused
from ordercast.orders.models import IdempotencyKey, now
from ordercast.storage.rows import to_ms

_PURGE_EVERY = 1_000
"""Keyed writes between two purges of expired keys."""

_KNOWN = "SELECT fingerprint, order_id, body FROM idempotency_keys WHERE scope = ? AND key = ? AND created_at >= ?"
_KEEP = (
    "INSERT OR REPLACE INTO idempotency_keys (scope, key, fingerprint, order_id, body, created_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_PURGE = "DELETE FROM idempotency_keys WHERE created_at < ?"


@dataclass(frozen=True, slots=True)
class Answer:
    """``order_id`` is empty where it is about no order."""

    body: bytes
    order_id: str = ""


class Answers:
    """Kept for ``ttl`` seconds."""

    def __init__(self, ttl: float) -> None:
        self._ttl_ms = round(ttl * 1000)
        self._keyed = 0

    def known(self, db: sqlite3.Connection, key: IdempotencyKey) -> Answer | None:
        """What was answered to the same request before. Raises `IdempotencyKeyReused` where it was another one."""
        since = to_ms(now()) - self._ttl_ms
        self._keyed += 1
        if self._keyed % _PURGE_EVERY == 0:
            db.execute(_PURGE, (since,))
        row = db.execute(_KNOWN, (key.scope, key.key, since)).fetchone()
        if row is None:
            return None
        fingerprint, order_id, body = row
        if fingerprint != key.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body. Use a new key for a new request."
            )
        return Answer(body, order_id)

    def keep(self, db: sqlite3.Connection, key: IdempotencyKey, answer: Answer) -> None:
        """Remembers what is answered now."""
        db.execute(_KEEP, (key.scope, key.key, key.fingerprint, answer.order_id, answer.body, to_ms(now())))
