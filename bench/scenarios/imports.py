"""``ordercast import`` of a large file, beside the same rows written by nothing but the database's own driver."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from bench.contenders import COPY, EXECUTEMANY, IMPORT_FILE, IMPORT_POSTGRES
from bench.loop import Failed
from bench.scenario import Column, Figures, Goal, Round, Scenario
from tests.postgres import PostgresServer

ORDERS, FEW = 100_000, 10_000
_STATUSES = ("received", "accepted", "preparing", "ready", "out_for_delivery", "delivered", "cancelled")
_IN_COMMIT = 4_096
_FLAGS = frozenset({"forced"})
"""Columns that SQLite keeps as numbers, and PostgreSQL does not."""

_Rows = Mapping[str, tuple[Sequence[str], Sequence[tuple[Any, ...]]]]


def measure(round: Round) -> Figures:
    """One round: so many orders into an empty database with its schema."""
    count = round.size(ORDERS, FEW)
    with _database(round.contender in (IMPORT_POSTGRES, COPY)) as url:
        if round.contender in (IMPORT_FILE, IMPORT_POSTGRES):
            seconds, cpu = _imported(url, count)
        else:
            rows, began, before = _rows(count), time.perf_counter(), time.process_time()
            _copy(url, rows) if round.contender is COPY else _executemany(url, rows)
            seconds, cpu = time.perf_counter() - began, time.process_time() - before
    return {"orders/s": count / seconds, "orders per CPU s": count / cpu, "CPU µs per order": 1e6 * cpu / count}


@contextmanager
def _database(postgres: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ordercast-bench-") as folder:
        if not postgres:
            url = f"sqlite:///{folder}/orders.db"
            _ordercast(url, "migrate")
            yield url
            return
        try:
            server = PostgresServer()
        except (FileNotFoundError, RuntimeError) as missing:
            raise Failed(str(missing)) from missing
        with server:
            url = server.url("postgres")
            _ordercast(url, "migrate")
            yield url


def _ordercast(url: str, *command: str) -> None:
    """Raises `Failed`."""
    environment = {**os.environ, "ORDERCAST_DATABASE_URL": url}
    run = [sys.executable, "-m", "ordercast", *command]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"ordercast {command[0]}: {done.stderr.strip() or done.stdout.strip()}")


def _imported(url: str, count: int) -> tuple[float, float]:
    """Seconds it took, and of CPU, the program's start included."""
    source = _source(count)
    began, before = time.perf_counter(), _children()
    _ordercast(url, "import", str(source))
    return time.perf_counter() - began, _children() - before


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="ordercast-bench-")


@cache
def _source(count: int) -> Path:
    """A file of orders as a small shop has them."""
    path = Path(_folder().name, f"{count}.ndjson")
    with path.open("w") as file:
        for n in range(count):
            dice = random.Random(n)
            order = {
                "orderId": f"A-{n}",
                "customerId": dice.randrange(count // 5),
                "reference": f"R {n}",
                "items": [{"name": "Margherita", "quantity": dice.randrange(1, 4)}, {"name": "Diavola", "quantity": 1}],
                "total": dice.randrange(100, 9_999) / 100,
                "currency": "EUR",
                "status": dice.choice(_STATUSES),
                "createdAt": f"2025-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}T12:00:00Z",
                "contact": {"name": f"José Núñez {n}", "phone": f"+49 170 {n}"},
            }
            file.write(json.dumps(order) + "\n")
    return path


@cache
def _rows(count: int) -> _Rows:
    """The rows that become of it, by table, with the names of their columns."""
    with _database(postgres=False) as url:
        _ordercast(url, "import", str(_source(count)))
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
            found = {table: db.execute(f"SELECT * FROM {table}") for table in ("orders", "order_events")}
            return {
                table: (names := [name for name, *_ in rows.description], [_typed(names, row) for row in rows])
                for table, rows in found.items()
            }


def _typed(names: Sequence[str], row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(bool(value) if name in _FLAGS else value for name, value in zip(names, row, strict=True))


def _executemany(url: str, tables: _Rows) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -65536")
        for start in range(0, len(tables["orders"][1]), _IN_COMMIT):
            db.execute("BEGIN")
            for table, (names, rows) in tables.items():
                marks = ", ".join("?" * len(names))
                insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
                db.executemany(insert, rows[start : start + _IN_COMMIT])
            db.execute("COMMIT")


def _copy(url: str, tables: _Rows) -> None:
    async def copy() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            for table, (names, rows) in tables.items():
                await connection.copy_records_to_table(table, records=rows, columns=names)
        finally:
            await connection.close()

    asyncio.run(copy())


SCENARIO = Scenario(
    name="import",
    title=f"Bringing in {ORDERS:,} orders",
    contenders=(IMPORT_FILE, EXECUTEMANY, IMPORT_POSTGRES, COPY),
    columns=(
        Column("orders/s", 0, higher_is_better=True),
        Column("orders per CPU s", 0, higher_is_better=True),
        Column("CPU µs per order"),
    ),
    measure=measure,
    goals=(
        Goal("ordercast import, orders per second of CPU", "orders per CPU s", 5_000, at_least=True, stretch=10_000),
    ),
    ours=IMPORT_FILE,
    method=f"""\
`ordercast import` of a file of {ORDERS:,} orders (330 bytes each) into an empty database: each line is read, checked
as a `PUT` is, looked up, and stored with its event. The others are the floor: the same rows, made beforehand, into the
same tables and indexes by nothing but the driver, `executemany` of sqlite3 in commits of {_IN_COMMIT:,}, and
PostgreSQL's `COPY` by asyncpg in one statement per table. CPU is that of the program, its start included; a
PostgreSQL server's own is not in it.""",
    verdict="""\
What is between the import and its floor is reading and checking: a third of it is JSON and the rules of an order, the
rest making the rows and seeing for each whether it is there.""",
)
