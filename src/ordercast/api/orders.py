"""Orders over REST: one function per route, each one call of `OrderService`."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from ordercast.api.context import Caller, Idempotency, Parts, Services, json_response
from ordercast.api.description import problems
from ordercast.api.schemas import ClaimOrder, CreateOrder, Id, PatchOrder, PathId, PutOrder
from ordercast.api.strict import StrictRoute
from ordercast.api.views import History, OrderList, OrderView, SharedOrderView
from ordercast.errors import Invalid
from ordercast.orders.announcements import history_for, view_for
from ordercast.orders.models import OrderQuery, Written
from ordercast.orders.principal import Principal
from ordercast.orders.search import MAX_TEXT

MAX_PAGE = 500

router = APIRouter(
    prefix="/api",
    tags=["orders"],
    route_class=StrictRoute,
    responses=problems(400, 401, 403, 404, 409, 413, 422, 503),
)

OrderId = Annotated[PathId, Path(alias="id", description="The order's id")]


def _answer(parts: Services, caller: Principal, written: Written, location: str | None = None) -> Response:
    body = written.replayed if written.replayed is not None else parts.render(caller)(written.order)
    headers = {"Idempotency-Replayed": "true"} if written.replayed is not None else {}
    if location is None:
        return json_response(body, headers=headers)
    return json_response(body, 201, headers | {"Location": location})


def _address(request: Request, order_id: str) -> str:
    """Where the order is, from the root of the host."""
    root: str = request.scope.get("root_path", "")
    return f"{root}{request.app.url_path_for('get_order', id=order_id)}"


@router.post("/orders", status_code=201, response_model=OrderView)
async def create_order(body: CreateOrder, caller: Caller, parts: Parts, key: Idempotency, request: Request) -> Response:
    """Creates an order. Without an `orderId` Ordercast numbers it."""
    written = await parts.orders.create(body.to_domain(), caller, key, parts.render(caller))
    return _answer(parts, caller, written, _address(request, written.order.order_id))


@router.get("/orders", response_model=OrderList)
async def list_orders(
    caller: Caller,
    parts: Parts,
    q: Annotated[
        str | None,
        Query(
            max_length=MAX_TEXT,
            description="A part of the id, the reference, or the contact's `name` or `phone`",
            json_schema_extra={"pattern": r"\S"},
        ),
    ] = None,
    status: Annotated[list[str] | None, Query(description="Statuses, repeated or separated by commas")] = None,
    customer_id: Annotated[Id | None, Query(alias="customerId")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=512, description="The `next` of the page before")] = None,
) -> Response:
    """Orders, newest first: customers see their own, operators those of their shops."""
    statuses = {part for item in status for part in item.split(",") if part} if status else None
    query = OrderQuery(
        customer_id=customer_id,
        statuses=None if statuses is None else frozenset(statuses),
        text=q,
        limit=limit,
        after=cursor,
    )
    page = await parts.orders.find(query, caller)
    orders = [view_for(caller, order, parts.step) for order in page.orders]
    return json_response({"orders": orders, "next": page.next, "position": page.position})


@router.get("/orders/{id}", response_model=OrderView | SharedOrderView)
async def get_order(id: OrderId, caller: Caller, parts: Parts) -> Response:
    """One order; with a share token, without what is personal. What is not yours is not there."""
    return json_response(parts.render(caller)(await parts.orders.get(id, caller)))


@router.put("/orders/{id}", response_model=OrderView, responses={201: {"model": OrderView}})
async def put_order(id: OrderId, body: PutOrder, caller: Caller, parts: Parts, request: Request) -> Response:
    """Makes an order what the shop's backend says that it is: creates it (201), or replaces what is told of it (200).

    The same again changes nothing. What is left out gets its default, but `status` and `createdAt` stay as they are.
    Any status of the workflow may be set; the history marks steps that the workflow does not have.
    """
    if body.order_id not in (None, id):
        raise Invalid("orderId: must be the one in the address, or be left out")
    written = await parts.orders.put(
        replace(body.to_domain(), order_id=id),
        caller,
        status=body.status,
        updated_by=body.updated_by,
        reason=body.reason,
    )
    return _answer(parts, caller, written, _address(request, id) if written.created else None)


@router.patch("/orders/{id}", response_model=OrderView)
async def patch_order(id: OrderId, body: PatchOrder, caller: Caller, parts: Parts) -> Response:
    """Moves an order along, or changes what is known of it. The same status again changes nothing."""
    written = await parts.orders.update(
        id,
        caller,
        status=body.status,
        fields=body.fields(),
        expected_version=body.expected_version,
        reason=body.reason,
        updated_by=body.updated_by,
        force=body.force,
    )
    return _answer(parts, caller, written)


@router.post("/orders/{id}/contact", response_model=OrderView)
async def contact(id: OrderId, caller: Caller, parts: Parts, key: Idempotency) -> Response:
    """A person contacted the customer; the first time sets `firstContactAt`."""
    written = await parts.orders.contact(id, caller, key, parts.render(caller))
    return _answer(parts, caller, written)


@router.post("/orders/{id}/claim", response_model=OrderView)
async def claim(
    id: OrderId, caller: Caller, parts: Parts, key: Idempotency, body: ClaimOrder | None = None
) -> Response:
    """Takes an order: `claimedBy` is the caller. With `from`, over from that user, who must have it."""
    take_from = None if body is None else body.take_from
    written = await parts.orders.claim(id, caller, take_from, key, parts.render(caller))
    return _answer(parts, caller, written)


@router.post("/orders/{id}/release", response_model=OrderView)
async def release(id: OrderId, caller: Caller, parts: Parts, key: Idempotency) -> Response:
    """Gives an order back: whoever has it does, or an admin."""
    written = await parts.orders.release(id, caller, key, parts.render(caller))
    return _answer(parts, caller, written)


@router.get("/orders/{id}/events", response_model=History)
async def history(id: OrderId, caller: Caller, parts: Parts) -> Response:
    """What happened to an order, oldest first: all of it, unless its beginning is older than the log."""
    events = await parts.orders.history(id, caller)
    views = history_for(caller, events)
    return json_response({"events": views, "complete": bool(events) and events[0].version == 1})


@router.get("/workflow", tags=["workflow"], responses={401: {"description": "not needed here"}})
async def workflow(parts: Parts) -> dict[str, Any]:
    """The statuses an order can have, and the steps between them."""
    return parts.workflow.describe()
