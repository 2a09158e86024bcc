"""The recipe on python-socketio, uvicorn and uvloop, as their documentation has it. Orders live in memory."""

from __future__ import annotations

import gc
import os
import sys
import time
from itertools import count, islice
from typing import Any

import jwt
import socketio
import uvicorn
from fastapi import FastAPI, Header, HTTPException

SECRET = os.environ["JWT_SECRET"]
io = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
app = FastAPI()
orders: dict[str, dict[str, Any]] = {}


def _user(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"])
    return claims


@io.event  # type: ignore[untyped-decorator]
async def connect(sid: str, environ: dict[str, Any], auth: dict[str, Any] | None) -> None:
    """Verifies the token and puts the socket into its rooms."""
    try:
        user = _user((auth or {})["token"])
    except (KeyError, jwt.InvalidTokenError):
        raise socketio.exceptions.ConnectionRefusedError("Invalid token") from None
    await io.enter_room(sid, f"user:{user['userId']}")
    if user["role"] in ("operator", "admin"):
        await io.enter_room(sid, "operators")


@app.post("/api/orders", status_code=201)
async def create(body: dict[str, Any], authorization: str = Header()) -> dict[str, Any]:
    """A new order."""
    _user(authorization.removeprefix("Bearer "))
    id = len(orders) + 1
    orders[str(id)] = {"orderId": id, "customerId": body["customerId"], "status": "received", "version": 1}
    return orders[str(id)]


@app.patch("/api/orders/{id}")
async def patch(id: str, body: dict[str, Any], authorization: str = Header()) -> dict[str, Any]:
    """A changed status, told to whom it concerns."""
    user = _user(authorization.removeprefix("Bearer "))
    order = orders.get(id)
    if order is None:
        raise HTTPException(404)
    order["status"] = body["status"]
    order["version"] += 1
    told = {
        "orderId": order["orderId"],
        "status": order["status"],
        "updatedAt": time.time(),
        "version": order["version"],
    }
    await io.emit("order:updated", told, room=[f"user:{order['customerId']}", f"order:{id}"])
    more = {"customerId": order["customerId"], "updatedBy": user["userId"]}
    await io.emit("order:status_changed", {**told, **more}, room="operators")
    return order


emitted = count(1)


@app.post("/bench/burst")
async def burst(n: int) -> dict[str, Any]:
    """``n`` events to the operators, as fast as this library takes them."""
    for number in islice(emitted, n):
        event = {"orderId": number, "status": "ready", "customerId": 42, "updatedBy": "bench"}
        event |= {"updatedAt": time.time(), "version": 1, "position": number}
        await io.emit("order:status_changed", event, room="operators")
    return {}


@app.post("/bench/collect")
async def collect() -> dict[str, Any]:
    """A heap without garbage."""
    gc.collect()
    return {}


if __name__ == "__main__":
    uvicorn.run(socketio.ASGIApp(io, app), port=int(sys.argv[1]), loop="uvloop", log_level="warning", access_log=False)
