"""`Requests`: what was asked before, of what is about no order."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.errors import IdempotencyKeyReused
from ordercast.orders.models import IdempotencyKey
from tests.contract.support import TTL, Clock, Ports

KEY = IdempotencyKey("service:shop: POST /api/emit", "k", "f" * 64)


async def test_one_of_many_at_once_is_first(ports: Ports) -> None:
    first = await asyncio.gather(*(ports.requests.is_first(KEY) for _ in range(20)))
    assert sorted(first) == [False] * 19 + [True]
    assert await ports.requests.is_first(IdempotencyKey(KEY.scope, "l", KEY.fingerprint))


async def test_another_body_is_refused(ports: Ports) -> None:
    await ports.requests.is_first(KEY)
    with pytest.raises(IdempotencyKeyReused):
        await ports.requests.is_first(IdempotencyKey(KEY.scope, KEY.key, "e" * 64))
    assert not await ports.requests.is_first(KEY)


async def test_after_its_time_it_is_first_again(ports: Ports, clock: Clock) -> None:
    assert await ports.requests.is_first(KEY)
    clock.tick(TTL)
    assert not await ports.requests.is_first(KEY)
    clock.tick(0.001)
    assert await ports.requests.is_first(KEY)
