"""`OrderRepository.find`: pages, filters, cursors, and what a text finds."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from ordercast.errors import Invalid
from ordercast.orders.models import OrderQuery
from ordercast.orders.ports import OrderRepository
from ordercast.testing.contract.kit import Clock, Contract, setting


async def pages(orders: OrderRepository, query: OrderQuery) -> list[list[str]]:
    """All pages of a query, as the ids in them."""
    found = []
    while True:
        page = await orders.find(query)
        found.append([order.order_id for order in page.orders])
        assert len(page.orders) <= query.limit
        assert len(found) < 100, "pages without end"
        if page.next is None:
            return found
        query = replace(query, after=page.next)


def encoded(text: str) -> str:
    """As a cursor might be."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class Pages(Contract):
    async def _several(self, orders: OrderRepository, clock: Clock, *sizes: int) -> list[set[str]]:
        """Orders in groups that were made in the same millisecond; the newest group first."""
        groups, n = [], 0
        for size in sizes:
            ids = [self.order_id(n + place) for place in range(size)]
            for id in ids:
                await self.create(orders, id)
            n += size
            groups.append(set(ids))
            clock.tick()
        return groups[::-1]

    async def test_pages_newest_first_however_many_were_made_at_once(
        self, orders: OrderRepository, clock: Clock
    ) -> None:
        groups = await self._several(orders, clock, 3, 2, 3)
        (expected,) = await pages(orders, OrderQuery(limit=500))
        assert [set(expected[:3]), set(expected[3:5]), set(expected[5:])] == groups
        for limit in range(1, 9):
            assert [id for page in await pages(orders, OrderQuery(limit=limit)) for id in page] == expected
        assert await pages(orders, OrderQuery(limit=4)) == [expected[:4], expected[4:]]  # no empty last page

    async def test_a_page_holds_whole_orders(self, orders: OrderRepository) -> None:
        order = (await orders.create(self.full(), self.statuses[0], "shop")).order
        page = await orders.find(OrderQuery())
        assert page.orders == [order]
        assert (page.next, page.position) == (None, 1)

    async def test_an_empty_page(self, orders: OrderRepository) -> None:
        page = await orders.find(OrderQuery())
        assert (page.orders, page.next, page.position) == ([], None, 0)

    async def test_orders_made_meanwhile_shift_no_page(self, orders: OrderRepository, clock: Clock) -> None:
        await self._several(orders, clock, 1, 1, 1, 1, 1, 1)
        page = await orders.find(OrderQuery(limit=3))
        await self.create(orders, self.order_id(6))
        await orders.change(self.order_id(1), self.noting("changed, and still in its place"))
        rest = await orders.find(OrderQuery(limit=3, after=page.next))
        found = [order.order_id for order in (*page.orders, *rest.orders)]
        assert found == [self.order_id(n) for n in (5, 4, 3, 2, 1, 0)]
        assert (page.position, rest.position) == (6, 8)

    async def test_filters(self, orders: OrderRepository, clock: Clock) -> None:
        (one, two, three), (north, south), (first, second, _, last) = self.customers, self.shops, self.statuses
        made: tuple[tuple[str, str | None, str], ...] = (
            (one, north, first),
            (one, south, last),
            (two, north, last),
            (two, None, first),
            (three, north, first),
        )
        for n, (customer, shop, status) in enumerate(made):
            await self.create(orders, self.order_id(n), customer, shop_id=shop, status=status)
            clock.tick()
        await orders.change(self.order_id(4), setting(status=second))
        places = {self.order_id(n): str(n + 1) for n in range(5)}

        async def found(**filters: Any) -> str:
            page = await orders.find(OrderQuery(**filters))
            return "".join(places[order.order_id] for order in page.orders)

        def some(*words: str) -> frozenset[str]:
            return frozenset(words)

        assert await found() == "54321"
        assert await found(customer_id=one) == "21"
        assert await found(customer_id="") == await found(customer_id=one[:-1]) == ""
        assert await found(shops=some(north)) == "531"
        assert await found(shops=some(north, south, "nowhere")) == "5321"
        assert await found(shops=some()) == ""
        assert await found(statuses=some(last)) == "32"
        assert await found(statuses=some(first, second)) == "541"
        assert await found(statuses=some()) == await found(statuses=some("no such status")) == ""
        assert await found(customer_id=one, shops=some(south), statuses=some(last, first)) == "2"
        assert await found(customer_id=one, shops=some(south), statuses=some(first)) == ""
        assert await found(customer_id=one, shops=None, statuses=None) == "21"
        assert await found(statuses=frozenset(str(n) for n in range(2_000)) | {second}) == "5"
        both = await pages(orders, OrderQuery(shops=some(north, south), limit=2))
        assert ["".join(places[id] for id in page) for page in both] == ["53", "21"]

    async def test_cursors_that_are_none(self, orders: OrderRepository) -> None:
        await self.create(orders, self.order_id(0))
        for cursor in (
            "", " ", "x", "=", "1", "é", "\x00", "\ud800", "🙂" * 4, "None", "' OR 1=1 --", "A" * 10_000,
            encoded(""), encoded("1"), encoded("1 "), encoded(" a"), encoded("--1 a"), encoded("1 a b"),
            encoded("1 a\n"), encoded("1.5 a"), encoded("9" * 400 + " a"), encoded("1 " + "a" * 65), encoded("٤ a"),
            encoded("[1]"), encoded("[null,null]"), encoded('{"a":1}'), encoded(f"[{'9' * 400},1]"),
            "2026-02-03T04:05:06.789Z", "/1", "x/1", "2026-02-03T04:05:06.789Z/", "2026-02-03T04:05:06.789Z/1\n",
        ):  # fmt: skip
            with pytest.raises(Invalid, match="cursor"):
                await orders.find(OrderQuery(after=cursor))

    async def test_a_cursor_with_something_added(self, orders: OrderRepository) -> None:
        for n in range(2):
            await self.create(orders, self.order_id(n))
        cursor = (await orders.find(OrderQuery(limit=1))).next
        assert cursor is not None
        for changed in (cursor + "!", " " + cursor, cursor + "\n", cursor[1:]):
            with pytest.raises(Invalid, match="cursor"):
                await orders.find(OrderQuery(after=changed))


