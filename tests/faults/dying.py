"""`ordercast serve` that dies by SIGKILL at one exact point, when it is told to.

``python -m tests.faults.dying serve --port 0``. Told by the file `ORDER` in its folder, ``point number``: at the so
many-th time that it comes by there from then on. The points are put in from outside, before it serves.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from ordercast.cli import main
from ordercast.socketio.cluster_link import Link
from ordercast.socketio.cluster_redis import RedisCluster
from ordercast.storage.postgres_writer import PostgresWriter

ORDER = "dies"
POINTS = ("before commit", "after commit", "before publish", "after publish")

_passed: dict[str, int] = {}


def passing(point: str) -> None:
    """Dies here, if this is where and when."""
    try:
        where, _, number = Path(ORDER).read_text().rpartition(" ")
    except OSError:
        return
    if where == point:
        _passed[point] = _passed.get(point, 0) + 1
        if _passed[point] >= int(number):
            os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Puts the points in: around a COMMIT, and around the hint to other nodes that there is something new."""
    committed, hinted, confirmed = PostgresWriter._commit, RedisCluster.hint, Link._confirm_published

    async def _commit(self: PostgresWriter, *args: Any) -> None:
        passing("before commit")
        await committed(self, *args)
        passing("after commit")

    def hint(self: RedisCluster, name: str) -> None:
        passing("before publish")
        hinted(self, name)

    async def _confirm_published(self: Link, *args: Any) -> None:
        await confirmed(self, *args)
        passing("after publish")

    for owner, patch in ((PostgresWriter, _commit), (RedisCluster, hint), (Link, _confirm_published)):
        setattr(owner, patch.__name__, patch)


if __name__ == "__main__":
    install()
    main()
