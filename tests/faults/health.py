"""What each node says of itself at `/health/ready`, and since when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from tests.sites import ManyServers
from tests.survive import Moment

EVERY = 0.1  # s
PATIENCE = 2.0  # s for an answer
READY = "ready"
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Said:
    """A node's answer became another. ``at``: s since 1970."""

    at: float
    node: int
    word: str


@asynccontextmanager
async def watched(site: ManyServers) -> AsyncIterator[list[Said]]:
    """Asks all nodes again and again, and keeps what has changed."""
    said: list[Said] = []
    tasks = [asyncio.create_task(_ask(site, number, said)) for number in range(len(site.nodes))]
    try:
        yield said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _ask(site: ManyServers, number: int, said: list[Said]) -> None:
    before = ""
    async with httpx2.AsyncClient(timeout=PATIENCE) as client:
        while True:
            asked = time.time()
            try:
                word = (await client.get(f"{site.nodes[number].url}/health/ready")).json()["status"]
            except (httpx2.TransportError, ValueError):
                word = NO_ANSWER
            if word != before and not (before == "" and word == NO_ANSWER):
                said.append(Said(asked, number, word))
                before = word
            await asyncio.sleep(EVERY)


def have_said(said: Sequence[Said], word: str, nodes: int, since: float) -> bool:
    """Whether so many nodes have said a word since then (s since 1970); no word is always said. Pure."""
    return word == "" or len({one.node for one in said if one.word == word and one.at >= since}) >= nodes


@dataclass(frozen=True, slots=True)
class Worst:
    """The slowest node to say a word after a fault had begun, in s, and how many said it."""

    word: str
    after: float
    nodes: int


def during(said: Sequence[Said], moment: Moment) -> tuple[list[Worst], float]:
    """What was said other than "ready" from the beginning of a fault, and s from its end until all were ready. Pure."""
    first: dict[str, dict[int, float]] = {}
    back = 0.0
    now: dict[int, str] = {}
    for one in sorted(said, key=lambda one: one.at):
        if one.at > moment.ended and set(now.values()) <= {READY}:
            break
        now[one.node] = one.word
        if one.word != READY and moment.began <= one.at:
            first.setdefault(one.word, {}).setdefault(one.node, one.at - moment.began)
        back = max(back, one.at - moment.ended)
    return [Worst(word, max(times.values()), len(times)) for word, times in first.items()], back
