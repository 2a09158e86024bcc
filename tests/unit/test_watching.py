"""How many orders one connection may watch, and what it costs to have them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ordercast.config import Settings
from ordercast.live.latest import Latest
from ordercast.storage.database import open_storage
from ordercast.storage.sqlite_writer import SqliteWriter
from tests.harness import token
from tests.live import Client, Live, living


async def ask(client: Client, event: str, value: object) -> Any:
    """Emits, and returns the acknowledgement."""
    client.say(f'27["{event}",{value!r}]'.replace("'", '"'))
    told = await client.told()
    [(_, (answer,))] = [one for one in told if one[0] == "37"]
    if isinstance(answer, dict) and answer.get("error") in ("not_found", "too_many_watches"):
        assert ("watch:denied", answer) in told
    return answer


async def shop(live: Live, count: int = 5) -> None:
    for number in range(1, count + 1):
        await live.create(str(number))


async def test_one_connection_watches_so_many_and_no_more() -> None:
    async with living(max_watches=3) as live:
        await shop(live)
        client, other = await live.come(), await live.come()
        for number in (1, 2, 3):
            assert (await ask(client, "watch:order", number))["status"] == "received"
        for refused in (4, 999):  # the same for what is not there
            assert await ask(client, "watch:order", refused) == {"orderId": refused, "error": "too_many_watches"}
        assert (await ask(client, "watch:order", 2))["version"] == 1, "again is not one more"
        assert (await ask(other, "watch:order", 4))["version"] == 1, "others have places of their own"
        client.say('2["unwatch:order",2]')
        assert (await ask(client, "watch:order", 4))["version"] == 1
        assert (await ask(client, "watch:order", "5"))["error"] == "too_many_watches"


async def test_what_was_denied_takes_no_place() -> None:
    async with living(max_watches=1) as live:
        await shop(live)
        client = await live.come("43", "customer")
        for _ in range(3):
            assert (await ask(client, "watch:order", 1))["error"] == "not_found"
        await live.create("mine", "43")
        assert (await ask(client, "watch:order", "mine"))["version"] == 1


async def test_0_is_no_limit() -> None:
    async with living(max_watches=0) as live:
        await shop(live)
        client = await live.come()
        for number in range(1, 6):
            assert (await ask(client, "watch:order", number))["version"] == 1


async def test_who_lets_go_of_nothing_is_answered() -> None:
    """So the JavaScript client asks whether a connection is still there (``link.ts``)."""
    async with living(max_watches=3) as live:
        await shop(live)
        client = await live.come()
        await ask(client, "watch:order", 1)
        client.say('27["unwatch:order",null]')
        assert [one for one in await client.told() if one[0] == "37"] == [("37", [])]
        (socket,) = live.io.of("/").sockets.values()
        assert "order:1" in socket.rooms


async def watching_again(live: Live, pid: str) -> tuple[Client, set[str]]:
    """A client that comes back as whom it was, and the orders it watches then."""
    client = await live.come(pid=pid)
    (socket,) = (socket for socket in live.io.of("/").sockets.values() if socket.session is client.session)
    return client, {room.removeprefix("order:") for room in socket.rooms if room.startswith("order:")}


async def test_more_than_it_may_watch_are_not_restored_as_if_they_were_all() -> None:
    async with living(max_watches=3) as live:
        await shop(live)
        client = await live.come()
        [(_, hello)] = await client.told()
        await live.storage.watches.save_all(hello["pid"], "ana", ["1", "2", "3"])
        again, restored = await watching_again(live, hello["pid"])
        assert restored == {"1", "2", "3"}
        assert "resync" not in [event for event, _ in await again.told()]
        await live.storage.watches.save(hello["pid"], "ana", "4")
        again, restored = await watching_again(live, hello["pid"])
        assert len(restored) == 3
        told = await again.told()
        assert "resync" in [event for event, _ in told]
        assert told[0][1]["pid"] != hello["pid"]


async def test_what_a_new_token_does_not_see_is_watched_no_more() -> None:
    async with living() as live:
        await shop(live)
        await live.create("mine", "ana")
        client = await live.come()
        [(_, hello)] = await client.told()
        for id in (1, 2, "mine"):
            await ask(client, "watch:order", id)
        client.say(f'28["auth:refresh","{token("ana", "customer")}"]')
        denied = [data for event, data in await client.told() if event == "watch:denied"]
        assert sorted(one["orderId"] for one in denied) == [1, 2]
        assert await live.storage.watches.of(hello["pid"], "ana") == {"mine"}


async def test_a_thousand_watches_are_one_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[object] = []
    run = SqliteWriter.run

    async def counted(writer: SqliteWriter, *statements: Any, **options: Any) -> Any:
        commits.append(statements)
        return await run(writer, *statements, **options)

    monkeypatch.setattr(SqliteWriter, "run", counted)
    many = [str(number) for number in range(1_000)]
    async with open_storage(Settings(database_url=f"sqlite:///{tmp_path}/orders.db")) as storage:
        commits.clear()
        await storage.watches.save_all("p", "ana", many)
        assert len(commits) == 1
        assert await storage.watches.of("p", "ana") == {*many}


async def test_a_client_that_comes_back_saves_all_its_watches_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async with living() as live:
        await shop(live)
        [(_, hello)] = await (await live.come()).told()
        await live.storage.watches.save_all(hello["pid"], "ana", ["1", "2", "3", "gone"])
        saved: list[object] = []
        watches = type(live.storage.watches)

        async def save_all(self: Any, pid: str, user_id: str, order_ids: Any) -> None:
            saved.append({*order_ids})

        monkeypatch.setattr(watches, "save_all", save_all)
        monkeypatch.setattr(watches, "save", None)
        _, restored = await watching_again(live, hello["pid"])
        assert saved == [{"1", "2", "3"}]
        assert restored == {"1", "2", "3"}


async def test_the_answer_is_no_older_than_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a client heard while its watch was being stored, it is not told again as it was before."""
    async with living() as live:
        await shop(live)
        client = await live.come("42", "customer")
        await client.told()
        save = type(live.storage.watches).save

        async def slowly(self: Any, pid: str, user_id: str, order_id: str) -> None:
            await live.orders.change_status("1", "accepted", "shop")
            await live.note("1", "ring twice")
            await save(self, pid, user_id, order_id)

        monkeypatch.setattr(type(live.storage.watches), "save", slowly)
        client.say('2["watch:order",1]')
        told = [(event, data["version"]) for event, data in await client.told() if event != "position"]
        assert told == [("order:updated", 2), ("order:changed", 3), ("watching", 3)]


