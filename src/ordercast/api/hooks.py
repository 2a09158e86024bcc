"""Signed messages of the shop's other systems: an order as it is, or its status."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from ordercast.api.context import Parts, Services, json_response
from ordercast.api.description import problems
from ordercast.api.schemas import Body, Id, PutOrder, Reason, Status
from ordercast.api.strict import StrictRoute, decode
from ordercast.errors import Invalid
from ordercast.orders.principal import Principal, Role

B = TypeVar("B", bound=BaseModel)

router = APIRouter(
    prefix="/api/hooks",
    tags=["webhooks"],
    route_class=StrictRoute,
    responses=problems(400, 401, 404, 409, 413, 422, 503),
)


class HookStatus(Body):
    """The ``data`` of an ``order.status``: any status of the workflow, as with ``PUT``."""

    order_id: Id
    status: Status
    updated_by: Id | None = None
    reason: Reason | None = None
    expected_version: Annotated[int, Field(ge=1, strict=True)] | None = None


class HookTaken(BaseModel):
    """``replayed``: the same message came before, and nothing was changed."""

    replayed: bool


_BODY = {"type": "object", "description": "An order as in PUT with its `orderId`, or `{type, data}`"}
_SIGNED = {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}}


@router.post("/{source}", response_model=HookTaken, openapi_extra=_SIGNED)
async def take(source: Annotated[str, Path(max_length=64)], request: Request, parts: Parts) -> Response:
    """Takes a message signed after the Standard Webhooks specification: an order in the form of `PUT
    /api/orders/{id}` with its `orderId`, or `{type, data}` with that as an `order.upsert`, or with `{orderId, status}`
    as an `order.status`. The same `webhook-id` again changes nothing."""
    raw = await request.body()
    id = parts.hooks.verify(source, request.headers, raw)
    message = _read(raw)
    new = await parts.hooks.begin(source, id, raw)
    if new:
        await _do(parts, Principal(user_id=f"hook:{source}", role=Role.SERVICE), message)
        await parts.hooks.done(source, id)
    return json_response({"replayed": not new})


def _read(body: bytes) -> dict[str, Any]:
    """The message. Raises `RequestValidationError`, `Invalid`."""
    try:
        message = decode(body)
    except ValueError as error:
        said = {"type": "json_invalid", "loc": ("body",), "msg": "JSON", "ctx": {"error": str(error)}}
        raise RequestValidationError([said]) from None
    if not isinstance(message, dict):
        raise Invalid("Send a JSON object: an order, or {type, data}.")
    return message


async def _do(parts: Services, by: Principal, message: dict[str, Any]) -> None:
    type, data = message.get("type", "order.upsert"), message.get("data", message)
    where = ("body", "data") if "data" in message else ("body",)
    match type:
        case "order.upsert":
            order = _parsed(PutOrder, data, where)
            if order.order_id is None:
                raise Invalid("orderId: must be given")
            await parts.orders.put(
                replace(order.to_domain(), order_id=order.order_id),
                by,
                status=order.status,
                updated_by=order.updated_by,
                reason=order.reason,
            )
        case "order.status":
            said = _parsed(HookStatus, data, where)
            await parts.orders.update(
                said.order_id,
                by,
                status=said.status,
                expected_version=said.expected_version,
                reason=said.reason,
                updated_by=said.updated_by,
                force=True,
            )
        case _:
            raise Invalid(f"type: {str(type)[:64]!r} is neither order.upsert nor order.status")


def _parsed(model: type[B], data: object, where: tuple[str, ...]) -> B:
    """As FastAPI does it with a whole body. Raises `RequestValidationError`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise RequestValidationError([{**one, "loc": (*where, *one["loc"])} for one in found]) from None
