"""A small crowd behind nginx; ``python -m tests.crowd`` has the large one."""

from __future__ import annotations

from pathlib import Path

from tests.crowd import plan_of, run
from tests.sites import ManyServers

CLIENTS = 150
SECONDS = 8.0


async def test_a_crowd_behind_nginx_gets_everything_in_order(tmp_path: Path, postgres_url: str) -> None:
    outcome = await run(tmp_path, plan_of(CLIENTS, SECONDS, rate=50), ManyServers(tmp_path, postgres_url))
    assert outcome.findings.violations == [], str(outcome)
    assert outcome.findings.connections >= CLIENTS
    assert outcome.changes > SECONDS * 20, str(outcome)
    assert len(outcome.waits) > outcome.changes, str(outcome)
    assert all(node.cpu > 0 for node in outcome.nodes), str(outcome)
