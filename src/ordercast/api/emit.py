"""``POST /api/emit``: the shop's own events to people who are connected."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field

from ordercast.api.context import Caller, Idempotency, Parts
from ordercast.api.description import problems
from ordercast.api.schemas import Body
from ordercast.api.strict import StrictRoute, shallow
from ordercast.orders.own_events import MAX_NAME, OUR_FAMILIES, OURS, RESERVED, event_name, room

MAX_EMITTED = 65_536
"""Bytes of an event's data as JSON: several times an order, and a fraction of what may wait for one client."""


def _emitted(value: Any) -> Any:
    """What can be sent to clients, and to other nodes (msgpack)."""
    try:
        msgspec.msgpack.encode(shallow(value))
    except OverflowError:
        raise ValueError("must hold no integers that need more than 64 bits; write them as strings") from None
    if len(msgspec.json.encode(value)) > MAX_EMITTED:
        raise ValueError(f"must be at most {MAX_EMITTED} bytes of JSON; send an id, and have clients fetch the rest")
    return value


_ROOM = {"pattern": "^(operators|(user|order|operators):[A-Za-z0-9_.:-]{1,64})$"}
_Room = Annotated[
    str, AfterValidator(room), Field(description="`user:42`, `order:17`, `operators`, …", json_schema_extra=_ROOM)
]
_TAKEN: list[Any] = [{"enum": sorted(OURS | RESERVED)}, {"pattern": f"^({'|'.join(OUR_FAMILIES)})"}]
_EVENT: dict[str, Any] = {"minLength": 1, "maxLength": MAX_NAME, "not": {"anyOf": _TAKEN}}
_Event = Annotated[str, AfterValidator(event_name), Field(json_schema_extra=_EVENT)]


class EmitEvent(Body):
    """``POST /api/emit``: without ``data`` the event comes without an argument."""

    rooms: Annotated[list[_Room], Field(min_length=1, max_length=100)]
    event: _Event
    data: Annotated[Any, AfterValidator(_emitted)] = None

    def arguments(self) -> tuple[Any, ...]:
        """The event's arguments."""
        return (self.data,) if "data" in self.model_fields_set else ()


router = APIRouter(
    prefix="/api",
    tags=["events"],
    route_class=StrictRoute,
    responses=problems(400, 401, 403, 413, 422, 503),
)


@router.post("/emit", status_code=204, response_model=None)
async def emit(body: EmitEvent, caller: Caller, parts: Parts, key: Idempotency) -> Response:
    """Sends an event of the shop's own to whoever is in one of the rooms, once to each socket.

    It is not kept: who is not connected now, or polls, never hears of it. Share links hear nothing of it either.
    """
    first = await parts.own_events.send(body.rooms, body.event, body.arguments(), caller, key)
    return Response(status_code=204, headers={} if first else {"Idempotency-Replayed": "true"})
