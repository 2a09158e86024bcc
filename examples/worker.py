"""A service that follows the orders of a shop, with a cursor of its own.

    export ORDERCAST_TOKEN=$(ordercast token --user shop --role service)
    python -m examples.worker http://127.0.0.1:3001 worker.db

It keeps a table of which order is where. What an event brings and the event's cursor are stored in one transaction, so
that each event is dealt with once, however often worker and server are killed. Ctrl-C ends it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterable

from ordercast.client import Event, Order, OrdercastClient, Resync

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, status TEXT NOT NULL, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS place (one INTEGER PRIMARY KEY CHECK (one = 1), cursor TEXT NOT NULL);
"""
_KEEP = """
INSERT INTO orders VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = excluded.version WHERE excluded.version > version
"""


class Table:
    """Orders and the cursor that they are of."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript(_SCHEMA)

    @property
    def cursor(self) -> str | None:
        """Where to go on; ``None``: it has never begun."""
        row = self._db.execute("SELECT cursor FROM place").fetchone()
        return None if row is None else str(row[0])

    def take(self, event: Event) -> None:
        """One event, and its cursor."""
        with self._db:
            if event.status is not None:
                self._keep([(str(event.order_id), event.status, event.version)])
            self._go_on_from(event.cursor)

    def start_anew(self, orders: Iterable[Order], cursor: str) -> None:
        """All orders as they are, and a cursor of before they were asked for: what comes twice has an old version."""
        with self._db:
            self._db.execute("DELETE FROM orders")
            self._keep((str(order.order_id), order.status, order.version) for order in orders)
            self._go_on_from(cursor)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def _keep(self, rows: Iterable[tuple[str, str, int]]) -> None:
        self._db.executemany(_KEEP, rows)

    def _go_on_from(self, cursor: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO place VALUES (1, ?)", (cursor,))


async def all_orders(client: OrdercastClient) -> list[Order]:
    """Every order there is."""
    page = await client.list_orders(limit=500)
    orders = list(page.orders)
    while page.next is not None:
        page = await client.list_orders(limit=500, cursor=page.next)
        orders += page.orders
    return orders


async def follow(client: OrdercastClient, table: Table) -> None:
    """Keeps the table current, until it is cancelled."""
    while True:
        try:
            async for event in client.events(since=table.cursor or 0):
                table.take(event)
                print(event.order_id, event.version, event.status or ", ".join(event.changes), flush=True)
        except Resync as gap:
            table.start_anew(await all_orders(client), gap.cursor)
            print("started anew from", gap.cursor, flush=True)


async def main(url: str, path: str) -> None:
    """Follows until it is told to end."""
    table = Table(path)
    try:
        async with OrdercastClient(url, os.environ["ORDERCAST_TOKEN"]) as client:
            await follow(client, table)
    finally:
        table.close()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # as shells say it
