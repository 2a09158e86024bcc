"""Clients that come back with what is not theirs, or nowhere: a clear answer, nothing of others, nobody disturbed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ordercast.app import Ordercast
from ordercast.orders.cursors import format_cursor
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from tests.contract.support import setting
from tests.harness import token
from tests.inside import ordercast
from tests.visitor import Visitor

SHOP = Principal("shop", Role.SERVICE)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[Ordercast]:
    """With order 1 of customer 42 and order 2 of customer 43, and a customer beside who notices nothing of it all."""
    async with ordercast(tmp_path) as app:
        bystander = Visitor(app, "bystander")
        await bystander.come()
        for customer in ("42", "43", "bystander"):
            await app.orders.create(NewOrder(customer_id=customer), SHOP)
        await app.feed.reached(3)
        yield app
        await app.orders.change_status(3, "accepted", "kitchen")
        assert [event for event, _ in await bystander.hear() if event != "position"] == [
            "order:created",
            "order:updated",
        ]


def events(heard: list[tuple[str, Any]]) -> list[str]:
    """Without the cursors that close a write."""
    return [event for event, _ in heard if event != "position"]


def resynced(heard: list[tuple[str, Any]]) -> int:
    """Nothing but ``resync`` was heard, and the cursor to come back with; gives the position in it."""
    (event, data), (closing, cursor) = heard
    assert (event, closing) == ("resync", "position")
    position: int = data["position"]
    assert cursor.endswith(f".{position}")
    return position


def orders(heard: list[tuple[str, Any]]) -> set[object]:
    """The orders that are spoken of."""
    return {data["orderId"] for _, data in heard if isinstance(data, dict) and "orderId" in data}


NOWHERE: dict[str, tuple[object, bool]] = {
    "the future": (4, True),
    "the future, as text": ("4", True),
    "the far future": (2**63 - 1, True),
    "another log": ("other.1", True),
    "another log's beginning": ("other.0", True),
    "huge": (2**63, False),
    "huger": (10**1_000, False),
    "huge, as text": ("9" * 5_000, False),
    "negative": (-1, False),
    "negative, as text": ("-1", False),
    "negative, of a log": ("other.-1", False),
}
"""What is no place in this log, and whether it is a cursor at all."""


@pytest.mark.parametrize(("value", "is_cursor"), NOWHERE.values(), ids=NOWHERE)
async def test_positions_that_lead_nowhere(app: Ordercast, value: object, is_cursor: bool) -> None:
    customer = Visitor(app, 42)
    hello = await customer.come()
    customer.go()
    await customer.come(since=value)
    assert resynced(await customer.hear()) == 3
    customer.go()
    # As an offset, which may be another event's last string: then the pid knows where the client was.
    again = await customer.come(pid=hello["pid"], offset=value)
    assert (again["pid"] == hello["pid"]) is not is_cursor
    assert events(await customer.hear()) == ["resync" if is_cursor else "caught_up"]


@pytest.mark.parametrize("value", ["4", "-1", str(2**63), "9" * 5_000, "other.1", "%00", "%F0%9F", ""])
async def test_the_same_in_a_query(app: Ordercast, value: str) -> None:
    """As clients before 3.0 say it."""
    customer = Visitor(app, 42)
    await customer.come(query=f"&since={value}")
    assert resynced(await customer.hear()) == 3


async def test_cursors_and_pids_of_another_database(app: Ordercast, tmp_path: Path) -> None:
    """Its log has as many events, and another id; its pids are signed with another key."""
    (tmp_path / "other").mkdir()
    async with ordercast(tmp_path / "other") as other:
        for _ in range(3):
            await other.orders.create(NewOrder(customer_id="42"), SHOP)
        pid = (await Visitor(other, 42).come())["pid"]
        cursor = format_cursor(other.storage.log.log_id, 3)
    for auth in ({"since": cursor}, {"pid": pid}, {"pid": pid, "offset": cursor}):
        customer = Visitor(app, 42)
        assert (await customer.come(**auth))["pid"] != pid
        assert resynced(await customer.hear()) == 3


async def test_another_users_pid_gives_nothing_of_theirs(app: Ordercast) -> None:
    operator = Visitor(app, "ana", "operator")
    pid = (await operator.come())["pid"]
    assert (await operator.call("watch:order", 2))["version"] == 1
    operator.go()
    for thief in (Visitor(app, 42), Visitor(app, "ben", "service")):
        assert (await thief.come(pid=pid, offset=None))["pid"] != pid
        assert resynced(await thief.hear()) == app.feed.position
        await app.orders.update("2", SHOP, fields={"note": f"heard by nobody but {operator}"})
        await app.orders.update("2", SHOP, fields={"note": "nor this"})
        assert events(await thief.hear()) == []
    assert (await operator.come(pid=pid))["pid"] == pid, "it is as good as before to whose it is"
    assert "order:changed" in events(await operator.hear())


@pytest.mark.parametrize("since", [0, "other.1"])
async def test_a_pid_does_not_say_that_all_was_heard(app: Ordercast, since: object) -> None:
    """The connection ends right after CONNECT was answered: what was to follow comes the next time."""
    customer = Visitor(app, 42)
    pid = (await customer.come(since=since))["pid"]
    customer.go()
    assert ((await customer.come(pid=pid))["pid"] == pid) is (since == 0)
    assert events(await customer.hear()) == (["order:created", "caught_up"] if since == 0 else ["resync"])


async def test_after_a_resync_it_goes_on_from_there(app: Ordercast) -> None:
    customer = Visitor(app, 42)
    pid = (await customer.come(since="other.1"))["pid"]
    [_, (_, cursor)] = await customer.hear()
    customer.go()
    await app.orders.change_status(1, "accepted", "kitchen")
    assert (await customer.come(pid=pid, offset=cursor))["pid"] == pid
    assert events(await customer.hear()) == ["order:updated", "caught_up"]


async def test_a_pid_that_is_shown_twice_serves_the_same_user_twice(app: Ordercast) -> None:
    first, second = Visitor(app, "ana", "operator"), Visitor(app, "ana", "operator")
    pid = (await first.come())["pid"]
    await first.call("watch:order", 1)
    await first.hear()
    assert (await second.come(pid=pid))["pid"] == pid, "while the first is still there"
    assert events(await second.hear()) == ["caught_up"]
    await app.orders.change_status(1, "accepted", "kitchen")
    for one in (first, second):
        assert events(await one.hear()) == ["order:updated", "order:status_changed"]
        one.go()
    await app.orders.change_status(1, "preparing", "kitchen")
    await second.come(pid=pid)  # long used, and gone on from its beginning
    assert events(await second.hear()) == ["order:updated", "order:status_changed"] * 2 + ["caught_up"]


async def test_a_pid_gives_no_rights_that_its_user_has_lost(app: Ordercast) -> None:
    ana = Visitor(app, "ana", "operator")
    pid = (await ana.come())["pid"]
    await ana.call("watch:order", 1)
    ana.go()
    await app.orders.change_status(1, "accepted", "kitchen")
    customer = Visitor(app, "ana")
    assert (await customer.come(pid=pid))["pid"] == pid
    assert events(await customer.hear()) == ["caught_up"]
    await app.orders.change_status(1, "preparing", "kitchen")
    assert events(await customer.hear()) == []


async def test_a_refresh_with_another_users_token(app: Ordercast) -> None:
    customer = Visitor(app, 42)
    await customer.come()
    for bad in (token(43), token("ana", "operator"), token("42.", "admin"), token(43, "service")):
        assert await customer.call("auth:refresh", bad) == {"error": "Invalid token"}
        assert await customer.call("watch:order", 2) == {"orderId": 2, "error": "not_found"}
    await customer.hear()
    for id in (1, 2):
        await app.orders.change_status(id, "accepted", "kitchen")
    heard = await customer.hear()
    assert (events(heard), orders(heard)) == (["order:updated"], {1}), "it is who it was"


async def reassign(app: Ordercast, id: str, **values: Any) -> None:
    """The order is somebody else's from now on, with a note for them alone."""
    written = await app.storage.orders.change(id, setting(**values, note="for them alone"))
    assert written.event is not None
    await app.feed.reached(written.event.position)


