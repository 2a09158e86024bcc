"""`Watches`: what a connection watched, for as long as it may come back."""

from __future__ import annotations

from ordercast.orders.ports import Watches
from tests.contract.support import TTL, Clock


async def test_what_was_saved_is_given(watches: Watches) -> None:
    assert await watches.of("p", "42") == frozenset()
    await watches.save("p", "42", "1")
    await watches.save("p", "42", "north-2")
    await watches.save("q", "42", "3")
    assert await watches.of("p", "42") == {"1", "north-2"}
    assert await watches.of("q", "42") == {"3"}
    assert await watches.of("r", "42") == frozenset()


async def test_another_users_id_gives_nothing(watches: Watches) -> None:
    await watches.save("p", "42", "1")
    assert await watches.of("p", "43") == frozenset()
    await watches.save("p", "43", "2")
    assert await watches.of("p", "43") == {"2"}
    assert await watches.of("p", "42") == {"1"}


async def test_what_was_dropped_is_not(watches: Watches) -> None:
    for order_id in "123":
        await watches.save("p", "42", order_id)
    await watches.save("q", "42", "2")
    await watches.drop("p", "2")
    await watches.drop("p", "2")
    await watches.drop("p", "never")
    await watches.drop("nobody", "1")
    assert await watches.of("p", "42") == {"1", "3"}
    assert await watches.of("q", "42") == {"2"}
    await watches.save("p", "42", "2")
    assert await watches.of("p", "42") == {"1", "2", "3"}


async def test_after_its_time_it_is_gone(watches: Watches, clock: Clock) -> None:
    await watches.save("p", "42", "1")
    clock.tick(TTL / 2)
    await watches.save("p", "42", "2")
    clock.tick(TTL / 2)
    assert await watches.of("p", "42") == {"1", "2"}
    clock.tick()
    assert await watches.of("p", "42") == {"2"}
    clock.tick(TTL)
    assert await watches.of("p", "42") == frozenset()


async def test_saving_again_makes_it_last_anew(watches: Watches, clock: Clock) -> None:
    await watches.save("p", "42", "1")
    clock.tick(TTL)
    await watches.save("p", "42", "1")
    clock.tick(TTL)
    assert await watches.of("p", "42") == {"1"}


async def test_many_at_once(watches: Watches, clock: Clock) -> None:
    await watches.save_all("p", "42", [])
    assert await watches.of("p", "42") == frozenset()
    await watches.save("p", "42", "1")
    clock.tick(TTL)
    many = {str(number) for number in range(1, 3_000)}
    await watches.save_all("p", "42", many)
    await watches.save_all("q", "42", ["7", "7"])
    clock.tick(TTL)
    assert await watches.of("p", "42") == many
    assert await watches.of("q", "42") == {"7"}
