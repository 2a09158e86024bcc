"""`Targets`."""

from __future__ import annotations

import asyncio

from ordercast.orders.ports import Targets


async def test_what_was_set_is_read(targets: Targets) -> None:
    assert await targets.read() == {}
    first: dict[str, int | None] = {"received": 60, "on the way": None, "ready": 2**31 - 1}
    await targets.replace(first)
    assert await targets.read() == first
    await targets.replace({"ready": 5})
    assert await targets.read() == {"ready": 5}
    await targets.replace({})
    assert await targets.read() == {}


async def test_of_several_at_once_one_is_left_whole(targets: Targets) -> None:
    many: list[dict[str, int | None]] = [{f"{status}{n % 3}": n for status in "abcdef"} for n in range(20)]
    await asyncio.gather(*map(targets.replace, many))
    assert await targets.read() in many
