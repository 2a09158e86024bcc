"""A shop's own FastAPI application with live orders inside it.

    export ORDERCAST_JWT_SECRET=$(python3 -c "import secrets; print(secrets.token_urlsafe(48))")
    uvicorn --app-dir examples/fastapi_shop fastapi_shop:app

http://127.0.0.1:8000 is its page, for ``ana`` (a customer) and ``kim`` (in the kitchen), both with the password
``margherita``. Its business code changes a status with one call; customers and operators who are connected to
``/live/socket.io/`` see it at once. Everything Ordercast serves is there below ``/live``.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, Field

from ordercast import Ordercast
from ordercast.auth import sign_token
from ordercast.errors import AuthError, Problem
from ordercast.orders.ids import json_id
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role
from ordercast.socketio import Socket

PAGE = Path(__file__).parent.parent / "page.html"
SIGNED_IN_FOR = 12 * 3600.0  # s: a working day
SHOP = Principal("shop", Role.SERVICE)
"""Who the shop's own code is."""

# In your shop these are in its database, and the passwords hashed: (user id, role, password).
PEOPLE = {"ana": (42, Role.CUSTOMER, "margherita"), "kim": (7, Role.OPERATOR, "margherita")}

live = Ordercast()  # settings from the environment; or Ordercast(Settings(jwt_secret="…"))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Ordercast runs as long as the application does."""
    async with live:
        yield


app = FastAPI(title="A shop", lifespan=lifespan)


class SignIn(BaseModel):
    """What somebody types."""

    name: str
    password: str


class Wish(BaseModel):
    """What a customer orders."""

    dish: Annotated[str, Field(min_length=1, max_length=80)]


async def caller(authorization: Annotated[str | None, Header()] = None) -> Principal:
    """Who has signed in."""
    try:
        return await live.authenticate(authorization)
    except AuthError as error:
        raise HTTPException(401, str(error)) from None


Caller = Annotated[Principal, Depends(caller)]


@app.exception_handler(Problem)
async def problem(request: Request, problem: Problem) -> JSONResponse:
    """What Ordercast says no to, in its own words: no such order, a step that the workflow does not have …"""
    return JSONResponse({"detail": problem.detail}, problem.status)


@app.get("/", include_in_schema=False)
async def page() -> FileResponse:
    """The shop's page."""
    return FileResponse(PAGE)


@app.post("/login")
async def login(who: SignIn) -> dict[str, str]:
    """A token, which opens the shop's routes and Ordercast's alike."""
    user_id, role, password = PEOPLE.get(who.name, (0, Role.CUSTOMER, ""))
    if not password or not secrets.compare_digest(password.encode(), who.password.encode()):
        raise HTTPException(401, "Wrong name or password.")
    return {"token": sign_token(live.settings, user_id, role, SIGNED_IN_FOR), "role": role}


@app.post("/orders", status_code=201)
async def place(wish: Wish, caller: Caller) -> dict[str, Any]:
    """Business code: a new order, which its customer and the operators learn of."""
    written = await live.orders.create(NewOrder(customer_id=caller.user_id, items=[{"name": wish.dish}]), SHOP)
    return {"orderId": json_id(written.order.order_id)}


@app.post("/kitchen/{order_id}/{status}")
async def kitchen(order_id: str, status: str, caller: Caller) -> dict[str, Any]:
    """Business code: a dish moves along, and everyone concerned learns it."""
    if not caller.is_operator:
        raise HTTPException(403, "Only the kitchen does that.")
    order = await live.orders.change_status(order_id, status, updated_by=caller.user_id)
    if order.status == "ready":
        # An event of the shop's own, beside Ordercast's.
        live.io.to(f"user:{order.customer_id}").emit("kitchen:bell", {"orderId": json_id(order.order_id)})
    return {"orderId": json_id(order.order_id), "status": order.status, "version": order.version}


@live.io.on("kitchen:ping")
def ping(socket: Socket, *_: Any) -> str:
    """A handler of the shop's own; what it returns is the acknowledgement."""
    return f"pong for {socket.data.principal.user_id}"


app.mount("/live", live.asgi)
