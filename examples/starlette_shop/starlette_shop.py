"""A shop's own Starlette application with live orders inside it.

    export ORDERCAST_JWT_SECRET=$(python3 -c "import secrets; print(secrets.token_urlsafe(48))")
    uvicorn --app-dir examples/starlette_shop starlette_shop:app

http://127.0.0.1:8000 is its page, for ``ana`` (a customer) and ``kim`` (in the kitchen), both with the password
``margherita``. Everything Ordercast serves is there below ``/live``.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from ordercast import Ordercast
from ordercast.auth import sign_token
from ordercast.errors import AuthError, Problem
from ordercast.orders.ids import json_id
from ordercast.orders.models import NewOrder
from ordercast.orders.principal import Principal, Role

PAGE = Path(__file__).parent.parent / "page.html"
SIGNED_IN_FOR = 12 * 3600.0  # s: a working day
SHOP = Principal("shop", Role.SERVICE)
"""Who the shop's own code is."""

# In your shop these are in its database, and the passwords hashed: (user id, role, password).
PEOPLE = {"ana": (42, Role.CUSTOMER, "margherita"), "kim": (7, Role.OPERATOR, "margherita")}

live = Ordercast()  # settings from the environment; or Ordercast(Settings(jwt_secret="…"))


async def page(request: Request) -> Response:
    """The shop's page."""
    return FileResponse(PAGE)


async def login(request: Request) -> Response:
    """A token, which opens the shop's routes and Ordercast's alike."""
    body = await said(request)
    user_id, role, password = PEOPLE.get(str(body.get("name")), (0, Role.CUSTOMER, ""))
    if not password or not secrets.compare_digest(password.encode(), str(body.get("password")).encode()):
        raise HTTPException(401, "Wrong name or password.")
    return JSONResponse({"token": sign_token(live.settings, user_id, role, SIGNED_IN_FOR), "role": role})


async def place(request: Request) -> Response:
    """Business code: a new order, which its customer and the operators learn of."""
    caller = await signed_in(request)
    dish = (await said(request)).get("dish")
    if not isinstance(dish, str) or not 0 < len(dish) <= 80:
        raise HTTPException(422, "dish: must be 1 to 80 characters.")
    written = await live.orders.create(NewOrder(customer_id=caller.user_id, items=[{"name": dish}]), SHOP)
    return JSONResponse({"orderId": json_id(written.order.order_id)}, 201)


async def kitchen(request: Request) -> Response:
    """Business code: a dish moves along, and everyone concerned learns it."""
    caller = await signed_in(request)
    if not caller.is_operator:
        raise HTTPException(403, "Only the kitchen does that.")
    order_id, status = request.path_params["order_id"], request.path_params["status"]
    order = await live.orders.change_status(order_id, status, updated_by=caller.user_id)
    return JSONResponse({"orderId": json_id(order.order_id), "status": order.status, "version": order.version})


async def signed_in(request: Request) -> Principal:
    """Who has signed in."""
    try:
        return await live.authenticate(request.headers.get("authorization"))
    except AuthError as error:
        raise HTTPException(401, str(error)) from None


async def said(request: Request) -> dict[str, Any]:
    """The body of a request."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return body


async def refused(request: Request, error: Exception) -> Response:
    """What Ordercast says no to, and what we do, in words."""
    if isinstance(error, Problem):
        return JSONResponse({"detail": error.detail}, error.status)
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Ordercast runs as long as the application does."""
    async with live:
        yield


app = Starlette(
    routes=[
        Route("/", page),
        Route("/login", login, methods=["POST"]),
        Route("/orders", place, methods=["POST"]),
        Route("/kitchen/{order_id}/{status}", kitchen, methods=["POST"]),
        Mount("/live", live.asgi),
    ],
    exception_handlers={Problem: refused, HTTPException: refused},
    lifespan=lifespan,
)
