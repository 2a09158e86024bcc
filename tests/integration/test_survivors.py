"""Whoever was away misses nothing: clients of every era, cut off every 1 to 5 s, under 50 changes/s.

The long version: ``python -m tests.survive --clients 500 --seconds 120``, and the same with ``--kills 10``.
"""

from __future__ import annotations

from pathlib import Path

from tests.survive import Outcome, Plan, survive

CLIENTS = 150
SECONDS = 30.0
KILLS = 3


def _all_is_well(outcome: Outcome) -> None:
    """Nothing was lost, and something did happen."""
    found = outcome.findings
    assert found.violations == [], str(outcome)
    assert outcome.changes > SECONDS * 2, str(outcome)
    assert outcome.cuts > CLIENTS, str(outcome)
    assert outcome.upgrades_cut > 0, str(outcome)
    assert found.connections > CLIENTS * 2, str(outcome)
    assert found.recovered > CLIENTS // 5, str(outcome)  # clients of 4.6 and later
    assert found.caught_up > CLIENTS, str(outcome)
    assert found.heard > outcome.changes, str(outcome)


async def test_clients_whose_connections_are_cut_again_and_again_miss_nothing(tmp_path: Path) -> None:
    _all_is_well(await survive(tmp_path, Plan(CLIENTS, SECONDS, seed=1)))


async def test_nor_where_the_server_is_killed_and_restarted_too(tmp_path: Path) -> None:
    outcome = await survive(tmp_path, Plan(CLIENTS, SECONDS, kills=KILLS, seed=2))
    _all_is_well(outcome)
    assert outcome.kills == KILLS
