"""Webhooks as JSON objects, for REST and the commands alike. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ordercast.orders.ids import json_id
from ordercast.orders.models import iso
from ordercast.webhooks.messages import message_id
from ordercast.webhooks.models import Answer, Delivery, Endpoint, Tally


def endpoint_view(endpoint: Endpoint, tally: Tally) -> dict[str, Any]:
    """An endpoint, without its secrets."""
    untils = [secret.until for secret in endpoint.secrets if secret.until is not None]
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "shops": None if endpoint.shops is None else [json_id(shop) for shop in sorted(endpoint.shops)],
        "enabled": endpoint.enabled,
        "problem": endpoint.problem,
        "oldSecretUntil": time_of(max(untils)) if untils else None,
        "position": endpoint.cursor,
        "waiting": tally.waiting,
        "dead": tally.dead,
        "createdAt": time_of(endpoint.created_at),
    }


def secret_view(endpoint: Endpoint, tally: Tally) -> dict[str, Any]:
    """An endpoint that has just got its secret."""
    return endpoint_view(endpoint, tally) | {"secret": endpoint.secrets[0].value}


def delivery_view(endpoint: Endpoint, one: Delivery, log_id: str) -> dict[str, Any]:
    """A message that did not arrive."""
    return {
        "messageId": message_id(log_id, one.key, endpoint.id),
        "type": one.type,
        "orderId": json_id(one.order_id),
        "position": one.position,
        "at": time_of(one.at),
        "state": one.state,
        "attempts": one.attempts,
        "nextAttemptAt": time_of(one.due) if one.state == "waiting" and one.due else None,
        "status": one.status,
        "reason": one.reason,
        "answer": one.answer,
    }


def answer_view(answer: Answer) -> dict[str, Any]:
    """What a receiver said to a test message."""
    return {"delivered": answer.ok, "status": answer.status, "reason": answer.problem, "answer": answer.body}


def time_of(ms: int) -> str:
    """A time as our JSON has it."""
    return iso(datetime.fromtimestamp(ms / 1000, UTC))