async def test_an_order_that_is_not_theirs_any_more(app: Ordercast) -> None:
    """Who comes back hears which way it went while it was theirs; nothing of its values now, which are another's."""
    before, after = Visitor(app, 42), Visitor(app, 43)
    await app.orders.change_status(1, "accepted", "kitchen")
    await app.orders.update("1", SHOP, status="preparing", fields={"note": "ring twice"})
    await reassign(app, "1", customer_id="43")
    await before.come(since=0)
    heard = await before.hear()
    assert events(heard) == ["order:updated", "order:gone", "caught_up"]
    assert "alone" not in str(heard)
    await after.come(since=0)
    heard = await after.hear()
    assert orders(heard) == {1, 2}
    assert [data["note"] for event, data in heard if event == "order:created"] == ["for them alone", None]
    status, page = await before.get("/api/events", "after=0")
    assert (status, [one["event"] for one in page["events"]]) == (200, ["order:updated", "order:gone"])
    assert "alone" not in str(page)
    assert (await before.get("/api/orders/1"))[0] == 404


async def test_an_order_that_is_another_shops_now(app: Ordercast) -> None:
    north, south = (Visitor(app, shop, "operator", shops=[shop]) for shop in ("north", "south"))
    await app.orders.create(NewOrder(order_id="n", customer_id="42", shop_id="north"), SHOP)
    await reassign(app, "n", shop_id="south")
    for operator, told in ((north, ["order:gone"]), (south, ["order:created", "order:changed"])):
        await operator.come(since=0)
        assert events(await operator.hear()) == [*told, "caught_up"]
        assert "alone" not in str((await north.get("/api/events", "after=0"))[1])
