"""What requests about webhooks, and the answers, look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ordercast.api.schemas import Body, Id, Text
from ordercast.webhooks.models import TYPES

# What a pattern can say of it; `ordercast.webhooks.addresses` has the rest.
_URL = {"pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@\s\u0000]+([/?][^#\s\u0000]*)?#?$"}
Url = Annotated[Text, Field(max_length=2_048, json_schema_extra=_URL)]
# Looked at by the service, whose words say which there are.
Event = Annotated[str, Field(json_schema_extra={"enum": list(TYPES)})]
Events = Annotated[list[Event], Field(min_length=1, max_length=16)]
Shops = Annotated[list[Id], Field(min_length=1, max_length=500)]
Description = Annotated[Text, Field(max_length=500)]
Switch = Annotated[bool, Field(strict=True)]
MessageIds = Annotated[list[Annotated[str, Field(max_length=255)]], Field(min_length=1, max_length=500)]
WEEK = 7 * 86_400


class AddWebhook(Body):
    """``POST /api/webhooks``. `events` left out: all of them; `shops` left out or `null`: orders of all shops."""

    url: Url
    events: Events | None = None
    shops: Shops | None = None
    description: Description = ""
    enabled: Switch = True


class PatchWebhook(Body):
    """``PATCH /api/webhooks/{id}``: what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    url: Url = ""
    events: Events | None = None
    shops: Shops | None = None
    description: Description = ""
    enabled: Switch = True

    def values(self) -> dict[str, Any]:
        """What the body names."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class RotateSecret(Body):
    """``POST /api/webhooks/{id}/rotate``: seconds that the old secret signs on beside the new one."""

    overlap: Annotated[int, Field(ge=0, le=WEEK, strict=True)] = 86_400


class Resend(Body):
    """``POST /api/webhooks/{id}/resend``: these dead messages; left out: all."""

    message_ids: MessageIds | None = None


class _View(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class WebhookView(_View):
    """A webhook. `waiting` and `dead`: messages that failed and are tried again, and that are not any more."""

    id: str
    url: str
    description: str
    events: list[Literal["order.created", "order.status_changed", "order.changed"]]
    shops: list[int | str] | None
    enabled: bool
    problem: str | None
    old_secret_until: str | None
    position: int
    waiting: int
    dead: int
    created_at: str


class NewWebhookView(WebhookView):
    """With its secret, which is shown this once."""

    secret: str


class WebhookList(_View):
    """All of them."""

    webhooks: list[WebhookView]


class DeliveryView(_View):
    """A message that did not arrive: what the receiver said last, and when it is tried again."""

    message_id: str
    type: str
    order_id: int | str
    position: int
    at: str
    state: Literal["waiting", "dead"]
    attempts: int
    next_attempt_at: str | None
    status: int | None
    reason: str
    answer: str


class DeliveryList(_View):
    """A page; `next` is the `after` of the one behind it."""

    deliveries: list[DeliveryView]
    next: str | None


class Resent(_View):
    """How many are tried again."""

    resent: int


class TestView(_View):
    """What the receiver said to a test message."""

    delivered: bool
    status: int | None
    reason: str
    answer: str
