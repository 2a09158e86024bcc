"""What FastAPI cannot know of the API, put into its OpenAPI document: the form of problems, and how tokens come."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from ordercast.api.views import ProblemView

_PROBLEM = {"schema": {"$ref": f"#/components/schemas/{ProblemView.__name__}"}}
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of the shop's, or a share token",
}


_STAFF, _ADMINS = ("operator", "admin", "service"), ("admin", "service")
_OPERATORS = ("operator", "admin")

_ROLES: dict[str, tuple[str, ...]] = {
    "POST /api/orders": _STAFF,
    "PATCH /api/orders/{id}": _STAFF,
    "PUT /api/orders/{id}": ("service",),
    "POST /api/orders/{id}/contact": _OPERATORS,
    "POST /api/orders/{id}/claim": _OPERATORS,
    "POST /api/orders/{id}/release": _OPERATORS,
    "GET /api/presence": _OPERATORS,
    "GET /api/stats": _OPERATORS,
    "GET /api/board": _OPERATORS,
    "PUT /api/board": ("admin",),
    "POST /api/emit": ("service",),
    "DELETE /api/customers/{id}": _ADMINS,
    "POST /api/tokens/revoke": _ADMINS,
    "POST /api/hooks/{source}": (),  # signed, by who has no token
}
"""Who may use a route at all, where not every role may; the others are refused with 403.
tests/integration/test_roles.py asks each route as each of them."""


def _roles(route: str) -> list[str]:
    """Who may use this one."""
    everybody = ("customer", *_STAFF)
    return list(_ROLES.get(route, _ADMINS if "/api/webhooks" in route else everybody))


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Routes' ``responses`` with a problem for a body. FastAPI would make a model anew for each status of each route,
    which takes a fifth of the time that it takes to import the API."""
    return {status: {"content": {"application/problem+json": _PROBLEM}} for status in statuses}


def install(app: FastAPI) -> None:
    """Has the application describe itself whole."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(made())
        return made()

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI has it done


def _complete(document: dict[str, Any]) -> None:
    components = document["components"]
    components["securitySchemes"] = {"bearer": _BEARER}
    schemas = components["schemas"] | {ProblemView.__name__: ProblemView.model_json_schema()}
    components["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "content" in operation["responses"].get("401", {}):  # only where a token is asked for
                operation["security"] = [{"bearer": []}]
                operation["x-roles"] = _roles(f"{method.upper()} {path}")
