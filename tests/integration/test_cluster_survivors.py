"""Three nodes behind a real nginx, on a real PostgreSQL and Redis: nobody misses anything, whichever is killed."""

from __future__ import annotations

from pathlib import Path

from tests.sites import ManyServers
from tests.survive import PING, Plan, survive

CLIENTS = 100
SECONDS = 25.0
KILLS = 3


async def test_clients_behind_nginx_miss_nothing_while_nodes_are_killed(tmp_path: Path, postgres_url: str) -> None:
    plan = Plan(CLIENTS, SECONDS, kills=KILLS, seed=2)
    outcome = await survive(tmp_path, plan, ManyServers(tmp_path, postgres_url, ping=PING))
    found = outcome.findings
    assert found.violations == [], str(outcome)
    assert outcome.kills == KILLS
    assert outcome.changes > SECONDS * 2, str(outcome)
    assert outcome.cuts > CLIENTS, str(outcome)
    assert found.recovered > CLIENTS // 5, str(outcome)
    assert found.caught_up > CLIENTS, str(outcome)
    assert found.heard > outcome.changes, str(outcome)
