"""What the Socket.IO events carry, as models: for the documents and the types that are made of them.

The live side says these things by itself and knows none of this; tests/integration/test_event_schemas.py holds each
event of a real server against its model. A new event has its payload here and its entry in
`ordercast.api.event_catalogue`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, with_config
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

from ordercast.api.schemas import ID_SCHEMA
from ordercast.api.views import JsonId, OrderView

_EXACT = ConfigDict(
    extra="forbid", alias_generator=to_camel, validate_by_alias=True, frozen=True, use_attribute_docstrings=True
)

Version = Annotated[int, Field(ge=1, description="The place of the change in the order's life, without holes")]
Position = Annotated[int, Field(ge=0, description="The place in the whole log")]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339 in UTC")]
OrderId = Annotated[int | str, WithJsonSchema(ID_SCHEMA)]
Cursor = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]{1,64}[.][0-9]{1,19}$", description="A place in a log, to come back with: `since`"),
]
Token = Annotated[str, Field(min_length=1, max_length=4_096, description="A JWT, or a share token")]
Seconds = Annotated[int, Field(ge=0, description="Seconds since the epoch")]


class _Payload(BaseModel):
    model_config = _EXACT


# -- what the log holds of orders --------------------------------------------------------------------------------


class OrderUpdated(_Payload):
    """An order has another status, for those who may see that one order."""

    order_id: JsonId
    status: str
    updated_at: Time
    version: Version
    position: Position


class OrderStatusChanged(_Payload):
    """An order has another status, for those who see all of them: also whose it is and who did it."""

    order_id: JsonId
    status: str
    customer_id: JsonId
    updated_by: JsonId | None
    """Who did it; null where that was not said."""
    updated_at: Time
    version: Version
    position: Position


class OrderCreated(OrderView):
    """A new order, whole, and its place in the log."""

    model_config = _EXACT

    position: Position


@with_config(ConfigDict(extra="forbid", alias_generator=to_camel))
class OrderChanges(TypedDict, total=False):
    """Fields of an order with their new values."""

    shop_id: JsonId | None
    customer_id: JsonId
    reference: str | None
    fulfilment: Literal["delivery", "pickup"]
    items: list[Any]
    total: float | None
    currency: str | None
    note: str | None
    contact: dict[str, Any] | None
    expected_at: str | None
    claimed_by: JsonId | None
    first_contact_at: str | None


class OrderChanged(_Payload):
    """What changed of an order besides its status, as far as the hearer may see it."""

    order_id: JsonId
    changes: OrderChanges
    version: Version
    position: Position


class OrderGone(_Payload):
    """The order has become somebody else's: the hearer may not see it any more."""

    order_id: JsonId
    version: Version
    position: Position


# -- watching ----------------------------------------------------------------------------------------------------


class Watching(_Payload):
    """The order is watched from now on, and this is how it stands: every event after `position` will come."""

    order_id: JsonId
    status: str
    version: Version
    position: Position


class WatchDenied(_Payload):
    """The order is not watched. Another's order and one that is not there are the same `not_found`."""

    order_id: JsonId | None
    """Null where what was sent is no id."""
    error: Literal["not_found", "invalid_order_id", "too_many_watches"]


# -- tokens ------------------------------------------------------------------------------------------------------

Refusal = Literal["Authentication required", "Invalid token", "Token expired"]


class TokenExpiring(_Payload):
    """The token in use ends in a minute; `auth:refresh` lets the connection go on."""

    expires_at: Seconds


class TokenRefreshed(_Payload):
    """The connection goes on with the new token."""

    expires_at: Seconds | None


class TokenRefused(_Payload):
    """The new token does not do, or is another user's. The connection goes on with the old one while that lasts."""

    error: Refusal


# -- the board ---------------------------------------------------------------------------------------------------


class BoardChanged(_Payload):
    """An admin has set other targets. Not in the log: who was away asks `GET /api/board` again."""

    targets: dict[str, Annotated[int, Field(ge=1)]]
    """Seconds that an order may take in each status; one that is absent has no target."""


# -- the connection ----------------------------------------------------------------------------------------------


class Auth(BaseModel):
    """What a client says of itself when it connects. Clients of the Socket.IO project add fields of their own."""

    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)

    token: Token | None = None
    """May also be in the query's `token` or the `Authorization` header."""
    since: Cursor | Annotated[int, Field(ge=0)] | None = None
    """Where the client was: what it missed comes first, then `caught_up`; or `resync`. An integer is a position of the
    current log. May also be in the query."""


class ConnectRefused(BaseModel):
    """Why there is no connection: the error of `connect_error`. Clients before 3.0 get the text alone, by `error`."""

    model_config = ConfigDict(extra="forbid")

    message: Literal["Authentication required", "Invalid token", "Token expired", "new_login"]


class CaughtUp(_Payload):
    """All that was missed has been told."""

    position: Position


class Resync(_Payload):
    """What was missed cannot be told whole: fetch what is shown anew."""

    position: Position


class ForceDisconnect(_Payload):
    """The connection ends now, and is not to be made again without a reason."""

    reason: Literal["new_login", "revoked", "token_expired"]
