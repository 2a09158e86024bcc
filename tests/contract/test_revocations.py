"""`Revocations`: which tokens count no more, known at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ordercast.errors import IdempotencyKeyReused
from ordercast.orders.models import IdempotencyKey
from ordercast.orders.ports import Revocations
from ordercast.orders.principal import Principal, Role
from tests.contract.support import TTL, Clock


def caller(user_id: str = "42", token_id: str | None = None, issued_at: float | None = None) -> Principal:
    return Principal(user_id, Role.CUSTOMER, expires_at=2e9, token_id=token_id, issued_at=issued_at)


async def test_at_first_all_count(revocations: Revocations, clock: Clock) -> None:
    now = clock.time.timestamp()
    for one in (caller(), caller(token_id="t"), caller(issued_at=0.0), caller(issued_at=now)):
        assert not revocations.is_revoked(one)


async def test_all_tokens_of_a_user_up_to_now(revocations: Revocations, clock: Clock) -> None:
    now = clock.time.timestamp()
    await revocations.revoke_user("42")
    for issued_at in (None, 0.0, now - 1, float(int(now)), now, now + 0.0005):
        assert revocations.is_revoked(caller(issued_at=issued_at))
        assert revocations.is_revoked(caller(issued_at=issued_at, token_id="t"))
        assert not revocations.is_revoked(caller("43", issued_at=issued_at))
    for issued_at in (now + 0.0015, now + 1, float(int(now) + 1)):
        assert not revocations.is_revoked(caller(issued_at=issued_at))


async def test_once_more_later(revocations: Revocations, clock: Clock) -> None:
    await revocations.revoke_user("42")
    clock.tick(100)
    again = caller(issued_at=clock.time.timestamp())
    assert not revocations.is_revoked(again)
    clock.tick(100)
    await revocations.revoke_user("42")
    assert revocations.is_revoked(again)
    clock.tick(1)
    assert not revocations.is_revoked(caller(issued_at=clock.time.timestamp()))


@pytest.mark.parametrize("lasts", [None, 60.0, 1e300, float("inf"), -1e300])
async def test_one_token(revocations: Revocations, clock: Clock, lasts: float | None) -> None:
    await revocations.revoke_token("t", None if lasts is None else clock.time.timestamp() + lasts)
    assert revocations.is_revoked(caller(token_id="t"))
    assert revocations.is_revoked(caller("43", token_id="t", issued_at=2e9))
    assert not revocations.is_revoked(caller(token_id="T"))
    assert not revocations.is_revoked(caller("t"))
    assert not revocations.is_revoked(caller())


async def test_a_user_is_no_token(revocations: Revocations) -> None:
    await revocations.revoke_token("42")
    assert not revocations.is_revoked(caller("42"))
    await revocations.revoke_user("t")
    assert not revocations.is_revoked(caller(token_id="t"))


async def test_who_subscribes_hears_of_each_when_it_counts(revocations: Revocations, clock: Clock) -> None:
    heard: list[bool] = []
    bearer = caller(token_id="t", issued_at=clock.time.timestamp())

    def look() -> None:
        heard.append(revocations.is_revoked(bearer))

    stop, stop_other = revocations.subscribe(look), revocations.subscribe(look)
    await revocations.revoke_user("43")
    assert heard == [False, False]
    stop_other()
    stop_other()
    await revocations.revoke_token("t")
    assert heard == [False, False, True]
    stop()
    await revocations.revoke_user("42")
    assert heard == [False, False, True]


async def test_one_who_fails_to_act_is_not_everybody(revocations: Revocations) -> None:
    heard: list[int] = []

    def fail() -> None:
        heard.append(0)
        raise ZeroDivisionError

    stops = [revocations.subscribe(fail), revocations.subscribe(lambda: heard.append(1)), revocations.subscribe(fail)]
    await revocations.revoke_token("t")
    assert sorted(heard) == [0, 0, 1]
    assert revocations.is_revoked(caller(token_id="t"))
    for stop in stops:
        stop()


# -- the same request again ----------------------------------------------------------------------------------

KEY = IdempotencyKey("service:shop POST /api/tokens/revoke", "k1", "f" * 64)


async def test_the_same_request_again_revokes_nothing_anew(revocations: Revocations, clock: Clock) -> None:
    heard: list[int] = []
    revocations.subscribe(lambda: heard.append(1))
    assert await revocations.revoke_user("42", KEY)
    clock.tick(TTL)
    again = caller(issued_at=clock.time.timestamp())
    assert not await revocations.revoke_user("42", KEY)
    assert not revocations.is_revoked(again), "a token that was issued since"
    assert heard == [1]
    assert await revocations.revoke_user("42", replace(KEY, key="k2"))
    assert revocations.is_revoked(again)


async def test_the_same_key_with_another_body(revocations: Revocations) -> None:
    assert await revocations.revoke_token("t", idempotency=KEY)
    other = replace(KEY, fingerprint="e" * 64)
    with pytest.raises(IdempotencyKeyReused):
        await revocations.revoke_token("u", idempotency=other)
    with pytest.raises(IdempotencyKeyReused):
        await revocations.revoke_user("42", other)
    assert not revocations.is_revoked(caller(token_id="u"))
    assert await revocations.revoke_token("u", idempotency=replace(other, scope="admin:ana"))
    assert revocations.is_revoked(caller(token_id="u"))


async def test_keys_are_forgotten_in_time(revocations: Revocations, clock: Clock) -> None:
    assert await revocations.revoke_token("t", idempotency=KEY)
    clock.tick(TTL + 0.001)
    assert await revocations.revoke_token("u", idempotency=replace(KEY, fingerprint="e" * 64))
    assert revocations.is_revoked(caller(token_id="u"))