async def by_text(orders: OrderRepository, text: str, **filters: Any) -> list[str]:
    """What a text finds."""
    page = await orders.find(replace(OrderQuery(text=text), **filters))
    return [order.order_id for order in page.orders]


class Search(Contract):
    async def test_what_a_text_is_looked_for_in(self, orders: OrderRepository, clock: Clock) -> None:
        made: list[dict[str, Any]] = [
            {"reference": "T-7017/b"},
            {"contact": {"name": "José Núñez", "phone": "+49 30 7017"}},
            {"contact": {"phone": 497017, "email": "7017@shop.example"}},
            {"contact": {"name": ["7017"], "phone": True}, "note": "7017", "items": [{"name": "7017"}]},
            {"reference": "STRASSE Ärger", "contact": {"name": None}},
        ]
        ids = [self.order_id(100 + n) for n in range(len(made))]
        for id, more in zip(ids, made, strict=True):
            await self.create(orders, id, **more)
            clock.tick()
        assert await by_text(orders, "7017") == [ids[2], ids[1], ids[0]]
        for text in ("jose nunez", "JOSÉ  Núñez ", "é n"):
            assert await by_text(orders, text) == [ids[1]]
        assert await by_text(orders, "straße är") == [ids[4]]
        for text in ("example", "true", "none", "nunez +49"):
            assert await by_text(orders, text) == []
        assert await by_text(orders, ids[3].upper()) == [ids[3]]

    async def test_what_patterns_are_made_of_is_looked_for_as_it_is(self, orders: OrderRepository) -> None:
        references = ("100%", "1000", "a_b", "axb", "wow!", "a\\b'c\"d*e?")
        ids = {self.order_id(n): text for n, text in enumerate(references)}
        for id, text in ids.items():
            await self.create(orders, id, reference=f"<{text}>")
        for text, found in (
            ("0%", "100%"),
            ("a_", "a_b"),
            ("w!", "wow!"),
            ("\\b'c\"d*e?", references[5]),
            ("%", "100%"),
        ):
            assert [ids[id] for id in await by_text(orders, text)] == [found]

    async def test_a_text_with_other_filters_and_in_pages(self, orders: OrderRepository, clock: Clock) -> None:
        north, (first, *_, last) = self.shops[0], self.statuses
        for n in range(12):
            more = {"shop_id": north if n % 2 else None, "status": last if n % 3 else first}
            reference = "Sofia" if n < 10 else "Noor"
            await self.create(orders, self.order_id(n), self.customers[n % 3], reference=reference, **more)
            clock.tick()
        everything = [self.order_id(n) for n in range(9, -1, -1)]
        for limit in (1, 3, 10):
            found = await pages(orders, OrderQuery(text="SOFIA", limit=limit))
            assert [id for page in found for id in page] == everything

        def those(*ns: int) -> list[str]:
            return [self.order_id(n) for n in ns]

        assert await by_text(orders, "sofia", shops=frozenset({north})) == those(9, 7, 5, 3, 1)
        assert await by_text(orders, "sofia", shops=frozenset()) == []
        assert await by_text(orders, "sofia", statuses=frozenset({first})) == those(9, 6, 3, 0)
        assert await by_text(orders, "sofia", customer_id=self.customers[1]) == those(7, 4, 1)

    async def test_a_change_is_found_by_what_it_is_now(self, orders: OrderRepository) -> None:
        id = self.order_id(0)
        await self.create(orders, id, contact={"name": "Mei"}, reference="Q")
        await orders.change(id, setting(contact={"name": "Kofi"}))
        await orders.change(id, self.noting("mei"))
        await orders.change(id, setting(status=self.statuses[3]))
        assert (await by_text(orders, "kofi"), await by_text(orders, "mei")) == ([id], [])
        await orders.change(id, setting(contact=None))
        assert (await by_text(orders, "kofi"), await by_text(orders, "q")) == ([], [id])
