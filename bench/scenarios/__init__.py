"""Every benchmark, in the order of the table."""

from __future__ import annotations

from bench.scenario import Scenario
from bench.scenarios import burst, changes, connects, latency, many, polling, reconnect

ALL: tuple[Scenario, ...] = (
    burst.SCENARIO,
    connects.SCENARIO,
    changes.SCENARIO,
    latency.SCENARIO,
    many.SCENARIO,
    polling.SCENARIO,
    reconnect.SCENARIO,
)
