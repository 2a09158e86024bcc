"""``GET /api/presence``: who is online, over all nodes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from ordercast.api.context import Caller, Parts, json_response
from ordercast.api.description import problems
from ordercast.api.views import PresenceView
from ordercast.errors import Forbidden
from ordercast.orders.ids import json_id

router = APIRouter(prefix="/api", tags=["presence"], responses=problems(401, 403, 503))


@router.get("/presence", response_model=PresenceView)
async def presence(caller: Caller, parts: Parts) -> Response:
    """Who is online. A caller whose token names shops sees those who share one with it, and those who have all shops.

    `connections` and `nodes` count customers and operators of every shop, so they are for callers who have all shops.
    """
    if not caller.is_operator:
        raise Forbidden("Only operators and admins see who is online.")
    operators = [online for online in parts.presence.operators() if online.seen_by(caller)]
    answer: dict[str, Any] = {
        "operatorsOnline": len(operators),
        "operators": [{"userId": json_id(online.user_id), "role": online.role.value} for online in operators],
    }
    if caller.shops is None:
        nodes = [
            {"node": node.node, "connections": node.connections, "operators": node.operators}
            for node in parts.presence.presence()
        ]
        answer["nodes"] = nodes
        answer["connections"] = sum(node["connections"] for node in nodes)
    return json_response(answer)
