"""Every benchmark, in the order of the table."""

from __future__ import annotations

from bench.scenario import Scenario
from bench.scenarios import burst, changes, connects, latency, many, nodes, polling, reconnect, redis

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
)
