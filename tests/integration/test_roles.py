"""The OpenAPI document says of each route which roles may use it; so it is."""

from __future__ import annotations

from typing import Any

from scripts.openapi import openapi
from tests.harness import Json, ServerProcess, token

ROLES = ("customer", "operator", "admin", "service")

# What a route takes: whoever may not use it is refused whatever they send, which is not so of what cannot be read.
BODIES: dict[str, Json] = {
    "POST /api/orders": {"customerId": 42},
    "PUT /api/orders/{id}": {"customerId": 42},
    "PATCH /api/orders/{id}": {"note": "knock"},
    "PUT /api/board": {"targets": {}},
    "POST /api/emit": {"rooms": ["user:42"], "event": "kitchen:bell"},
    "POST /api/tokens/revoke": {"tokenId": "none"},
    "POST /api/webhooks": {"url": "https://93.184.216.34/"},
    "PATCH /api/webhooks/{id}": {"enabled": True},
    "POST /api/webhooks/{id}/resend": {},
    "POST /api/webhooks/{id}/rotate": {},
}
OURS = {"/api/orders/{id}": "/api/orders/17", "/api/customers/{id}": "/api/customers/nobody"}


def operations() -> dict[str, list[str]]:
    """Roles by route, of all that take a token."""
    return {
        f"{method.upper()} {path}": operation["x-roles"]
        for path, methods in openapi()["paths"].items()
        for method, operation in methods.items()
        if "x-roles" in operation
    }


async def test_every_route_is_for_those_that_it_says(fresh_server: ServerProcess) -> None:
    routes = {route: roles for route, roles in operations().items() if roles}
    assert len(routes) > 25
    async with fresh_server.api() as api:
        await api.create(orderId=17)
        for route, roles in routes.items():
            method, path = route.split()
            for of, ours in OURS.items():
                path = path.replace(of, ours)
            asked: dict[str, Any] = {"json": BODIES[route]} if route in BODIES else {}
            let_in = []
            for role in ROLES:
                headers = {"Authorization": f"Bearer {token(42, role)}"}
                answer = await api.client.request(method, path.replace("{id}", "none"), headers=headers, **asked)
                assert answer.status_code not in (400, 401, 422), (route, role, answer.text)
                if answer.status_code != 403:
                    let_in.append(role)
            assert let_in == roles, route


def test_what_is_signed_has_no_roles() -> None:
    assert [route for route, roles in operations().items() if not roles] == ["POST /api/hooks/{source}"]
