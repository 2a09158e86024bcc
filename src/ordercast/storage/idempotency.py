"""What was answered to an `IdempotencyKey`, for the transaction of the write that it guards."""

from __future__ import annotations

import secrets

from ordercast.errors import IdempotencyKeyReused
from ordercast.orders.models import IdempotencyKey, now
from ordercast.storage.driver import Answer, Statement, Transaction, Writer
from ordercast.storage.rows import to_ms

_PURGE_EVERY = 1_000
"""Keyed writes between two purges of expired keys."""

_CLAIM = (
    "INSERT INTO idempotency_keys (scope, key, fingerprint, order_id, body, created_at) VALUES (?, ?, ?, '', ?, ?) "
    "ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, order_id = '', body = excluded.body, "
    "created_at = excluded.created_at WHERE idempotency_keys.created_at < ?"
)
_CLAIMED = "SELECT fingerprint, body FROM idempotency_keys WHERE scope = ? AND key = ?"
_PURGE = "DELETE FROM idempotency_keys WHERE created_at < ?"


class Answers:
    """Kept for ``ttl`` seconds."""

    def __init__(self, ttl: float) -> None:
        self._ttl_ms = round(ttl * 1000)
        self._keyed = 0

    def known(self, transaction: Transaction, key: IdempotencyKey) -> Answer | None:
        """What was answered to the same request before. Raises `IdempotencyKeyReused` where it was another one."""
        known = transaction.answer(key)
        if known is None or known.at < to_ms(now()) - self._ttl_ms:
            return None
        _same(key, known.fingerprint)
        return known

    def keep(self, transaction: Transaction, key: IdempotencyKey, order_id: str, body: bytes) -> None:
        """Remembers what is answered now."""
        transaction.keep(key, Answer(key.fingerprint, order_id, body, to_ms(now())))

    def claim(self, key: IdempotencyKey) -> Claim:
        """For a write without orders, which is statements alone."""
        return Claim(key, to_ms(now()), self._ttl_ms)

    async def tidy(self, writer: Writer) -> None:
        """Called with each keyed write; removes now and then what has expired."""
        self._keyed += 1
        if self._keyed % _PURGE_EVERY == 0:
            await writer.run(Statement(_PURGE, (to_ms(now()) - self._ttl_ms,)))


class Claim:
    """A key taken by a statement. Who took it is known by a body that nobody else has, also when it is repeated."""

    HELD = "EXISTS (SELECT 1 FROM idempotency_keys WHERE scope = ? AND key = ? AND body = ?)"
    """Whether it is ours, for the statements after `take`; with `parameters`."""

    def __init__(self, key: IdempotencyKey, at: int, ttl_ms: int) -> None:
        body = secrets.token_bytes(12)
        self._key = key
        self.parameters = (key.scope, key.key, body)
        self.take = Statement(_CLAIM, (key.scope, key.key, key.fingerprint, body, at, at - ttl_ms))
        self.look = Statement(_CLAIMED, (key.scope, key.key))

    def is_ours(self, fingerprint: str, body: bytes) -> bool:
        """After `look`: false where the same request came before. Raises `IdempotencyKeyReused` for another one."""
        _same(self._key, fingerprint)
        return body == self.parameters[2]


class SqlRequests:
    """`Requests` of the domain's ports."""

    def __init__(self, writer: Writer, answers: Answers) -> None:
        self._writer = writer
        self._answers = answers

    async def is_first(self, key: IdempotencyKey) -> bool:
        await self._answers.tidy(self._writer)
        claim = self._answers.claim(key)
        _, (looked,) = await self._writer.run(claim.take, claim.look)
        return claim.is_ours(*looked)


def _same(key: IdempotencyKey, fingerprint: str) -> None:
    if fingerprint != key.fingerprint:
        raise IdempotencyKeyReused(
            "This Idempotency-Key came before with another body. Use a new key for a new request."
        )
