"""``GET /api/presence``: who may ask, and what each caller sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.orders.principal import Principal, Role
from ordercast.testing import memory_storage
from tests.rest import MAX_BODY, Headers, Side, ask, bearer

ONLINE = (
    Principal("7", Role.OPERATOR),
    Principal("7", Role.OPERATOR),
    Principal("ada", Role.ADMIN),
    Principal("nora", Role.OPERATOR, shops=frozenset({"north", "east"})),
    Principal("sam", Role.OPERATOR, shops=frozenset({"south"})),
    Principal("42", Role.CUSTOMER),
    Principal("shop", Role.SERVICE),
)


@pytest.fixture
def app() -> ASGIApp:
    side = Side(memory_storage())
    for principal in ONLINE:
        side.monitor.came(principal)
    return create_api(side.services, max_body=MAX_BODY)


async def presence(app: ASGIApp, headers: Headers) -> tuple[int, Any]:
    status, _, body = await ask(app, "GET", "/api/presence", headers=headers)
    return status, json.loads(body)


@pytest.mark.parametrize("role", ["operator", "admin"])
async def test_all_shops(app: ASGIApp, role: str) -> None:
    assert await presence(app, bearer(role)) == (
        200,
        {
            "connections": 7,
            "operatorsOnline": 4,
            "operators": [
                {"userId": 7, "role": "operator"},
                {"userId": "ada", "role": "admin"},
                {"userId": "nora", "role": "operator"},
                {"userId": "sam", "role": "operator"},
            ],
            "nodes": [{"node": "n1", "connections": 7, "operators": 4}],
        },
    )


@pytest.mark.parametrize(
    ("shops", "seen"),
    [
        (["north"], [7, "ada", "nora"]),
        (["south"], [7, "ada", "sam"]),
        (["south", "east"], [7, "ada", "nora", "sam"]),
        (["west"], [7, "ada"]),
        ([], [7, "ada"]),
    ],
)
@pytest.mark.parametrize("role", ["operator", "admin"])
async def test_some_shops(app: ASGIApp, role: str, shops: list[str], seen: list[int | str]) -> None:
    status, answer = await presence(app, bearer(role, shops=shops))
    assert status == 200
    assert answer.keys() == {"operatorsOnline", "operators"}, "figures of all shops are not for these"
    assert [operator["userId"] for operator in answer["operators"]] == seen
    assert answer["operatorsOnline"] == len(seen)


@pytest.mark.parametrize(("headers", "status"), [(bearer("customer"), 403), (bearer("service"), 403), ([], 401)])
async def test_who_may_not(app: ASGIApp, headers: Headers, status: int) -> None:
    found, answer = await presence(app, headers)
    assert found == answer["status"] == status
    assert answer.keys() == {"type", "title", "status", "detail"}
