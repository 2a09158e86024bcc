"""Whether a round had the machine to itself: two benchmarks take turns, and what other programs take is told."""

from __future__ import annotations

import fcntl
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.contenders import cores

_LOCK = Path(tempfile.gettempdir()) / "ordercast-bench.lock"


def _busy() -> float:
    """Seconds that the two cores have worked since the machine came up."""
    names = {f"cpu{core}" for core in cores()}
    total = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in names:
            user, nice, system, _idle, _waiting, hard, soft, steal = map(int, fields[:8])
            total += user + nice + system + hard + soft + steal
    return total / os.sysconf("SC_CLK_TCK")


def _ours() -> float:
    """Seconds that this process and the servers it has ended have worked."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(it.ru_utime + it.ru_stime for it in used)


@contextmanager
def alone(others: list[float]) -> Iterator[None]:
    """Waits for another benchmark's round to end; adds the share of both cores that other programs took in ours."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy, ours, began = _busy(), _ours(), time.monotonic()
        try:
            yield
        finally:
            foreign = (_busy() - busy) - (_ours() - ours)
            others.append(max(foreign / 2 / (time.monotonic() - began), 0))
