"""Webhook endpoints in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from ordercast.webhooks.models import Delivery, Endpoint, Key, Seen, Settled, State, Tally


class MemoryWebhooks:
    """`Webhooks`. A lease lasts until it is given back, or `expire` takes it."""

    def __init__(self) -> None:
        self._endpoints: dict[str, Endpoint] = {}
        self._messages: dict[str, dict[Key, Delivery]] = {}
        self._leases: dict[str, str] = {}

    async def all(self) -> Sequence[Endpoint]:
        return sorted(self._endpoints.values(), key=lambda one: (one.created_at, one.id))

    async def get(self, id: str) -> Endpoint | None:
        return self._endpoints.get(id)

    async def add(self, endpoint: Endpoint) -> None:
        self._endpoints.setdefault(endpoint.id, endpoint)

    async def replace(self, endpoint: Endpoint) -> bool:
        now = self._endpoints.get(endpoint.id)
        if now is None or now.revision != endpoint.revision:
            return False
        self._endpoints[endpoint.id] = replace(endpoint, cursor=now.cursor, revision=now.revision + 1)
        return True

    async def remove(self, id: str) -> bool:
        self._messages.pop(id, None)
        self._leases.pop(id, None)
        return self._endpoints.pop(id, None) is not None

    async def tallies(self) -> Mapping[str, Tally]:
        return {id: _tally([*kept.values()]) for id, kept in self._messages.items() if kept}

    async def deliveries(self, id: str, state: State, after: Key | None, limit: int) -> Sequence[Delivery]:
        kept = sorted(self._messages.get(id, {}).values(), key=lambda one: one.place)
        place = (-1, -1) if after is None else Delivery(position=after[0], type=after[1], order_id="", at=0).place
        return [replace(one) for one in kept if one.state == state and one.place > place][:limit]

    async def resend(self, id: str, keys: Collection[Key] | None, at: int) -> int:
        dead = [one for one in self._messages.get(id, {}).values() if one.state == "dead"]
        dead = [one for one in dead if keys is None or one.key in keys]
        for one in dead:
            one.state, one.attempts, one.due = "waiting", 0, at
        self._touch(id)
        return len(dead)

    async def lease(self, id: str, run: str) -> bool:
        return id in self._endpoints and self._leases.setdefault(id, run) == run

    async def release(self, id: str, run: str) -> None:
        if self._leases.get(id) == run:
            self.expire(id)

    def expire(self, id: str) -> None:
        """The lease ends, whoever has it."""
        self._leases.pop(id, None)

    async def settle(self, id: str, run: str, settled: Settled) -> bool:
        if self._leases.get(id) != run:
            return False
        self._endpoints[id] = replace(self._endpoints[id], cursor=settled.cursor)
        kept = self._messages.setdefault(id, {})
        for key in settled.drop:
            kept.pop(key, None)
        kept.update((one.key, replace(one, recorded=True)) for one in settled.keep)
        return True

    async def trouble(self, id: str, run: str, problem: str, *, disable: bool) -> None:
        if self._leases.get(id) != run:
            return
        self._endpoints[id] = replace(self._endpoints[id], problem=problem)
        if disable:
            self._endpoints[id] = replace(self._endpoints[id], enabled=False)
            self._touch(id)

    def _touch(self, id: str) -> None:
        if id in self._endpoints:
            self._endpoints[id] = replace(self._endpoints[id], revision=self._endpoints[id].revision + 1)


def _tally(kept: Sequence[Delivery]) -> Tally:
    waiting = [one.at for one in kept if one.state == "waiting"]
    return Tally(len(waiting), len(kept) - len(waiting), min(waiting, default=None))


class MemoryReceived:
    """`Received`, for ever."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, str], tuple[str, bool]] = {}

    async def begin(self, source: str, id: str, fingerprint: str) -> Seen:
        known, done = self._messages.setdefault((source, id), (fingerprint, False))
        if known != fingerprint:
            return Seen.OTHER
        return Seen.DONE if done else Seen.NEW

    async def done(self, source: str, id: str) -> None:
        fingerprint, _ = self._messages[source, id]
        self._messages[source, id] = (fingerprint, True)
