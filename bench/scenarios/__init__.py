"""Every benchmark, in the order of the table."""

from __future__ import annotations

from bench.scenario import Scenario
from bench.scenarios import burst, connects

ALL: tuple[Scenario, ...] = (burst.SCENARIO, connects.SCENARIO)
