"""Webhook endpoints and their messages, in SQL: `Webhooks` of `ordercast.webhooks.ports`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from ordercast.storage.driver import Readers, Row, Statement, Writer
from ordercast.storage.nodes import NOW
from ordercast.webhooks.models import TYPES, Delivery, Endpoint, Key, Secret, Settled, State, Tally

LEASE_MS = 10_000
"""ms that a lease lasts, by the database's clock."""

_COLUMNS = "id, url, description, events, shops, secrets, enabled, problem, cursor, revision, created_at"
_ALL = f"SELECT {_COLUMNS} FROM webhooks ORDER BY created_at, id"  # noqa: S608 - our own names, here and below
_GET = f"SELECT {_COLUMNS} FROM webhooks WHERE id = ?"  # noqa: S608
_ADD = f"INSERT INTO webhooks ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_REPLACE = (
    "UPDATE webhooks SET url = ?, description = ?, events = ?, shops = ?, secrets = ?, enabled = ?, problem = ?, "
    "revision = revision + 1 WHERE id = ? AND revision = ? RETURNING 1"
)
_TOUCH = "UPDATE webhooks SET revision = revision + 1 WHERE id = ?"
_REMOVE = "DELETE FROM webhooks WHERE id = ? RETURNING 1"
_REMOVE_MESSAGES = "DELETE FROM webhook_messages WHERE webhook_id = ?"
_TALLIES = (
    "SELECT webhook_id, sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END), "
    "sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), min(CASE WHEN state = 'waiting' THEN at END) "
    "FROM webhook_messages GROUP BY webhook_id"
)
_MESSAGE = "position, rank, order_id, at, attempts, due, status, reason, answer, state"
_MESSAGES = (
    f"SELECT {_MESSAGE} FROM webhook_messages WHERE webhook_id = ? AND state = ? "  # noqa: S608
    "AND (position > ? OR (position = ? AND rank > ?)) ORDER BY position, rank LIMIT ?"
)
_AGAIN = "UPDATE webhook_messages SET state = 'waiting', attempts = 0, due = ? WHERE webhook_id = ? AND state = 'dead'"
_AGAIN_ONE = f"{_AGAIN} AND position = ? AND rank = ? RETURNING 1"
_LEASE = (
    f"UPDATE webhooks SET lease_run = ?, lease_until = {NOW} + {LEASE_MS} WHERE id = ? "  # noqa: S608
    f"AND (lease_run IS NULL OR lease_run = ? OR lease_until < {NOW}) RETURNING 1"
)
_RELEASE = "UPDATE webhooks SET lease_run = NULL WHERE id = ? AND lease_run = ?"
_SETTLE = "UPDATE webhooks SET cursor = ? WHERE id = ? AND {held} RETURNING 1"
_HELD = "EXISTS (SELECT 1 FROM webhooks WHERE id = ? AND {held})"
_KEEP = (
    f"INSERT INTO webhook_messages (webhook_id, {_MESSAGE}) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE {_HELD} "
    "ON CONFLICT (webhook_id, position, rank) DO UPDATE SET attempts = excluded.attempts, due = excluded.due, "
    "status = excluded.status, reason = excluded.reason, answer = excluded.answer, state = excluded.state"
)
_DROP = f"DELETE FROM webhook_messages WHERE webhook_id = ? AND position = ? AND rank = ? AND {_HELD}"  # noqa: S608
_TROUBLE = "UPDATE webhooks SET problem = ? WHERE id = ? AND {held}"
_DISABLE = "UPDATE webhooks SET problem = ?, enabled = false, revision = revision + 1 WHERE id = ? AND {held}"


