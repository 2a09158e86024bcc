"""A shop whose orders stay in its own table: Ordercast works on that, and keeps no copy.

    export ORDERCAST_JWT_SECRET=$(python3 -c "import secrets; print(secrets.token_urlsafe(48))")
    uvicorn --app-dir examples/own_tables own_tables:app

The table is the shop's: its numbers, its words for where an order is, its cents, and columns that Ordercast does not
know. Business code changes an order and the stock in one transaction, and customers hear of it once that is committed.
`SHOP_DATABASE_URL` says where it is: SQLite (``shop.db``), or ``postgresql+asyncpg://…``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from shop_table import metadata, orders, own_table, stock
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import create_async_engine

from ordercast import Ordercast
from ordercast.errors import AuthError, Problem
from ordercast.orders.principal import Principal

PRICES = {"pizza": 950, "soup": 600}

engine = create_async_engine(os.environ.get("SHOP_DATABASE_URL", "sqlite+aiosqlite:///shop.db"), pool_pre_ping=True)
shop = own_table(engine)
live = Ordercast(storage=shop)  # ORDERCAST_DATABASE_URL is for all else: watches, revoked tokens, webhooks


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ordercast runs as long as the application does, on the shop's engine."""
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        full = [{"dish": dish, "portions": 100} for dish in PRICES]
        await connection.execute(dialect.insert(stock).on_conflict_do_nothing(), full)
    async with live:
        yield
    await engine.dispose()


app = FastAPI(title="A shop with a table of its own", lifespan=lifespan)


async def caller(authorization: Annotated[str | None, Header()] = None) -> Principal:
    """Whose token it is."""
    try:
        return await live.authenticate(authorization)
    except AuthError as error:
        raise HTTPException(401, str(error)) from None


Caller = Annotated[Principal, Depends(caller)]


@app.exception_handler(Problem)
async def problem(request: Request, problem: Problem) -> JSONResponse:
    """What Ordercast says no to, in its own words."""
    return JSONResponse({"detail": problem.detail}, problem.status)


class Wish(BaseModel):
    """What a customer orders."""

    dish: Annotated[str, Field(pattern=f"^({'|'.join(PRICES)})$")]


@app.post("/orders", status_code=201)
async def place(wish: Wish, caller: Caller) -> dict[str, Any]:
    """The shop makes its row as it always did, and says so in the same transaction."""
    async with shop.begin() as connection:
        row = insert(orders).values(
            customer=int(caller.user_id),
            state="NEW",
            placed=datetime.now(UTC),
            cents=PRICES[wish.dish],
            dish=wish.dish,
        )
        nr = (await connection.execute(row.returning(orders.c.nr))).scalar_one()
        await shop.placed(connection, nr, updated_by=caller.user_id)
    return {"orderId": nr}


@app.post("/kitchen/{nr}/confirm")
async def confirm(nr: int, caller: Caller) -> dict[str, Any]:
    """The order and the stock change together, or neither does, and nobody hears of it."""
    if not caller.is_operator:
        raise HTTPException(403, "Only the kitchen does that.")
    async with shop.begin() as connection:
        written = await live.orders.over(shop.on(connection)).update(str(nr), caller, status="accepted")
        if written.event is not None:  # it was not confirmed before
            dish = select(orders.c.dish).where(orders.c.nr == nr).scalar_subquery()
            is_there = (stock.c.dish == dish, stock.c.portions > 0)
            took = update(stock).where(*is_there).values(portions=stock.c.portions - 1)
            if not (await connection.execute(took)).rowcount:
                raise HTTPException(409, "Sold out.")  # and nothing of all this has happened
    return {"orderId": nr, "status": written.order.status, "version": written.order.version}


app.mount("/live", live.asgi)
