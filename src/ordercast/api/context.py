"""What routes need: the services, handed in by the composition root, and the caller."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import msgspec
from fastapi import Depends, Header, Request, Response

from ordercast.auth import TokenVerifier
from ordercast.auth.shares import ShareTokens
from ordercast.config_shop import ShopSettings
from ordercast.errors import Invalid, InvalidToken
from ordercast.orders.announcements import view_for
from ordercast.orders.board import Board
from ordercast.orders.models import IdempotencyKey, Order
from ordercast.orders.own_events import OwnEvents
from ordercast.orders.ports import EventLog, OrderRepository, Revocations
from ordercast.orders.presence import NodePresence, Online
from ordercast.orders.principal import Principal
from ordercast.orders.privacy import Privacy
from ordercast.orders.service import OrderService
from ordercast.orders.stats import Stats
from ordercast.orders.workflow import Workflow
from ordercast.webhooks.hooks import Hooks
from ordercast.webhooks.service import WebhookService


class Readiness(Protocol):
    """What ``/health/ready`` asks."""

    async def __call__(self) -> list[str]:
        """What is wrong, one sentence each; empty when ready."""


class Warnings(Protocol):
    """What ``/health/ready`` says besides."""

    def __call__(self) -> Sequence[str]:
        """What is not as it should be although clients may be sent here, one sentence each."""


class Presence(Protocol):
    """What ``GET /api/presence`` asks. Known without waiting."""

    def operators(self) -> Sequence[Online]:
        """Operators and admins online on any node, each once, by id."""

    def presence(self) -> Sequence[NodePresence]:
        """What each node has, this one first."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the routes use."""

    orders: OrderService
    repository: OrderRepository
    log: EventLog
    workflow: Workflow
    verifier: TokenVerifier
    revocations: Revocations
    privacy: Privacy
    own_events: OwnEvents
    presence: Presence
    stats: Stats
    board: Board
    webhooks: WebhookService
    hooks: Hooks
    shares: ShareTokens
    shop: ShopSettings
    ready: Readiness
    metrics: Callable[[], bytes]
    warnings: Warnings = tuple

    async def authenticate(self, token: object) -> Principal:
        """Who a request with this ``Authorization`` is from. Raises `AuthError`.

        Every request is asked here, so that a token which the verifier remembers can be revoked all the same.
        """
        principal = await self.verifier.verify(token)
        if self.revocations.is_revoked(principal):
            raise InvalidToken("revoked")
        return principal

    def step(self, status: str) -> int:
        """The customer-facing step of a status."""
        return self.workflow.step(status)

    def render(self, principal: Principal) -> Callable[[Order], bytes]:
        """How this caller sees an order, as the body of an answer."""
        return lambda order: msgspec.json.encode(view_for(principal, order, self.step))


async def services(request: Request) -> Services:
    """The services of the application that answers. Async, since FastAPI runs plain functions on threads."""
    found: Services = request.app.state.services
    return found


async def caller(request: Request) -> Principal:
    """Who sent the ``Authorization`` header. Raises `AuthError`."""
    parts = await services(request)
    return await parts.authenticate(request.headers.get("authorization"))


Caller = Annotated[Principal, Depends(caller)]
Parts = Annotated[Services, Depends(services)]

KEY_LENGTH = 255
"""Characters of an Idempotency-Key, as Stripe and most others take them."""


async def idempotency_key(
    request: Request,
    principal: Caller,
    key: Annotated[
        str | None,
        Header(alias="Idempotency-Key", max_length=KEY_LENGTH, json_schema_extra={"pattern": r"\S"}),
    ] = None,
) -> IdempotencyKey | None:
    """The request's ``Idempotency-Key``, bound to caller, route and body.

    https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
    """
    if key is None:
        return None
    if not key.strip():
        raise Invalid("Idempotency-Key is empty: send a unique value, for example a UUID, or leave the header out")
    return bound_key(key, principal, request.method, request.url.path, await request.body())


def bound_key(key: str, principal: Principal, method: str, path: str, body: bytes) -> IdempotencyKey:
    """A key, bound to caller, route and body."""
    # The shops count too: the same user with other ones is another caller.
    shops = "" if principal.shops is None else hashlib.sha256(",".join(sorted(principal.shops)).encode()).hexdigest()
    scope = f"{principal.role.value}:{principal.user_id}:{shops} {method} {path}"
    return IdempotencyKey(scope, key, hashlib.sha256(body).hexdigest())


Idempotency = Annotated[IdempotencyKey | None, Depends(idempotency_key)]


def json_response(body: bytes | Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer from ready bytes or from data."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(content, status, media_type="application/json", headers=headers)
