"""Webhooks over REST: endpoints, what did not arrive, and trying it again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Response

from ordercast.api.context import Caller, Parts, json_response
from ordercast.api.description import problems
from ordercast.api.strict import StrictRoute
from ordercast.api.webhook_schemas import (
    AddWebhook,
    DeliveryList,
    NewWebhookView,
    PatchWebhook,
    Resend,
    Resent,
    RotateSecret,
    TestView,
    WebhookList,
    WebhookView,
)
from ordercast.errors import Forbidden, Invalid
from ordercast.orders.principal import Role
from ordercast.webhooks.models import Tally
from ordercast.webhooks.service import MAX_PAGE
from ordercast.webhooks.views import answer_view, delivery_view, endpoint_view, secret_view


async def _may(caller: Caller) -> None:
    if caller.role not in (Role.SERVICE, Role.ADMIN) or caller.shops is not None:
        raise Forbidden("Webhooks are for the shop's backend and admins, of all shops.")


router = APIRouter(
    prefix="/api/webhooks",
    tags=["webhooks"],
    route_class=StrictRoute,
    dependencies=[Depends(_may)],
    responses=problems(400, 401, 403, 404, 409, 413, 422, 503),
)

WebhookId = Annotated[str, Path(alias="id", max_length=64, description="The webhook's id")]


@router.get("", response_model=WebhookList)
async def list_webhooks(parts: Parts) -> Response:
    """All webhooks, and how each does."""
    return json_response({"webhooks": [endpoint_view(*found) for found in await parts.webhooks.all()]})


@router.post("", status_code=201, response_model=NewWebhookView)
async def add_webhook(body: AddWebhook, parts: Parts) -> Response:
    """Adds a webhook, which gets what happens from now on. The answer holds its secret, this once."""
    made = await parts.webhooks.add(body.url, body.events, body.shops, body.description, body.enabled)
    return json_response(secret_view(made, Tally()), 201)


@router.get("/{id}", response_model=WebhookView)
async def get_webhook(id: WebhookId, parts: Parts) -> Response:
    """One webhook, and how it does."""
    return json_response(endpoint_view(*await parts.webhooks.get(id)))


@router.patch("/{id}", response_model=WebhookView)
async def patch_webhook(id: WebhookId, body: PatchWebhook, parts: Parts) -> Response:
    """Changes a webhook. One that is enabled again goes on where it was."""
    values = body.values()
    if not values:
        raise Invalid("Name at least one of url, events, shops, description and enabled.")
    await parts.webhooks.change(id, values)
    return json_response(endpoint_view(*await parts.webhooks.get(id)))


@router.delete("/{id}", status_code=204, response_model=None)
async def remove_webhook(id: WebhookId, parts: Parts) -> Response:
    """Removes a webhook, and all that waits for it."""
    await parts.webhooks.remove(id)
    return Response(status_code=204)


@router.post("/{id}/rotate", response_model=NewWebhookView)
async def rotate(id: WebhookId, parts: Parts, body: RotateSecret | None = None) -> Response:
    """Gives it a new secret, shown this once. The old one signs beside it for a while, so that none is refused."""
    rotated = await parts.webhooks.rotate(id, (body or RotateSecret()).overlap)
    return json_response(secret_view(rotated, (await parts.webhooks.get(id))[1]))


@router.get("/{id}/deliveries", response_model=DeliveryList)
async def deliveries(
    id: WebhookId,
    parts: Parts,
    state: Annotated[Literal["dead", "waiting"], Query(description="Given up, or tried again later")] = "dead",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    after: Annotated[str | None, Query(max_length=255, description="The `next` of the page before")] = None,
) -> Response:
    """Messages that did not arrive, the oldest first."""
    endpoint, found = await parts.webhooks.deliveries(id, state, after, limit)
    views = [delivery_view(endpoint, one, parts.log.log_id) for one in found]
    return json_response({"deliveries": views, "next": views[-1]["messageId"] if len(views) == limit else None})


@router.post("/{id}/resend", response_model=Resent)
async def resend(id: WebhookId, parts: Parts, body: Resend | None = None) -> Response:
    """Has dead messages tried again: these, or all. They arrive after newer ones of their orders."""
    return json_response({"resent": await parts.webhooks.resend(id, None if body is None else body.message_ids)})


@router.post("/{id}/test", response_model=TestView)
async def test(id: WebhookId, parts: Parts) -> Response:
    """Sends a message of type `webhook.test` now, once, and tells what the receiver said."""
    return json_response(answer_view(await parts.webhooks.test(id)))
