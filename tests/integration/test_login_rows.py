"""The table of logins: who may be in, whichever node they come to, by the database's clock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from ordercast.config import Settings
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Statement
from ordercast.storage.logins import Claim, Login, SqlLogins
from ordercast.storage.nodes import NodeRow

NEVER = 1e6  # s between looks that are not to come
MIN_AGE = 5.0


@pytest.fixture
async def storage(postgres_url: str) -> AsyncIterator[Storage]:
    settings = Settings(database_url=postgres_url)
    async with open_storage(settings, look_every=NEVER, tidy_every=NEVER) as storage:
        assert storage.nodes is not None
        for name in ("a", "b"):
            await storage.nodes.appear(NodeRow(name, f"run-{name}", "http://127.0.0.1:1", 0, "[]"))
        yield storage


@pytest.fixture
def logins(storage: Storage) -> SqlLogins:
    assert storage.logins is not None
    return storage.logins


async def claim(
    logins: SqlLogins, socket: str, node: str = "a", *, user: str = "42", limit: int = 1, before: str = ""
) -> Claim:
    login = Login(user, f"run-{node}", socket, f"client of {socket}", before and f"client of {before}")
    return await logins.claim(login, limit, MIN_AGE)


async def change(logins: SqlLogins, sql: str, *values: object) -> None:
    await logins._writer.run(Statement(sql, values))


async def grow_old(logins: SqlLogins) -> None:
    await change(logins, "UPDATE logins SET at = at - 5000")


async def fall_silent(logins: SqlLogins, node: str) -> None:
    await change(logins, "UPDATE nodes SET beat = beat - 3000 WHERE name = ?", node)


async def present(logins: SqlLogins) -> set[str]:
    """The sockets that are in and may stay."""
    return {row[0] for row in await logins._readers.fetch("SELECT socket FROM logins WHERE NOT evicted")}


async def rows(logins: SqlLogins, table: str) -> int:
    ((count,),) = await logins._readers.fetch(f"SELECT count(*) FROM {table}")
    return int(count)


async def test_the_newest_wins(logins: SqlLogins) -> None:
    assert await claim(logins, "1") == Claim([], [], 0)
    await grow_old(logins)
    assert (await claim(logins, "2", "b")).evicted == [("run-a", "1")]
    assert await present(logins) == {"2"}
    assert await logins.evicted("run-a") == [("42", "1")], "until its node has said that it is over"
    assert await logins.evicted("run-b") == []
    await logins.release("run-a", {("42", "1")})
    assert await logins.evicted("run-a") == []
    assert await present(logins) == {"2"}


async def test_of_several_the_oldest_go(logins: SqlLogins) -> None:
    for socket in "123":
        assert not (await claim(logins, socket, limit=3)).evicted
        await grow_old(logins)
    assert (await claim(logins, "4", limit=3)).evicted == [("run-a", "1")]
    await grow_old(logins)
    assert sorted((await claim(logins, "5", limit=1)).evicted) == [("run-a", "2"), ("run-a", "3"), ("run-a", "4")]


async def test_other_users_do_not_count(logins: SqlLogins) -> None:
    await claim(logins, "1")
    assert await claim(logins, "2", user="43") == Claim([], [], 0)
    assert await present(logins) == {"1", "2"}


async def test_a_young_one_stays(logins: SqlLogins) -> None:
    await claim(logins, "1")
    refused = await claim(logins, "2", "b")
    (guard,) = refused.guards
    assert (guard.run, guard.socket, refused.evicted) == ("run-a", "1", [])
    assert 0 < guard.beat <= refused.at
    assert await present(logins) == {"1"}
    assert await logins.evicted("run-a") == []


async def test_one_young_one_is_enough_and_nobody_goes(logins: SqlLogins) -> None:
    await claim(logins, "1", limit=2)
    await grow_old(logins)
    await claim(logins, "2", limit=2)
    assert [guard.socket for guard in (await claim(logins, "3", limit=1)).guards] == ["2"]
    assert await present(logins) == {"1", "2"}


async def test_a_node_that_is_gone_guards_nobody(logins: SqlLogins) -> None:
    await claim(logins, "1", "b")
    await fall_silent(logins, "b")
    assert (await claim(logins, "2")).evicted == [("run-b", "1")]
    assert await logins.evicted("run-b") == [("42", "1")], "should it only have stalled, it learns of it"


async def test_those_of_gone_nodes_go_first(logins: SqlLogins) -> None:
    await claim(logins, "1", "a", limit=2)
    await claim(logins, "2", "b", limit=2)
    await fall_silent(logins, "b")
    assert (await claim(logins, "3", limit=2)).evicted == [("run-b", "2")]


async def test_a_node_whose_own_beats_are_late_still_guards_its_sockets(logins: SqlLogins) -> None:
    await claim(logins, "1")
    await fall_silent(logins, "a")
    assert (await claim(logins, "2")).guards


async def test_a_client_that_comes_back_takes_its_own_place(logins: SqlLogins) -> None:
    await claim(logins, "1", limit=2)
    await claim(logins, "2", limit=2)
    assert (await claim(logins, "3", "b", limit=2, before="2")).evicted == [("run-a", "2")]
    assert await present(logins) == {"1", "3"}
    assert (await claim(logins, "4", limit=2, before="2")).guards, "that one has gone already"
    assert (await claim(logins, "5", limit=2, before="none that there was")).guards


async def test_a_client_without_an_id_is_not_another_without_one(logins: SqlLogins) -> None:
    assert not (await logins.claim(Login("42", "run-a", "1", ""), 1, MIN_AGE)).guards
    assert (await logins.claim(Login("42", "run-a", "2", ""), 1, MIN_AGE)).guards


async def test_a_repeated_claim_is_one(logins: SqlLogins) -> None:
    """Its commit may have been lost on the way to us."""
    await claim(logins, "1", limit=2)
    await grow_old(logins)
    for _ in range(3):
        assert await claim(logins, "2", limit=2) == Claim([], [], 0)
    assert await present(logins) == {"1", "2"}
    await logins.release("run-a", {("42", "2")})
    assert await present(logins) == {"1"}


async def test_a_run_ends(logins: SqlLogins) -> None:
    await claim(logins, "1", "a", limit=9)
    await claim(logins, "2", "b", limit=9)
    await logins.release_run("run-a")
    assert await present(logins) == {"2"}
    assert not (await claim(logins, "3", limit=2)).evicted


async def test_what_killed_nodes_left_is_removed(logins: SqlLogins) -> None:
    for user in ("42", "43"):
        await claim(logins, f"1 of {user}", "b", user=user)
    await claim(logins, "2", "a", user="43", limit=9)
    await change(logins, "DELETE FROM nodes WHERE name = 'b'")
    await logins.purge()
    assert await rows(logins, "logins") == 3, "its row may be about to come"
    await change(logins, "UPDATE logins SET at = at - 60000")
    await logins.purge()
    assert await present(logins) == {"2"}
    assert await rows(logins, "fences") == 2
    await change(logins, "UPDATE fences SET at = at - 86400000")
    await logins.purge()
    assert await rows(logins, "fences") == 1


async def test_nodes_that_race(logins: SqlLogins, postgres_url: str) -> None:
    """Each on a connection of its own: one of them is in, whoever asks first."""
    settings = Settings(database_url=postgres_url)
    async with open_storage(settings, look_every=NEVER, tidy_every=NEVER) as other:
        assert other.logins is not None
        both = (logins, other.logins)
        users = [str(n) for n in range(20)]
        asked = [(user, f"{user}-{n}", n % 2) for user in users for n in range(6)]
        random.Random(1).shuffle(asked)
        claims = await asyncio.gather(*(claim(both[at], socket, "ab"[at], user=user) for user, socket, at in asked))
        entered = [user for (user, _, _), found in zip(asked, claims, strict=True) if not found.guards]
        assert sorted(entered) == sorted(users)
        assert not any(found.evicted for found in claims)
        await grow_old(logins)
        await asyncio.gather(*(claim(both[at], f"later {socket}", "ab"[at], user=user) for user, socket, at in asked))
        assert await rows(logins, "logins WHERE NOT evicted") == len(users)


async def test_a_claim_whose_connection_breaks(logins: SqlLogins) -> None:
    """The first connection of the pool is gone before it is asked."""
    await claim(logins, "1")
    await change(
        logins, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )  # fmt: skip
    await grow_old(logins)
    assert (await claim(logins, "2", "b")).evicted == [("run-a", "1")]
    assert await present(logins) == {"2"}
