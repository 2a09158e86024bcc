"""Orders in a table of a shop's own, in the shop's own database: what `Ordercast(settings, storage=…)` takes.

::

    shop = OwnTable(engine, orders, keeps={
        "order_id": orders.c.id,
        "customer_id": orders.c.buyer,
        "status": words(orders.c.state, {"received": "NEW", "accepted": "CONFIRMED"}),
        "created_at": orders.c.placed_at,
    })
    live = Ordercast(settings, storage=shop)

Beside the table, in the same database, Ordercast keeps what must be committed with a row of it: the event, the answer
to an ``Idempotency-Key``, and whatever of an order the table has no column for (``ordercast_…``). All else (tokens,
watches, webhooks) stays in Ordercast's own database, which ``ORDERCAST_DATABASE_URL`` names.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Column, Executable, StaticPool, Table, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ordercast.config import Settings
from ordercast.errors import Invalid, NotFound, SettingsError, StorageError
from ordercast.orders.ids import parse_id
from ordercast.orders.kept import Kept
from ordercast.orders.models import Change, EventKind, Logged, Order, Written, now
from ordercast.orders.ports import OrderRepository
from ordercast.orders.workflow import load_workflow
from ordercast.storage import own_schema
from ordercast.storage.housekeeping import LOOK_EVERY, TIDY_EVERY, regularly
from ordercast.storage.idempotency import Answers
from ordercast.storage.log import SqlLog
from ordercast.storage.own_fields import Field, field_for, instant, number, scaled, words
from ordercast.storage.own_orders import OwnFigures, OwnOrders, OwnPersonalData
from ordercast.storage.own_rows import WANTED, OwnRows
from ordercast.storage.own_transaction import OwnTransaction
from ordercast.storage.own_writer import JoinedWriter, OwnReaders, OwnWriter
from ordercast.storage.retention import Retention
from ordercast.storage.rows import ORDER_COLUMNS

_logger = structlog.get_logger("ordercast.storage")

__all__ = ["Field", "OwnTable", "instant", "number", "scaled", "words"]


class OwnTable:
    """A shop's orders table. ``keeps``: which attribute of `Order` is in which of its columns, as it is or through a
    `Field`. ``order_id``, ``customer_id``, ``status`` and ``created_at`` must be; whatever is not is kept beside it.

    ``next_id``: SQL whose one value is the id of a next order, where Ordercast may number them (a sequence's
    ``next_value()``). Raises `SettingsError` for what does not fit together.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        table: Table,
        keeps: Mapping[str, Column[Any] | Field],
        next_id: Executable | None = None,
    ) -> None:
        self.engine = engine
        self._next_id = next_id
        fields = {name: field_for(name, column) for name, column in keeps.items()}
        if engine.dialect.name not in ("sqlite", "postgresql"):
            raise SettingsError(f"own table: must be in SQLite or PostgreSQL, not in {engine.dialect.name}")
        if isinstance(engine.sync_engine.pool, StaticPool):
            raise SettingsError("own table: needs a connection for each transaction, and this engine has one for all")
        if unknown := sorted(fields.keys() - set(ORDER_COLUMNS)):
            raise SettingsError(f"own table: an order has no {', '.join(unknown)}; it has {', '.join(ORDER_COLUMNS)}")
        if missing := [name for name in WANTED if name not in fields]:
            raise SettingsError(f"own table: keeps must say which column is {', '.join(missing)}")
        for name, field in fields.items():
            if field.column.table is not table:
                raise SettingsError(f"own table: {name} is kept in a column of another table than '{table.name}'")
        beside = own_schema.beside(fields["order_id"].column)
        self._rows = OwnRows(table, beside, fields, engine.dialect.name == "sqlite")
        self._log: SqlLog | None = None
        self._told: list[Callable[[], None]] = []
        self._answers: Answers | None = None

    @asynccontextmanager
    async def opened(
        self, settings: Settings, look_every: float = LOOK_EVERY, tidy_every: float = TIDY_EVERY
    ) -> AsyncIterator[Kept]:
        """Makes Ordercast's tables beside the shop's where they are not there, and follows the log. The engine stays
        the shop's, and open. Raises `StorageError`."""
        self._check(settings)
        readers = OwnReaders(self.engine)
        writer = OwnWriter(self.engine, self._rows, self._next_id)
        log_id = await self._prepared()
        ((head, floor),) = await readers.fetch("SELECT n, floor FROM log_head")
        self._log = log = SqlLog(readers, log_id, head, floor)
        self._answers = Answers(settings.idempotency_ttl)
        orders = OwnOrders(writer, readers, self._answers, self._rows)
        told: list[Callable[[], None]] = []
        self._told = told

        def committed(logged: Sequence[Logged]) -> None:
            log.committed(logged)
            for tell in told:
                tell()

        writer.committed = committed
        retention = Retention(writer, readers, log, settings.log_retention)

        def adopt(settings: Settings) -> None:
            self._check(settings)
            retention.adopt(settings.log_retention)

        try:
            async with (
                regularly(look_every, log.catch_up),
                regularly(tidy_every, retention.remove_old, writer.adopt, writer.forget),
            ):
                yield Kept(
                    orders,
                    log,
                    OwnFigures(readers, orders, self._rows),
                    # Not where customers are numbers, of which a pseudonym is none.
                    OwnPersonalData(writer, readers, self._rows) if self._rows.may_forget else None,
                    log.catch_up,
                    told,
                    adopt,
                )
        finally:
            self._log = self._answers = None
            self._told = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of the shop's own code, with `on` for orders in it. Once it is committed, clients are told."""
        async with self.engine.begin() as connection:
            yield connection
        await self.committed()

    def on(self, connection: AsyncConnection) -> OrderRepository:
        """The orders within a transaction that the shop's own code has begun: written with its commit, gone with its
        rollback."""
        if self._answers is None:
            raise RuntimeError("The own table is not open: put 'async with oc:' around what uses it")
        writer = JoinedWriter(connection, self._rows, self._next_id)
        return OwnOrders(writer, OwnReaders(connection), self._answers, self._rows)

    async def placed(self, connection: AsyncConnection, order_id: int | str, updated_by: int | str) -> Order:
        """Logs an order whose row the shop's own code has just made in this transaction, so that its customer and the
        operators hear of it once it is committed. Raises `NotFound`, and `OrderExists` for one that is logged."""
        id, by = parse_id(order_id), parse_id(updated_by)
        if id is None or by is None:
            raise NotFound if id is None else Invalid("updated_by: must be an id: see ordercast.orders.ids")
        created = Change(kind=EventKind.CREATED, values={}, updated_by=by)

        def do(transaction: OwnTransaction) -> Written:
            row = transaction.order(id)
            if row is None:
                raise NotFound
            order = replace(row, updated_at=now())
            return Written(order, transaction.place(order, created))

        return (await JoinedWriter(connection, self._rows, self._next_id).do(do)).order

    async def committed(self) -> None:
        """To be called after a commit that `begin` does not know of; else clients learn of it within 2 s. Raises
        nothing: what is committed is, and who would be told that it failed would do it again."""
        if self._log is None:
            return
        try:
            await self._log.catch_up()
        except StorageError as error:
            _logger.warning("what was committed is told within some seconds", error=str(error))
        for tell in self._told:
            tell()

    def _check(self, settings: Settings) -> None:
        unkept = []
        for status in load_workflow(settings.workflow, settings.status_map).statuses:
            try:
                self._rows.fields["status"].to_row(status)
            except ValueError:
                unkept.append(status)
        if unkept:
            raise SettingsError(
                f"own table: its status cannot be {', '.join(unkept)}, which the workflow has: give words for them, or "
                "another workflow (ORDERCAST_WORKFLOW)"
            )

    async def _prepared(self) -> str:
        try:
            async with self.engine.begin() as connection:
                made = await connection.run_sync(own_schema.make, self._rows.rest)
                # Now, rather than at the first request: whether the table is there and has these columns.
                await connection.execute(self._rows.select().limit(0))
                await connection.execute(select(self._rows.id.column).limit(0))
            async with self.engine.connect() as connection:
                probe = own_schema.meta.c.key == f"probe {secrets.token_urlsafe(9)}"
                await connection.execute(own_schema.meta.insert().values(key=probe.right.value, value=""))
                await connection.rollback()
                if (await connection.execute(own_schema.meta.delete().where(probe))).rowcount:
                    await connection.commit()
                    raise SettingsError("own table: the engine's transactions must be ones: it is in AUTOCOMMIT")
            return made
        except (SQLAlchemyError, OSError) as error:
            raise StorageError(f"The shop's table '{self._rows.table.name}' cannot be used: {error}.") from error
