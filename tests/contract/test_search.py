"""`OrderQuery.text`: the same orders on every keeper."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ordercast.orders.models import OrderQuery
from ordercast.orders.ports import OrderRepository
from tests.contract.support import Clock, create, noting, setting
from tests.contract.test_pages import pages


async def found(orders: OrderRepository, text: str, **filters: Any) -> str:
    page = await orders.find(replace(OrderQuery(text=text), **filters))
    return " ".join(order.order_id for order in page.orders)


async def test_what_is_looked_at(orders: OrderRepository, clock: Clock) -> None:
    made: list[tuple[str, dict[str, Any]]] = [
        ("1017", {}),
        ("2", {"reference": "T-1017/b"}),
        ("3", {"contact": {"name": "José Núñez", "phone": "+49 30 1017"}}),
        ("4", {"contact": {"phone": 491017, "email": "1017@shop.example"}}),
        ("5", {"contact": {"name": ["1017"], "phone": True}, "note": "1017", "items": [{"name": "1017"}]}),
        ("6", {"reference": "STRASSE Ärger", "contact": {"name": None}}),
        ("order.A:7", {"customer_id": "1017"}),
    ]
    for id, more in made:
        await create(orders, id, **{"customer_id": "42", **more})
        clock.tick()
    assert await found(orders, "1017") == "4 3 2 1017"
    assert await found(orders, "01") == "4 3 2 1017"
    assert await found(orders, "jose nunez") == await found(orders, "JOSÉ  Núñez ") == await found(orders, "é n") == "3"
    assert await found(orders, "straße ar") == "6"
    assert await found(orders, "ORDER.a") == "order.A:7"
    assert await found(orders, "example") == await found(orders, "true") == await found(orders, "none") == ""
    assert await found(orders, "nunez +49") == "", "one thing at a time"


async def test_what_patterns_are_made_of_is_looked_for_as_it_is(orders: OrderRepository, clock: Clock) -> None:
    for id, reference in (
        ("1", "100%"),
        ("2", "1000"),
        ("3", "a_b"),
        ("4", "axb"),
        ("5", "wow!"),
        ("6", "a\\b'c\"d*e?"),
    ):
        await create(orders, id, reference=reference)
        clock.tick()
    assert await found(orders, "0%") == "1"
    assert await found(orders, "a_") == "3"
    assert await found(orders, "w!") == "5"
    assert await found(orders, "\\b'c\"d*e?") == "6"
    assert await found(orders, "%") == "1"
    assert await found(orders, "?") == "6"


async def test_with_other_filters_and_in_pages(orders: OrderRepository, clock: Clock) -> None:
    for n in range(12):
        more = {"shop_id": "north" if n % 2 else None, "status": "ready" if n % 3 else "received"}
        await create(orders, f"x{n}", str(n % 4), reference="Sofia" if n < 10 else "Noor", **more)
        if n % 2:
            clock.tick()
    everything = await pages(orders, OrderQuery(text="sofia", limit=100))
    assert sorted(everything[0]) == [f"x{n}" for n in range(10)]
    for limit in (1, 3, 10):
        assert [id for page in await pages(orders, OrderQuery(text="SOFIA", limit=limit)) for id in page] == everything[
            0
        ]
    assert await found(orders, "sofia", shops=frozenset({"north"})) == "x9 x7 x5 x3 x1"
    assert await found(orders, "sofia", shops=frozenset()) == ""
    assert await found(orders, "sofia", statuses=frozenset({"received"})) == "x9 x6 x3 x0"
    assert await found(orders, "sofia", customer_id="1") == "x9 x5 x1"
    assert await found(orders, "x1") == "x11 x10 x1"


async def test_a_change_is_found_by_what_it_is_now(orders: OrderRepository) -> None:
    await create(orders, "1", contact={"name": "Mei"}, reference="A")
    await orders.change("1", setting(contact={"name": "Kofi"}))
    await orders.change("1", noting("mei"))
    await orders.change("1", setting(status="ready"))
    assert (await found(orders, "kofi"), await found(orders, "mei")) == ("1", "")
    await orders.change("1", setting(contact=None))
    assert (await found(orders, "kofi"), await found(orders, "a")) == ("", "1")


async def test_what_is_very_long_is_found_by_its_beginning(orders: OrderRepository) -> None:
    await create(orders, "1", contact={"name": "\0ﷺ" * 5_000 + "end", "phone": "7" * 100_000})
    assert await found(orders, "7" * 128) == "1"
    assert await found(orders, "end") == ""
    long = dict.fromkeys(("name", "phone"), "🙂" * 200)
    await create(orders, "x" * 64, reference="🙂" * 128, contact=long)
    assert await found(orders, "🙂" * 64) == "x" * 64
