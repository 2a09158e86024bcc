"""Every fault of ``python -m tests.faults`` in little, one after another on one site of three nodes behind nginx."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.document import write
from tests.faults.health import NO_ANSWER
from tests.faults.run import Result, database, run
from tests.faults.table import TABLE, Row
from tests.postgres import PostgresServer

LASTS = {"clocks": 2.0, "bus": 2.0, "no-reading": 2.0}  # s, where it is neither 0.5 nor what the fault itself takes
UNTIL = {"redis-silent": "degraded", "postgres-silent": "not ready"}  # said by every node, however slow
LEFT_OUT = {"redis-30s"}  # as the one of 3 s, but longer
WITHIN, SAYS_SO = 60.0, 30.0  # s, which bound a failure only: `python -m tests.faults` judges how soon


@pytest.fixture
def mortal() -> Iterator[PostgresServer]:
    """A database server to kill."""
    with PostgresServer() as server:
        yield server


async def test_every_fault_once(tmp_path: Path, mortal: PostgresServer) -> None:
    rows = [
        Row(row.key, row.words, row.make, 1, LASTS.get(row.key, min(row.lasts, 0.5)))
        for row in TABLE
        if row.key not in LEFT_OUT
    ]
    async with database(mortal) as url:
        result = await run(tmp_path, mortal, rows, 1, 45, 40, url, quiet=1.0, after=2.0, until=UNTIL, drain_time="0.5")
    assert result.violations == [], result
    assert len(result.struck) == len(rows)
    late = [one for one in result.struck if not (one.everyone <= WITHIN and one.fresh <= WITHIN)]
    assert late == []
    assert result.changes > 100
    assert result.events > result.changes
    assert result.notes > 0
    struck = {row.key: one for row, one in zip(rows, result.struck, strict=True)}
    for key, word in UNTIL.items():
        after, nodes = struck[key].said[word]
        assert after < SAYS_SO, f"{key}: {result}"
        assert nodes == 3
    for key, one in struck.items():
        if key.startswith("kill-"):
            assert one.said[NO_ANSWER][1] == 1
    assert struck["clocks"].said == {}
    _can_be_written(result, tmp_path)


def _can_be_written(result: Result, folder: Path) -> None:
    page = folder / "reliability.md"
    write({row.key: [result] for row in TABLE}, 40, page)
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    assert len(lines) == len(TABLE) + 2
    assert {line.count(" | ") for line in lines} == {9}
