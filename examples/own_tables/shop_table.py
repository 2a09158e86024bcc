"""The shop's tables, and what Ordercast is told of them."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Integer, MetaData, String, Table
from sqlalchemy.ext.asyncio import AsyncEngine

from ordercast.storage.own import OwnTable, scaled, words

metadata = MetaData()
orders = Table(
    "orders",
    metadata,
    Column("nr", Integer, primary_key=True),
    Column("customer", Integer, nullable=False, index=True),
    Column("state", String(12), nullable=False),
    Column("placed", DateTime(timezone=True), nullable=False, index=True),
    Column("cents", Integer),
    Column("dish", String(80), nullable=False, default=""),  # which Ordercast does not know
)
stock = Table(
    "stock",
    metadata,
    Column("dish", String(80), primary_key=True),
    Column("portions", Integer, nullable=False),
)

WORDS = {
    "received": "NEW",
    "accepted": "CONFIRMED",
    "preparing": "COOKING",
    "ready": "READY",
    "out_for_delivery": "ON_THE_WAY",
    "delivered": "DELIVERED",
    "collected": "COLLECTED",
    "rejected": "REFUSED",
    "cancelled": "CANCELLED",
    "failed_delivery": "NOT_HOME",
}


def own_table(engine: AsyncEngine) -> OwnTable:
    """Which column is what. What is not here (notes, who has taken an order …) Ordercast keeps beside the table."""
    return OwnTable(
        engine,
        orders,
        keeps={
            "order_id": orders.c.nr,
            "customer_id": orders.c.customer,
            "status": words(orders.c.state, WORDS),
            "created_at": orders.c.placed,
            "total": scaled(orders.c.cents),
        },
    )
