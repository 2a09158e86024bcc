"""What the board needs besides orders: the day's figures, its settings, and how one signs in."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response

from ordercast.api.context import Caller, Parts, json_response
from ordercast.api.description import problems
from ordercast.api.schemas import BoardSettings
from ordercast.api.strict import StrictRoute
from ordercast.api.views import BoardView, SignInView, StatsView
from ordercast.orders.ids import json_id
from ordercast.orders.principal import Principal

router = APIRouter(
    prefix="/api",
    tags=["board"],
    route_class=StrictRoute,
    responses=problems(400, 401, 403, 413, 422, 503),
)
sign_in_router = APIRouter(tags=["board"])


@router.get("/stats", response_model=StatsView, responses=problems(501))
async def stats(caller: Caller, parts: Parts) -> Response:
    """Figures of today, a second old at most: a caller whose token names shops sees theirs."""
    return json_response(await parts.stats.today(caller))


@router.get("/board", response_model=BoardView)
async def board(caller: Caller, parts: Parts) -> Response:
    """How long an order may take in each status, and who asks."""
    return _answer(await parts.board.targets(caller), caller)


@router.put("/board", response_model=BoardView)
async def set_board(body: BoardSettings, caller: Caller, parts: Parts) -> Response:
    """Sets how long an order may take, for every board: for admins of all shops."""
    return _answer(await parts.board.set_targets(body.targets, caller), caller)


def _answer(targets: Mapping[str, int], caller: Principal) -> Response:
    shops = None if caller.shops is None else [json_id(shop) for shop in sorted(caller.shops)]
    me = {"userId": json_id(caller.user_id), "role": caller.role.value, "shops": shops}
    return json_response({"targets": targets, "me": me})


@sign_in_router.get("/board/sign-in.json", response_model=SignInView)
async def sign_in(parts: Parts) -> Response:
    """How one signs in here, for who has no token yet."""
    shop = parts.shop
    found = {"shopName": shop.shop_name, "loginUrl": shop.login_url, "refreshUrl": shop.refresh_url}
    return json_response(found, headers={"Cache-Control": "no-cache"})
