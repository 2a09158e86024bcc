"""What requests look like: unknown fields are refused, ids are integers or strings, times carry a zone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from ordercast.api.strict import shallow
from ordercast.auth.claims import MAX_TOKEN_ID
from ordercast.orders.board import MAX_TARGET
from ordercast.orders.ids import parse_id
from ordercast.orders.models import Fulfilment, NewOrder

ID_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"}]}


def _id(value: Any) -> str:
    id = parse_id(value)
    if id is None:
        raise ValueError("must be an integer from 0 up, or a string of 1 to 64 of A-Z a-z 0-9 _ . : -")
    return id


Id = Annotated[str, BeforeValidator(_id), WithJsonSchema(ID_SCHEMA)]
PathId = Annotated[str, AfterValidator(_id), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"})]


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def _no_number(value: Any) -> Any:
    """pydantic takes numbers, also in texts, for seconds or milliseconds, whichever they look like."""
    if not isinstance(value, (str, datetime)) or (isinstance(value, str) and "-" not in value[1:]):
        raise ValueError("must be a time as RFC 3339 has it, such as 2026-01-02T18:04:05Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]
Text = Annotated[str, AfterValidator(_no_nul), Field(json_schema_extra={"pattern": r"^[^\u0000]*$"})]
Note = Annotated[Text, Field(max_length=2_000)]
Reference = Annotated[Text, Field(min_length=1, max_length=128)]
Reason = Annotated[Text, Field(max_length=500)]
Items = Annotated[list[Any], AfterValidator(shallow), Field(max_length=500)]
Contact = Annotated[dict[str, Any], AfterValidator(shallow)]
Status = Annotated[str, Field(min_length=1, max_length=64)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, validate_by_alias=True, frozen=True)


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


class CreateOrder(Body):
    """``POST /api/orders``."""

    customer_id: Id
    order_id: Id | None = None
    shop_id: Id | None = None
    reference: Reference | None = None
    fulfilment: Fulfilment = Fulfilment.DELIVERY
    items: Items = Field(default_factory=list)
    total: Annotated[float, Field(ge=0, lt=1e12, allow_inf_nan=False), BeforeValidator(_no_flag)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    note: Note | None = None
    contact: Contact | None = None
    expected_at: Time | None = None

    def to_domain(self) -> NewOrder:
        """The domain's form."""
        return NewOrder(**{name: getattr(self, name) for name in type(self).model_fields})


class PutOrder(CreateOrder):
    """``PUT /api/orders/{id}``: whole. A field that is left out gets its default, as in ``POST``; ``status`` and
    ``createdAt`` stay as they are."""

    status: Status | None = None
    created_at: Time | None = None
    updated_by: Id | None = None
    reason: Reason | None = None

    def to_domain(self) -> NewOrder:
        told = CreateOrder.model_fields.keys() | {"created_at"}
        return NewOrder(**{name: getattr(self, name) for name in told})


class PatchOrder(Body):
    """``PATCH /api/orders/{id}``: what is absent stays; ``null`` clears ``expectedAt``, ``note`` and ``contact``."""

    status: Status | None = None
    expected_at: Time | None = None
    note: Note | None = None
    contact: Contact | None = None
    expected_version: Annotated[int, Field(ge=1, strict=True)] | None = None
    reason: Reason | None = None
    updated_by: Id | None = None
    force: Annotated[bool, Field(strict=True)] = False

    def fields(self) -> dict[str, Any]:
        """The order's fields that the body names, with their new values."""
        return {
            name: getattr(self, name) for name in ("expected_at", "note", "contact") if name in self.model_fields_set
        }


class ClaimOrder(Body):
    """``POST /api/orders/{id}/claim``: ``from`` is whom it is taken over from, who must have it; absent: nobody may."""

    take_from: Id | None = Field(default=None, alias="from")


class BoardSettings(Body):
    """``PUT /api/board``: seconds that an order may take in each status; `null` or absent: as long as it likes."""

    targets: dict[str, Annotated[int, Field(ge=1, le=MAX_TARGET, strict=True)] | None]


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be printable, as a token's jti has to be")
    return value


_ONE_OF_TWO: Any = [
    {"required": ["userId"], "properties": {"userId": ID_SCHEMA, "tokenId": {"type": "null"}}},
    {"required": ["tokenId"], "properties": {"userId": {"type": "null"}, "tokenId": {"type": "string"}}},
]


class RevokeTokens(Body):
    """``POST /api/tokens/revoke``: either all tokens of a user, or one token by its ``jti``."""

    model_config = ConfigDict(json_schema_extra={"anyOf": _ONE_OF_TWO})

    user_id: Id | None = None
    token_id: Annotated[str, AfterValidator(_printable), Field(min_length=1, max_length=MAX_TOKEN_ID)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.user_id is None) == (self.token_id is None):
            raise ValueError("name either userId or tokenId")
        return self
