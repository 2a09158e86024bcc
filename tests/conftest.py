"""Fixtures for tests that need a running server: a real process, a real port, a database of its own.

And for those that need a database alone: of each kind, empty."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from ordercast.config import Settings
from ordercast.storage.database import migrate
from tests.harness import Api, ServerProcess
from tests.postgres import PostgresServer
from tests.redis_server import RedisServer

settings.register_profile("timeless", settings(), deadline=None)  # timing decides no test
settings.load_profile("timeless")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """``ordercast serve``, shared by a module's tests."""
    with ServerProcess(tmp_path_factory.mktemp("server")) as process:
        yield process


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[ServerProcess]:
    """``ordercast serve`` for one test alone."""
    with ServerProcess(tmp_path) as process:
        yield process


@pytest.fixture
async def api(server: ServerProcess) -> AsyncIterator[Api]:
    """REST with the shop's own token."""
    async with server.api("service") as api:
        yield api


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests. Who kills it starts it again."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database at the current schema, to copy."""

    def make() -> str:
        name = asyncio.run(postgres.create())
        migrate(Settings(database_url=postgres.url(name)))
        return name

    with ThreadPoolExecutor(1) as thread:  # which has no event loop yet, as the first test's may have
        return thread.submit(make).result()


@pytest.fixture
async def postgres_url(postgres: PostgresServer, migrated: str) -> AsyncIterator[str]:
    """A database at the current schema, with nothing in it, for one test alone."""
    name = await postgres.create(migrated)
    yield postgres.url(name)
    await postgres.drop(name)


@pytest.fixture
async def empty_postgres_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """A database with nothing at all in it, for one test alone."""
    name = await postgres.create()
    yield postgres.url(name)
    await postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind, one after the other."""
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{request.getfixturevalue('tmp_path')}/orders.db"


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for all tests; each takes channels of its own (`prefix`)."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """What a test's channels begin with."""
    return f"test-{uuid4().hex}"


LONGEST = (
    "test_faults.py",
    "test_keepers.py",
    "test_recipe_clients.py",
    "test_wheel.py",
    "test_hostile.py",
    "test_survivors.py",
    "test_own_tables_howto.py",
    "test_own_tables.py",
    "test_schema.py",
    "test_commands.py",
    "test_workers.py",
    "test_rolling.py",
    "test_track.py",
    "test_docs.py",
    "test_import.py",
    "test_cluster_survivors.py",
    "test_restoring.py",
    "test_image.py",
    "test_one_connection.py",
)
"""Files that take minutes: they begin first, or one worker would have them left when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, which `make test` hands out whole and in this order. Raises `pytest.UsageError` if two
    tests have one name: only one of them would be handed out, and nobody would miss the other."""
    for item in items:
        if item.name.startswith(f"{item.id.names[-1]}[") and item.id.params is None:  # schemathesis's, in pytest 9.2
            item._id = item.id.with_params(item.name[len(item.id.names[-1]) + 1 : -1])
    if twice := [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]:
        raise pytest.UsageError(f"several tests have the same name, and only one of each would run: {twice}")
    first = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path.name, len(first)))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names a parameter of bytes by its name alone: frames are masked at random, and a test has one name."""
    return argname if isinstance(val, bytes) else None
