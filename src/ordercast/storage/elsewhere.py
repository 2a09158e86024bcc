"""Ordercast's own database where orders are kept elsewhere, in tables of the shop's: what it has then, and whose it is.

Such a database says so, since its own tables of orders are empty: a command that knows nothing of the shop's would work
on those, and change nothing that anybody sees.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import structlog

from ordercast.config import Settings
from ordercast.errors import SettingsError, StorageError
from ordercast.orders.kept import Kept, OwnStorage, checked
from ordercast.orders.ports import PersonalData
from ordercast.storage.database import Storage, open_storage
from ordercast.storage.driver import Statement

_SET = "INSERT INTO meta (key, value) VALUES ('elsewhere', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_GET = "SELECT value FROM meta WHERE key = 'elsewhere'"
# Positions of another log: what waits is of events that are not there.
_SKIP = "UPDATE webhooks SET cursor = ?"
_FORGET = "DELETE FROM webhook_messages"
_ORDERS = "SELECT n FROM log_head WHERE n > 0 UNION ALL SELECT 1 FROM orders LIMIT 1"

_log = structlog.get_logger("ordercast.storage")


@asynccontextmanager
async def open_kept(settings: Settings, own: OwnStorage | None) -> AsyncIterator[tuple[Storage, Kept]]:
    """Our database, for a server, and where the orders are: in it, or in ``own``. Raises `SettingsError`,
    `StorageError`."""
    if own is None:
        async with open_storage(settings, serves=True) as storage:
            log = storage.log
            yield storage, Kept(storage.orders, log, storage.figures, storage.personal, log.catch_up, storage.told)
        return
    _check(settings)
    async with open_storage(settings, serves=True, elsewhere=True) as storage, own.opened(settings) as kept:
        await _follow(storage, checked(kept))
        if kept.personal is not None:
            kept = replace(kept, personal=_Both(kept.personal, storage.personal))
        yield storage, replace(kept, adopt=partial(_adopt, kept.adopt))


def _adopt(theirs: Callable[[Settings], None] | None, settings: Settings) -> None:
    _check(settings)
    if theirs is not None:
        theirs(settings)


def _check(settings: Settings) -> None:
    if settings.order_retention:
        raise SettingsError(
            "ORDERCAST_ORDER_RETENTION: the shop keeps its orders in tables of its own, and removes old ones itself: "
            "leave this unset"
        )


async def _follow(storage: Storage, kept: Kept) -> None:
    rows = await storage.readers.fetch(_GET)
    log_id, before = kept.log.log_id, rows[0][0] if rows else None
    if before is None and await storage.readers.fetch(_ORDERS):
        raise StorageError(
            "ORDERCAST_DATABASE_URL names a database with orders of its own, which nobody would see: name another one, "
            "for what Ordercast keeps beside the shop's tables."
        )
    if before != log_id:
        statements = [Statement(_SET, (log_id,))]
        if before is not None:
            _log.warning("the shop's orders have a new log; webhooks go on at its end", log=log_id, before=before)
            statements += [Statement(_SKIP, (await kept.log.head(),)), Statement(_FORGET)]
        await storage.writer.run(*statements)


class _Both:
    """`PersonalData` of the shop's database and of ours. Twice is once in each, so a failure between them heals."""

    def __init__(self, theirs: PersonalData, ours: PersonalData) -> None:
        self._theirs = theirs
        self._ours = ours

    async def replace_customer(self, customer_id: str, pseudonym: str) -> None:
        await self._theirs.replace_customer(customer_id, pseudonym)
        await self._ours.replace_customer(customer_id, pseudonym)
