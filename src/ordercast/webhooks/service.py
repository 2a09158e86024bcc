"""The use cases of webhook endpoints, for REST and for the commands alike. They are for the shop's backend and its
admins: whoever calls has seen to that."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ordercast.errors import Conflict, Invalid, NotFound
from ordercast.orders.models import iso, now
from ordercast.webhooks.addresses import AddressRefused
from ordercast.webhooks.messages import key_of
from ordercast.webhooks.models import TYPES, Answer, Delivery, Endpoint, Secret, State, Tally, new_secret
from ordercast.webhooks.ports import Poster, Webhooks

MAX_ENDPOINTS = 100
"""Each is a task that follows the log: more of them belong behind a queue of their own."""

MAX_PAGE = 500

OVERLAP = 86_400.0
"""s that a replaced secret signs on beside the new one, unless told otherwise: time to roll it out."""

_TRIES = 5  # of a change that another one came before


@dataclass(frozen=True, slots=True)
class WebhookService:
    """``head`` is the log's newest position. ``wake`` tells the sender of this process that something has changed."""

    store: Webhooks
    poster: Poster
    head: Callable[[], Awaitable[int]]
    wake: Callable[[], None] = lambda: None

    async def add(
        self,
        url: str,
        events: Sequence[str] | None = None,
        shops: Collection[str] | None = None,
        description: str = "",
        enabled: bool = True,
    ) -> Endpoint:
        """A new endpoint, which gets what happens from now on. Raises `Invalid`, `Conflict`."""
        await self._check(url)
        if len(await self.store.all()) >= MAX_ENDPOINTS:
            raise Conflict(f"There are {MAX_ENDPOINTS} webhooks already. Remove one that is not used any more.")
        endpoint = Endpoint(
            id=f"wh_{secrets.token_hex(8)}",
            url=url,
            description=description,
            events=_types(events),
            shops=_shops(shops),
            secrets=(new_secret(),),
            enabled=enabled,
            cursor=await self.head(),
            created_at=_now(),
        )
        await self.store.add(endpoint)
        self.wake()
        return endpoint

    async def all(self) -> list[tuple[Endpoint, Tally]]:
        """Each with how it does."""
        tallies = await self.store.tallies()
        return [(endpoint, tallies.get(endpoint.id, Tally())) for endpoint in await self.store.all()]

    async def get(self, id: str) -> tuple[Endpoint, Tally]:
        """One, with how it does. Raises `NotFound`."""
        endpoint = await self._found(id)
        return endpoint, (await self.store.tallies()).get(id, Tally())

    async def change(self, id: str, values: Mapping[str, Any]) -> Endpoint:
        """Sets these of url, events, shops, description, enabled. Raises `NotFound`, `Invalid`, `Conflict`."""
        values = dict(values)
        if "url" in values:
            await self._check(values["url"])
        if "events" in values:
            values["events"] = _types(values["events"])
        if "shops" in values:
            values["shops"] = _shops(values["shops"])
        if values.get("enabled"):
            values["problem"] = None
        return await self._replace(id, lambda endpoint: replace(endpoint, **values))

    async def rotate(self, id: str, overlap: float = OVERLAP) -> Endpoint:
        """Gives it a new secret, the first of its ``secrets``; the one it had signs beside it for ``overlap`` seconds
        more. Raises `NotFound`, `Conflict`."""
        at, until = _now(), _now() + round(overlap * 1000)
        fresh = new_secret()

        def rotated(endpoint: Endpoint) -> Endpoint:
            older = [Secret(one.value, min(one.until or until, until)) for one in endpoint.secrets]
            return replace(endpoint, secrets=(fresh, *(one for one in older if (one.until or 0) > at)))

        return await self._replace(id, rotated)

    async def remove(self, id: str) -> None:
        """Forgets it and what waits for it. Raises `NotFound`."""
        if not await self.store.remove(id):
            raise _not_found()
        self.wake()

    async def deliveries(
        self, id: str, state: State, after: str | None = None, limit: int = 100
    ) -> tuple[Endpoint, Sequence[Delivery]]:
        """Its messages that wait or are dead, the oldest first, after the one with this id. Raises `NotFound`,
        `Invalid`."""
        endpoint = await self._found(id)
        key = None if after is None else _key(after, id)
        return endpoint, await self.store.deliveries(id, state, key, limit)

    async def resend(self, id: str, message_ids: Collection[str] | None = None) -> int:
        """Has dead messages (``None``: all) tried again from now on; how many. One that was not dead is none of them.
        Raises `NotFound`, `Invalid`."""
        await self._found(id)
        keys = None if message_ids is None else [_key(one, id) for one in message_ids]
        resent = await self.store.resend(id, keys, _now())
        self.wake()
        return resent

    async def test(self, id: str) -> Answer:
        """Sends it a message of type ``webhook.test`` now, once; what it answered. Raises `NotFound`."""
        endpoint = await self._found(id)
        body = {"type": "webhook.test", "timestamp": iso(now()), "data": {"webhookId": id}}
        return await self.poster.post(endpoint, f"msg_test_{secrets.token_hex(8)}", msgspec.json.encode(body))

    async def _found(self, id: str) -> Endpoint:
        endpoint = await self.store.get(id)
        if endpoint is None:
            raise _not_found()
        return endpoint

    async def _replace(self, id: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        for _ in range(_TRIES):
            changed = change(await self._found(id))
            if await self.store.replace(changed):
                self.wake()
                return changed
        raise Conflict("The webhook is being changed by others. Try again.")

    async def _check(self, url: str) -> None:
        try:
            await self.poster.check(url)
        except AddressRefused as error:
            raise Invalid(f"url: {error}") from None


def _types(events: Sequence[str] | None) -> tuple[str, ...]:
    if events is None:
        return TYPES
    if unknown := [event for event in events if event not in TYPES]:
        raise Invalid(f"events: {unknown[0]!r} is none of {', '.join(TYPES)}")
    if not events:
        raise Invalid("events: name at least one, or leave it out for all")
    return tuple(type for type in TYPES if type in events)


def _shops(shops: Collection[str] | None) -> frozenset[str] | None:
    if shops is not None and not shops:
        raise Invalid("shops: name at least one, or null for all")
    return None if shops is None else frozenset(shops)


def _key(message_id: str, id: str) -> tuple[int, str]:
    try:
        return key_of(message_id, id)
    except ValueError as error:
        raise Invalid(f"{message_id!r} {error}") from None


def _not_found() -> NotFound:
    return NotFound("There is no such webhook. GET /api/webhooks lists them, and so does 'ordercast webhook list'.")


def _now() -> int:
    return time.time_ns() // 1_000_000
