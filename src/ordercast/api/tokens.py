"""Tokens over REST: taking them back. Who makes them is the shop's own backend or its identity provider."""

from __future__ import annotations

from fastapi import APIRouter, Response

from ordercast.api.context import Caller, Idempotency, Parts
from ordercast.api.description import problems
from ordercast.api.schemas import RevokeTokens
from ordercast.api.strict import StrictRoute
from ordercast.errors import Forbidden
from ordercast.orders.principal import Role

router = APIRouter(
    prefix="/api/tokens",
    tags=["tokens"],
    route_class=StrictRoute,
    responses=problems(400, 401, 403, 413, 422, 503),
)


@router.post("/revoke", status_code=204, response_model=None)
async def revoke(body: RevokeTokens, caller: Caller, parts: Parts, key: Idempotency) -> Response:
    """Revokes one token by its `jti`, or all of a user that were issued up to now; open sockets end too.

    Where `iat` is in whole seconds, as most libraries write it, a user's new token counts from the next second on.
    """
    if caller.role not in (Role.SERVICE, Role.ADMIN):
        raise Forbidden("Only the shop's backend and admins revoke tokens.")
    new = True
    if body.user_id is not None:
        new = await parts.revocations.revoke_user(body.user_id, idempotency=key)
    elif body.token_id is not None:
        new = await parts.revocations.revoke_token(body.token_id, idempotency=key)
    return Response(status_code=204, headers={} if new else {"Idempotency-Replayed": "true"})
