"""`OrderRepository.find`: pages, filters and cursors; and several orders by their ids."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from ordercast.errors import (
    Invalid,
)
from ordercast.orders.models import (
    OrderQuery,
)
from ordercast.orders.ports import OrderRepository
from tests.contract.support import FULL, Clock, create, noting, setting


async def pages(orders: OrderRepository, query: OrderQuery) -> list[list[str]]:
    found = []
    while True:
        page = await orders.find(query)
        found.append([order.order_id for order in page.orders])
        assert len(page.orders) <= query.limit
        assert len(found) < 100, "pages without end"
        if page.next is None:
            return found
        query = replace(query, after=page.next)


async def test_pages_newest_first_however_many_were_made_at_once(orders: OrderRepository, clock: Clock) -> None:
    for group in (("b", "a", "10"), ("9", "c"), ("Z", "z", "_")):
        for id in group:
            await create(orders, id)
        clock.tick()
    expected = ["z", "_", "Z", "c", "9", "b", "a", "10"]
    for limit in range(1, 9):
        assert [id for page in await pages(orders, OrderQuery(limit=limit)) for id in page] == expected
    assert await pages(orders, OrderQuery(limit=4)) == [expected[:4], expected[4:]]  # no empty last page
    assert await pages(orders, OrderQuery(limit=500)) == [expected]


async def test_a_page_holds_whole_orders(orders: OrderRepository) -> None:
    await orders.create(FULL, "received", "shop")
    page = await orders.find(OrderQuery())
    assert page.orders == [await orders.get(FULL.order_id or "")]
    assert (page.next, page.position) == (None, 1)


async def test_an_empty_page(orders: OrderRepository) -> None:
    page = await orders.find(OrderQuery())
    assert (page.orders, page.next, page.position) == ([], None, 0)


async def test_orders_made_meanwhile_shift_no_page(orders: OrderRepository, clock: Clock) -> None:
    for n in range(6):
        await create(orders, str(n))
        clock.tick()
    page = await orders.find(OrderQuery(limit=3))
    await create(orders, "new")
    await orders.change("1", noting("changed, and still in its place"))
    rest = await orders.find(OrderQuery(limit=3, after=page.next))
    assert [order.order_id for order in (*page.orders, *rest.orders)] == ["5", "4", "3", "2", "1", "0"]
    assert (page.position, rest.position) == (6, 8)


async def test_filters(orders: OrderRepository) -> None:
    for id, customer, shop, status in (
        ("1", "42", "a", "received"),
        ("2", "42", "b", "ready"),
        ("3", "43", "a", "ready"),
        ("4", "43", None, "received"),
    ):
        await create(orders, id, customer, shop_id=shop, status=status)
    await create(orders, "5", "44", shop_id="c")
    await orders.change("5", setting(status="gone"))

    async def found(**filters: Any) -> str:
        return "".join(order.order_id for order in (await orders.find(OrderQuery(**filters))).orders)

    def some(*words: str) -> frozenset[str]:
        return frozenset(words)

    assert await found() == "54321"
    assert await found(customer_id="42") == "21"
    assert await found(customer_id="") == ""
    assert await found(shops=some("a")) == "31"
    assert await found(shops=some("a", "b", "nowhere")) == "321"
    assert await found(shops=some()) == ""
    assert await found(statuses=some("ready")) == "32"
    assert await found(statuses=some("received", "gone")) == "541"
    assert await found(statuses=some()) == ""
    assert await found(customer_id="42", shops=some("b"), statuses=some("ready", "received")) == "2"
    assert await found(customer_id="42", shops=some("b"), statuses=some("received")) == ""
    assert await found(customer_id="42", shops=None, statuses=None) == "21"
    assert await found(statuses=frozenset(str(n) for n in range(2_000)) | {"gone"}) == "5"
    assert await pages(orders, OrderQuery(shops=some("a", "b"), limit=2)) == [["3", "2"], ["1"]]


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "", " ", "x", "=", "1", "é", "\x00", "\ud800", "🙂" * 4, "None", "' OR 1=1 --", "A" * 10_000,
        encoded(""), encoded("1"), encoded("1 "), encoded(" a"), encoded("--1 a"), encoded("1 a b"), encoded("1 a\n"),
        encoded("1.5 a"), encoded("9" * 400 + " a"), encoded("1 " + "a" * 65), encoded("٤ a"),
        "2026-02-03T04:05:06.789Z", "/1", "x/1", "2026-02-03T04:05:06.789Z/", "2026-02-03T04:05:06.789Z/1\n",
    ],
)  # fmt: skip
async def test_cursors_that_are_not_ours(orders: OrderRepository, cursor: str) -> None:
    await create(orders)
    with pytest.raises(Invalid, match="cursor"):
        await orders.find(OrderQuery(after=cursor))


async def test_a_cursor_with_something_added(orders: OrderRepository) -> None:
    for _ in range(2):
        await create(orders)
    cursor = (await orders.find(OrderQuery(limit=1))).next
    assert cursor is not None
    for changed in (cursor + "!", " " + cursor, cursor + "\n", cursor[1:]):
        with pytest.raises(Invalid, match="cursor"):
            await orders.find(OrderQuery(after=changed))


async def test_several_orders_at_once(orders: OrderRepository) -> None:
    assert list(await orders.get_all([])) == []
    written = [(await orders.create(replace(FULL, order_id=id), "received", "shop")).order for id in ("1", "a:b", "3")]
    asked = {"1", "a:b", "not there", '"', *map(str, range(1_000, 3_000))}
    assert sorted(await orders.get_all(asked), key=lambda order: order.order_id) == [written[0], written[1]]
    assert len(await orders.get_all(["3", "3"])) == 1
