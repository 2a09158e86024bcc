"""The checker finds what it is there for, in the real thing with one thing broken (`tests.broken`)."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.checker import check
from tests.harness import ROOT, Api, Json, ServerProcess
from tests.proxy import Faults
from tests.sites import OneServer
from tests.survive import Outcome, Plan, one_server, survive

PLAN = Plan(
    clients=24,
    seconds=3,
    rate=60,
    faults=Faults(cut=(0.5, 1.5)),
    blackholes=False,
    eras=("2.5.0", "3.1.3", "4.8.4"),
    transports=("websocket", "polling"),
)


async def run_broken(fault: str, folder: Path) -> Outcome:
    return await survive(folder, PLAN, one_server(folder, ("tests.broken", fault), str(ROOT)))


async def test_it_finds_nothing_where_nothing_is_broken(tmp_path: Path) -> None:
    outcome = await run_broken("nothing", tmp_path)
    assert outcome.findings.violations == []
    assert outcome.findings.caught_up > PLAN.clients


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no_replay", r"was told to be caught up at position \d+ and has never heard of order \d+ version \[\d+"),
        ("once_per_room", r"heard order:updated of order \d+ version \d+ twice in one connection"),
        ("replay_again", r"heard order:\w+ of order \d+ version \d+ at position \d+, which it had reached"),
        ("no_rooms", r"heard order:\w+ of order \d+ version \d+ of customer \w+, which it may not see"),
    ],
)
async def test_it_reports(fault: str, words: str, tmp_path: Path) -> None:
    violations = (await run_broken(fault, tmp_path)).findings.violations
    assert [words for violation in violations if re.search(words, violation)], violations[:20]


@pytest.mark.parametrize("fault", ["nothing", "reply_before_commit"])
async def test_it_reports_a_reply_that_came_before_its_commit(fault: str, tmp_path: Path) -> None:
    acknowledged: list[Json] = []
    server = ServerProcess(tmp_path, command=("tests.broken", fault), pythonpath=str(ROOT))
    try:
        server.start()
        async with server.api() as api:
            orders = [await api.create() for _ in range(4)]
            enough = asyncio.Event()
            writers = [asyncio.create_task(_write(api, order, acknowledged, enough)) for order in orders]
            await asyncio.wait_for(enough.wait(), 20)
            server.kill()
            await asyncio.gather(*writers)
    finally:
        server.stop()
    violations = check(await OneServer(server).log(), acknowledged, []).violations
    if fault == "nothing":
        assert violations == []
    else:
        lost = re.compile(r"order \d+ version \d+ was acknowledged as \w+ and is not in the log")
        assert [violation for violation in violations if lost.search(violation)], violations


async def _write(api: Api, order: Json, acknowledged: list[Json], enough: asyncio.Event) -> None:
    with suppress(httpx2.TransportError):
        for status in ("accepted", "preparing", "ready", "out_for_delivery", "delivered"):
            acknowledged.append(await api.patch(order["orderId"], status=status))
            enough.set()
