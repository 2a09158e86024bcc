"""Every benchmark, in the order of the table."""

from __future__ import annotations

from bench.scenario import Scenario
from bench.scenarios import (
    board,
    burst,
    changes,
    connects,
    imports,
    latency,
    many,
    nodes,
    pages,
    polling,
    reconnect,
    redis,
)

ALL: tuple[Scenario, ...] = (
    burst.SCENARIO,
    connects.SCENARIO,
    changes.SCENARIO,
    latency.SCENARIO,
    many.SCENARIO,
    polling.SCENARIO,
    reconnect.SCENARIO,
    nodes.SCENARIO,
    redis.SCENARIO,
    board.SCENARIO,
    pages.SCENARIO,
    imports.SCENARIO,
)
