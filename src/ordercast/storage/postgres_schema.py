"""How a PostgreSQL database comes to the newest schema."""

from __future__ import annotations

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ordercast.errors import StorageError
from ordercast.storage.postgres import FAILURES, Address, Connection
from ordercast.storage.schema import upgrade

_LOCK = 0x6F72_6465_7203  # of who migrates; any other number would do


async def upgrade_postgres(address: Address) -> tuple[str | None, str]:
    """Returns the revisions before and after. Raises `StorageError`."""

    def alone(connection: SyncConnection) -> tuple[str | None, str]:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        return upgrade(connection, address.name)

    async def creator() -> Connection:
        # A migration takes as long as it takes.
        return await asyncpg.connect(address.dsn, server_settings={"application_name": "ordercast migrate"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, poolclass=NullPool)
    try:
        async with engine.begin() as migrating:
            return await migrating.run_sync(alone)
    except (SQLAlchemyError, *FAILURES) as error:
        raise StorageError(
            f"The database {address.name} could not be brought to the current schema: {error}"
        ) from error
    finally:
        await engine.dispose()
