"""Nodes of Ordercast on one PostgreSQL and one Redis, real ones of the benchmark's own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bench.contenders import Contender, Running, cores
from bench.loop import Failed
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer


@contextmanager
def cluster(contender: Contender) -> Iterator[list[Running]]:
    """Starts ``contender.nodes`` nodes. They, their servers and the load may all use both cores meanwhile."""
    both, before = set(cores()), os.sched_getaffinity(0)
    os.sched_setaffinity(0, both)
    try:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ordercast-bench-"))
            try:
                postgres = stack.enter_context(PostgresServer())
                redis = stack.enter_context(RedisServer(Path(folder)))
            except (FileNotFoundError, RuntimeError) as missing:
                raise Failed(str(missing)) from missing
            shared = {"ORDERCAST_DATABASE_URL": postgres.url("postgres"), "ORDERCAST_REDIS_URL": redis.url}
            member = replace(contender, env={**contender.env, **shared})
            _migrate(member)
            nodes = []
            for number in range(contender.nodes):
                home = Path(folder, str(number))
                home.mkdir()
                node = Running(member, str(home), both)
                stack.callback(node.kill)
                node.start()
                nodes.append(node)
            try:
                yield nodes
            except Failed as failure:
                raise Failed(f"{failure}{''.join(node.last_words() for node in nodes)}") from failure
    finally:
        os.sched_setaffinity(0, before)


def _migrate(member: Contender) -> None:
    command = [sys.executable, "-m", "ordercast", "migrate"]
    done = subprocess.run(command, env={**os.environ, **member.env}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"ordercast migrate: {done.stderr.strip()}")


def cpu_seconds(nodes: list[Running]) -> float:
    """Of all nodes so far; PostgreSQL and Redis are not in it."""
    return sum(node.cpu_seconds() for node in nodes)
