"""A shop's own FastAPI application with live orders inside it.

    export ORDERCAST_JWT_SECRET=$(python -c "import secrets; print(secrets.token_urlsafe(48))")
    uvicorn examples.shop:app

Its business code changes a status with one call; customers and operators who are connected to
``/live/socket.io/`` see it at once. Everything Ordercast serves is there below ``/live``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException

from ordercast import Ordercast
from ordercast.errors import Problem
from ordercast.socketio import Socket

live = Ordercast()  # settings from the environment; or Ordercast(Settings(jwt_secret="…"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ordercast runs as long as the application does."""
    async with live:
        yield


app = FastAPI(title="A shop", lifespan=lifespan)


@app.post("/kitchen/{order_id}/{status}")
async def kitchen(order_id: int, status: str) -> dict[str, Any]:
    """Business code: a dish moves along, and everyone concerned learns it."""
    try:
        order = await live.orders.change_status(order_id, status, updated_by="kitchen")
    except Problem as problem:
        raise HTTPException(problem.status, problem.detail) from None
    if order.status == "ready":
        # An event of the shop's own, beside Ordercast's.
        live.io.to(f"user:{order.customer_id}").emit("kitchen:bell", {"orderId": order_id})
    return {"orderId": order_id, "status": order.status, "version": order.version}


@live.io.on("kitchen:ping")
def ping(socket: Socket, *_: Any) -> str:
    """A handler of the shop's own; what it returns is the acknowledgement."""
    return f"pong for {socket.data.principal.user_id}"


app.mount("/live", live.asgi)