async def test_nothing_is_kept_of_orders_that_nobody_asks_for() -> None:
    async with living() as live:
        await shop(live)
        client = await live.come()
        for id in (1, 2, 999):
            await ask(client, "watch:order", id)
        await live.note("1", "ring twice")
        assert (live.feed.latest._askers, live.feed.latest._versions) == ({}, {})


async def test_the_answer_is_given_with_the_rights_of_when_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that sees less comes while the watch is being stored."""
    async with living() as live:
        await shop(live)
        client = await live.come()
        await client.told()
        (socket,) = live.io.of("/").sockets.values()
        save = type(live.storage.watches).save

        async def slowly(self: Any, pid: str, user_id: str, order_id: str) -> None:
            await live.handlers.refresh(socket, token("ana", "customer"))
            await save(self, pid, user_id, order_id)

        monkeypatch.setattr(type(live.storage.watches), "save", slowly)
        assert await ask(client, "watch:order", 1) == {"orderId": 1, "error": "not_found"}
        assert "order:1" not in socket.rooms


def test_the_newest_is_not_the_last_but_the_highest() -> None:
    """`order:created` has the order as it is when it is read, whichever version it is an event of."""
    latest = Latest()
    with latest.of("1") as newest:
        assert newest() == 0
        latest.add("1", 3)
        latest.add("1", 2)
        latest.add("2", 9)
        assert newest() == 3
    with latest.of("1") as newest:
        assert newest() == 0
