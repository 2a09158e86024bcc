"""Puts the routes together."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from ordercast.api import (
    board,
    customers,
    description,
    emit,
    events,
    health,
    hooks,
    orders,
    pages,
    presence,
    problems,
    shares,
    tokens,
    webhooks,
)
from ordercast.api.context import Services
from ordercast.api.express import Express
from ordercast.api.limits import BodyLimit
from ordercast.version import __version__


def create_api(services: Services, *, max_body: int, cors_origins: tuple[str, ...] = ()) -> ASGIApp:
    """The REST application. ``max_body`` in bytes; ``cors_origins`` as for Socket.IO."""
    app = documented_api(services, max_body=max_body, cors_origins=cors_origins)
    return Express(app, services, max_body=max_body, cors=bool(cors_origins))


def documented_api(services: Services, *, max_body: int, cors_origins: tuple[str, ...] = ()) -> FastAPI:
    """All of it in FastAPI: what `Express` hands on to, and what ``/docs`` describes."""
    app = FastAPI(
        title="Ordercast",
        version=__version__,
        description="Live order status. Events go out over [Socket.IO](docs/events); this is how orders come in.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    app.add_middleware(BodyLimit, limit=max_body)
    if cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
            max_age=600,
        )
    problems.install(app)
    for module in (orders, shares, customers, events, emit, presence, board, tokens, webhooks, hooks, health):
        app.include_router(module.router)
    app.include_router(board.sign_in_router)
    pages.install(app)
    description.install(app)
    return app