class SqlWebhooks:
    """``shared``: several nodes may have the database. A file has one server, which holds all leases unasked."""

    def __init__(self, writer: Writer, readers: Readers, *, shared: bool) -> None:
        self._writer = writer
        self._readers = readers
        self._shared = shared

    async def all(self) -> Sequence[Endpoint]:
        return [_endpoint(row) for row in await self._readers.fetch(_ALL)]

    async def get(self, id: str) -> Endpoint | None:
        rows = await self._readers.fetch(_GET, id)
        return _endpoint(rows[0]) if rows else None

    async def add(self, endpoint: Endpoint) -> None:
        place = (endpoint.cursor, endpoint.revision, endpoint.created_at)
        await self._writer.run(Statement(_ADD, (endpoint.id, *_said(endpoint), *place)))

    async def replace(self, endpoint: Endpoint) -> bool:
        values = (*_said(endpoint), endpoint.id, endpoint.revision)
        (rows,) = await self._writer.run(Statement(_REPLACE, values))
        return bool(rows)

    async def remove(self, id: str) -> bool:
        rows, _ = await self._writer.run(Statement(_REMOVE, (id,)), Statement(_REMOVE_MESSAGES, (id,)))
        return bool(rows)

    async def tallies(self) -> Mapping[str, Tally]:
        return {row[0]: Tally(row[1], row[2], row[3]) for row in await self._readers.fetch(_TALLIES)}

    async def deliveries(self, id: str, state: State, after: Key | None, limit: int) -> Sequence[Delivery]:
        position, rank = (-1, -1) if after is None else (after[0], TYPES.index(after[1]))
        rows = await self._readers.fetch(_MESSAGES, id, state, position, position, rank, limit)
        return [_delivery(row) for row in rows]

    async def resend(self, id: str, keys: Collection[Key] | None, at: int) -> int:
        touch = Statement(_TOUCH, (id,))
        if keys is None:
            rows, _ = await self._writer.run(Statement(f"{_AGAIN} RETURNING 1", (at, id)), touch)
            return len(rows)
        one_by_one = [Statement(_AGAIN_ONE, (at, id, position, TYPES.index(type))) for position, type in keys]
        results = await self._writer.run(*one_by_one, touch)
        return sum(map(len, results[:-1]))

    async def lease(self, id: str, run: str) -> bool:
        if not self._shared:
            return bool(await self._readers.fetch("SELECT 1 FROM webhooks WHERE id = ?", id))
        (rows,) = await self._writer.run(Statement(_LEASE, (run, id, run)))
        return bool(rows)

    async def release(self, id: str, run: str) -> None:
        if self._shared:
            await self._writer.run(Statement(_RELEASE, (id, run)))

    async def settle(self, id: str, run: str, settled: Settled) -> bool:
        held = self._held(run)
        statements = [self._fenced(_SETTLE, (settled.cursor, id, *held))]
        if settled.drop:
            drop = [(id, position, TYPES.index(type), id, *held) for position, type in settled.drop]
            statements.append(self._fenced(_DROP, many=drop))
        if settled.keep:
            statements.append(self._fenced(_KEEP, many=[(id, *_kept(one), id, *held) for one in settled.keep]))
        first, *_ = await self._writer.run(*statements)
        return bool(first)

    async def trouble(self, id: str, run: str, problem: str, *, disable: bool) -> None:
        sql = _DISABLE if disable else _TROUBLE
        await self._writer.run(self._fenced(sql, (problem, id, *self._held(run))))

    def _held(self, run: str) -> tuple[str, ...]:
        return (run,) if self._shared else ()

    def _fenced(self, sql: str, parameters: Sequence[object] = (), many: Sequence[Sequence[object]] = ()) -> Statement:
        return Statement(sql.format(held="lease_run = ?" if self._shared else "true"), parameters, many)


def _said(endpoint: Endpoint) -> tuple[object, ...]:
    shops = None if endpoint.shops is None else _json(sorted(endpoint.shops))
    secrets = _json([[one.value, one.until] for one in endpoint.secrets])
    values = (endpoint.url, endpoint.description, _json(endpoint.events), shops, secrets)
    return (*values, endpoint.enabled, endpoint.problem)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _endpoint(row: Row) -> Endpoint:
    id, url, description, events, shops, secrets, enabled, problem, cursor, revision, created_at = row
    return Endpoint(
        id=id,
        url=url,
        description=description,
        events=tuple(msgspec.json.decode(events)),
        shops=None if shops is None else frozenset(msgspec.json.decode(shops)),
        secrets=tuple(Secret(value, until) for value, until in msgspec.json.decode(secrets)),
        enabled=bool(enabled),
        problem=problem,
        cursor=cursor,
        revision=revision,
        created_at=created_at,
    )


def _kept(one: Delivery) -> tuple[object, ...]:
    said = (one.status, one.reason, one.answer, one.state)
    return (one.position, TYPES.index(one.type), one.order_id, one.at, one.attempts, one.due, *said)


def _delivery(row: Row) -> Delivery:
    position, rank, order_id, at, attempts, due, status, reason, answer, state = row
    return Delivery(
        position=position,
        type=TYPES[rank],
        order_id=order_id,
        at=at,
        attempts=attempts,
        due=due,
        status=status,
        reason=reason,
        answer=answer,
        state=state,
        recorded=True,
    )
