"""Share links: one order, read-only, for whoever has the link."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from ordercast.api.context import Caller, Parts, json_response
from ordercast.api.description import problems
from ordercast.api.orders import OrderId
from ordercast.api.views import ShareView
from ordercast.errors import Forbidden
from ordercast.orders.models import iso

router = APIRouter(
    prefix="/api",
    tags=["orders"],
    responses=problems(401, 403, 404, 422, 503),
)


@router.post("/orders/{id}/share", response_model=ShareView)
async def share(id: OrderId, caller: Caller, parts: Parts, request: Request) -> Response:
    """Makes a link to the order for people without a login. Read-only, and without what is personal.

    It stores nothing, so that asking twice gives two links that both work. They end early where the order becomes
    another customer's. To take one back, send its `shareToken`
    as the `tokenId` of `POST /api/tokens/revoke`.
    """
    order = await parts.orders.get(id, caller)
    if caller.is_guest:
        raise Forbidden("A share link makes no others. Ask the shop for one.")
    made = parts.shares.issue(order.order_id, order.customer_id)
    base = parts.shop.public_url or _reached_at(request)
    answer = {
        "shareToken": made.token,
        "url": track_url(base, made.token),
        "expiresAt": iso(datetime.fromtimestamp(made.expires_at, UTC)),
    }
    return json_response(answer, headers={"Cache-Control": "no-store"})


def track_url(base: str, share_token: str) -> str:
    """Where a share link leads; ``base`` is the server's address without a slash at its end."""
    return f"{base}/track/{share_token}"


def _reached_at(request: Request) -> str:
    """The server's address as the request had it. Not ``base_url``, which leaves out where we are mounted."""
    root: str = request.scope.get("root_path", "")
    return f"{request.url.scheme}://{request.url.netloc}{root}"
