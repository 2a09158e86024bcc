"""Connections to a PostgreSQL server, what is said where one fails, and reads beside the writer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.storage.driver import Row

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

CONNECT_TIMEOUT = 5.0
"""s. A server that takes longer is as good as away, and whoever asked waits for an answer."""

COMMAND_TIMEOUT = 20.0
"""s. Twice what a server lets a node idle in a transaction (below), so that one node that hangs fails no other."""

_POOL = 8
"""Connections for reads and single statements. PostgreSQL's default limit is 100, which several nodes share."""

_SETTINGS = {
    "application_name": "ordercast",
    # A node that hangs in a transaction would hold the head of the log against all others.
    "idle_in_transaction_session_timeout": "10s",
    "default_transaction_isolation": "read committed",
}

FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that the driver raises; a ``TimeoutError`` is an ``OSError``."""

# Classes of SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) that are about the connection.
_LOST = ("08", "57P")
# The server's state rather than what it was asked: read only, rights, names, resources, limits, system, internal.
_UNUSABLE = (*_LOST, "25", "28", "3D", "3F", "42", "53", "54", "55", "58", "F0", "XX")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. ``name`` is for people, and holds no password; ``dsn`` may."""

    dsn: str
    name: str


def is_postgres(settings: Settings) -> bool:
    """Whether orders live in PostgreSQL."""
    return settings.database_url.startswith("postgresql")


def address_of(settings: Settings) -> Address:
    """The database that ``DATABASE_URL`` names. Raises `SettingsError`."""
    wanted = "write postgresql://user:password@host:5432/name"
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise SettingsError(f"ORDERCAST_DATABASE_URL: is no URL; {wanted}") from None
    if not url.database:
        raise SettingsError(f"ORDERCAST_DATABASE_URL: names no database; {wanted}")
    host = url.host or url.query.get("host") or "localhost"
    port = f":{url.port}" if url.port else ""
    dsn = "postgresql" + settings.database_url.removeprefix("postgresql+asyncpg")
    return Address(re.sub(r"([?&])ssl=", r"\1sslmode=", dsn), f"{host}{port}/{url.database}")


async def connect(address: Address) -> Connection:
    """A connection set up as DESIGN says. Raises `StorageError`."""
    try:
        connection = await asyncpg.connect(
            address.dsn, timeout=CONNECT_TIMEOUT, command_timeout=COMMAND_TIMEOUT, server_settings=_SETTINGS
        )
        try:
            await _durable(connection)
        except BaseException:
            connection.terminate()
            raise
    except (*FAILURES, ValueError) as error:
        raise cannot_connect(address, error) from None
    return connection


async def _durable(connection: Any) -> None:
    """What was acknowledged survives a crash, also where the server's default is to risk it for speed."""
    if await connection.fetchval("SHOW synchronous_commit") == "off":
        await connection.execute("SET synchronous_commit = on")


async def create_pool(address: Address) -> Pool:
    """Connections for reads; those that break are replaced when they are asked for. Raises `StorageError`."""

    async def leave(connection: Any) -> None:
        """We change no session's state, so that there is nothing to reset between two uses."""

    try:
        return await asyncpg.create_pool(
            address.dsn,
            min_size=1,
            max_size=_POOL,
            init=_durable,
            reset=leave,
            timeout=CONNECT_TIMEOUT,
            command_timeout=COMMAND_TIMEOUT,
            server_settings=_SETTINGS,
        )
    except (*FAILURES, ValueError) as error:
        raise cannot_connect(address, error) from None


def cannot_connect(address: Address, error: BaseException) -> StorageError:
    """What to do about a server that lets us not in."""
    correct = "correct ORDERCAST_DATABASE_URL"
    database = address.name.rpartition("/")[2]
    text = str(error).strip().rstrip(".") or type(error).__name__
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            advice = f"{text}; {correct}, which names the user and the password"
        case asyncpg.InvalidCatalogNameError():
            advice = f"there is no database '{database}'; make it with 'createdb {database}', or {correct}"
        case asyncpg.CannotConnectNowError():
            advice = f"{text}; try again in a moment"
        case asyncpg.TooManyConnectionsError():
            advice = f"{text}; raise max_connections in postgresql.conf, or run fewer nodes"
        case asyncpg.ClientConfigurationError():
            advice = f"{text}; {correct}"
        case ValueError():  # whose words might hold a part of the password
            advice = f"its URL cannot be read; {correct}: in a password write / as %2F, # as %23 and ? as %3F"
        case TimeoutError():
            advice = f"no answer within {CONNECT_TIMEOUT:g} s; see whether a firewall is in between, or {correct}"
        case OSError():
            advice = f"{error.strerror or text}; start PostgreSQL there, or {correct}"
        case _:
            advice = f"{text}; see PostgreSQL's log"
    return StorageError(f"The database {address.name} cannot be reached: {advice}.")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, rather than the statement wrong."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(_LOST)
    return isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def is_unusable(error: BaseException) -> bool:
    """Whether the server would refuse whatever it is asked, at the moment."""
    if isinstance(error, asyncpg.PostgresError):
        return _state(error).startswith(_UNUSABLE)
    return is_lost(error) or isinstance(error, StorageError)


def _state(error: asyncpg.PostgresError) -> str:
    return getattr(error, "sqlstate", None) or ""


def refusal(error: BaseException) -> BaseException:
    """What the caller of a change hears of this error."""
    if isinstance(error, StorageError) or not isinstance(error, FAILURES):
        return error
    text = str(error).strip().rstrip(".") or type(error).__name__
    if isinstance(error, asyncpg.PostgresError) and _state(error).startswith("53"):
        advice = "the server is short of space, memory or connections; free some, and try again"
    elif isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        advice = "this server only reads, as a standby does; set ORDERCAST_DATABASE_URL to the primary"
    elif is_lost(error):
        advice = "the connection to the database was lost; try again"
    else:
        advice = "see the log, and check the database with 'ordercast check'"
    return StorageError(f"The change could not be stored ({text}): {advice}.")


@lru_cache(maxsize=512)
def numbered(sql: str) -> str:
    """``?`` as PostgreSQL writes them: ``$1``, ``$2``. Our SQL has no other question mark in it."""
    parts = sql.split("?")
    return "".join(part + f"${n}" for n, part in enumerate(parts[:-1], 1)) + parts[-1]


class PostgresReaders:
    """Reads on connections of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetch(self, sql: str, *parameters: Any) -> Sequence[Row]:
        """See `Readers`."""
        rows: Sequence[Row]
        try:
            try:
                rows = await self._pool.fetch(numbered(sql), *parameters)
            except FAILURES as error:
                # A connection may have broken while nobody used it. A timeout was waited for long enough.
                if not is_lost(error) or isinstance(error, TimeoutError):
                    raise
                rows = await self._pool.fetch(numbered(sql), *parameters)
        except FAILURES as error:
            if self._pool.is_closing():
                raise StorageError("The database is closed: the server is shutting down.") from None
            raise StorageError(f"The database could not be read ({error or type(error).__name__}).") from error
        return rows
