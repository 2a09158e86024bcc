"""Two processes on one database, one after the other or at once, of every kind that outlasts a process."""

from __future__ import annotations

import asyncio

import pytest

from ordercast.config import Settings
from ordercast.orders.principal import Principal, Role
from ordercast.storage.database import open_storage
from tests.contract.support import Clock, create, noting, whole

NEVER = 1e6  # s between looks that are not to come


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, jwt_max_lifetime=1_000)


def token(token_id: str) -> Principal:
    return Principal("nobody", Role.CUSTOMER, token_id=token_id)


def user(user_id: str, issued_at: float | None = None) -> Principal:
    return Principal(user_id, Role.CUSTOMER, issued_at=issued_at)


async def test_two_processes_that_number_orders_at_once(settings: Settings) -> None:
    async with open_storage(settings) as here, open_storage(settings) as there:
        await create(here.orders, "x")
        await asyncio.gather(
            *(storage.orders.change("x", noting(str(n))) for n in range(100) for storage in (here, there)),
            *(create(storage.orders) for _ in range(50) for storage in (here, there)),
        )
    async with open_storage(settings) as storage:
        await whole(storage.orders, storage.log, 301)
        order = await storage.orders.get("x")
        assert order is not None
        assert order.version == 201


async def test_events_from_memory_are_those_of_the_database(settings: Settings) -> None:
    async with open_storage(settings) as storage:
        await create(storage.orders, "x", shop_id="north")
        for n in range(5):
            await storage.orders.change("x", noting(str(n)))
        remembered = list(await storage.log.after(0, 10))
    async with open_storage(settings) as storage:
        assert list(await storage.log.after(0, 10)) == remembered
        assert len(remembered) == 6


# -- revoked tokens ----------------------------------------------------------------------------------------


async def test_they_outlast_a_restart(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings) as storage:
        await storage.revocations.revoke_token("t")
        await storage.revocations.revoke_user("42")
    now = clock.time.timestamp()
    async with open_storage(settings) as storage:
        assert storage.revocations.is_revoked(token("t"))
        assert storage.revocations.is_revoked(user("42", now))
        assert not storage.revocations.is_revoked(user("42", now + 1))
        assert not storage.revocations.is_revoked(token("u"))


async def test_what_another_process_revokes_is_found_by_looking(settings: Settings, clock: Clock) -> None:
    heard: list[bool] = []
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        here.revocations.subscribe(lambda: heard.append(here.revocations.is_revoked(token("t"))))
        await here.revocations.look()
        await there.revocations.revoke_token("t")
        await there.revocations.revoke_user("42")
        assert not here.revocations.is_revoked(token("t"))
        assert heard == []
        await here.revocations.look()
        assert here.revocations.is_revoked(token("t"))
        assert here.revocations.is_revoked(user("42"))
        assert heard == [True]
        await here.revocations.look()  # nothing new
        await here.revocations.revoke_token("u")
        assert heard == [True, True]
        await here.revocations.look()  # only what is known
        assert heard == [True, True]


async def test_what_another_process_revokes_is_found_without_asking(settings: Settings) -> None:
    heard = asyncio.Event()
    async with open_storage(settings, look_every=0.001) as here, open_storage(settings) as there:
        here.revocations.subscribe(heard.set)
        await there.revocations.revoke_user("42")
        async with asyncio.timeout(30):
            await heard.wait()
        assert here.revocations.is_revoked(user("42"))


@pytest.mark.parametrize("back", [0.0, 0.001, 5.0, 100_000.0])
async def test_a_clock_that_is_set_back_hides_none(settings: Settings, clock: Clock, back: float) -> None:
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        await there.revocations.revoke_token("first")
        await here.revocations.look()
        clock.tick(-back)
        await there.revocations.revoke_token("second")
        await there.revocations.revoke_user("42")
        await here.revocations.look()
        assert here.revocations.is_revoked(token("second"))
        assert here.revocations.is_revoked(user("42", clock.time.timestamp()))


async def test_many_at_once_from_two_processes(settings: Settings, clock: Clock) -> None:
    async with open_storage(settings, look_every=NEVER) as here, open_storage(settings, look_every=NEVER) as there:
        revoked = [(storage, f"{n} {name}") for n in range(150) for storage, name in ((here, "here"), (there, "there"))]

        async def look() -> None:
            for _ in range(20):
                await here.revocations.look()
                await there.revocations.look()

        await asyncio.gather(look(), *(storage.revocations.revoke_token(name) for storage, name in revoked))
        for storage in (here, there):
            await storage.revocations.look()
            assert all(storage.revocations.is_revoked(token(name)) for _, name in revoked)
