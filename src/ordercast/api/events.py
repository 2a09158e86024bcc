"""``GET /api/events``: what the caller would have heard over a socket, for those who cannot hold one."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from ordercast.api.context import Caller, Parts, Services, json_response
from ordercast.api.schemas import EventPage, ProblemView
from ordercast.errors import CursorGone, Invalid
from ordercast.orders.announcements import announcements, heard_by, needs_order
from ordercast.orders.principal import Principal

MAX_WAIT = 60.0
"""s: below the 60 s after which nginx gives up on an upstream by default, with `wait` at 55 to be safe."""

_BATCH = 256
_ENOUGH = 500  # events in one answer, after which the caller asks again
_CURSOR = re.compile(r"(?:([A-Za-z0-9_-]{1,64})\.)?([0-9]{1,18})")

router = APIRouter(
    prefix="/api",
    tags=["events"],
    responses={status: {"model": ProblemView} for status in (401, 410, 422, 503)},
)


def parse_cursor(cursor: str, log_id: str, head: int) -> int:
    """The position in ``<logId>.<position>``, or in a bare integer. Raises `Invalid`, or `CursorGone` for a cursor
    of another log or from the future."""
    match = _CURSOR.fullmatch(cursor)
    if match is None:
        raise Invalid("after: must be a cursor as an earlier answer gave it, or a position from 0 up")
    position = int(match[2])
    if match[1] not in (None, log_id) or position > head:
        raise CursorGone("This cursor is not of this log. Fetch the orders anew and go on from the cursor of now.")
    return position


@router.get("/events", response_model=EventPage)
async def events(
    caller: Caller,
    parts: Parts,
    after: Annotated[str | None, Query(max_length=128, description="A cursor; none: from now on")] = None,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait if there is nothing yet")] = 0,
) -> Response:
    """What happened after a cursor, as far as the caller may see it. Ask again with the answer's `cursor`."""
    head = await parts.log.head()
    position = head if after is None else parse_cursor(after, parts.log.log_id, head)
    wake = asyncio.Event()
    unsubscribe = parts.log.subscribe(wake.set)
    try:
        found, position = await _collect(parts, caller, position)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while not found and after is not None:
                    await wake.wait()
                    wake.clear()
                    found, position = await _collect(parts, caller, position)
    finally:
        unsubscribe()
    return json_response({"events": found, "position": position, "cursor": f"{parts.log.log_id}.{position}"})


async def _collect(parts: Services, caller: Principal, position: int) -> tuple[list[dict[str, Any]], int]:
    """What the caller hears after ``position``, and how far was looked."""
    found: list[dict[str, Any]] = []
    while len(found) < _ENOUGH:
        batch = await parts.log.after(position, _BATCH)
        for event in batch:
            position = event.position
            if not caller.is_staff and event.customer_id != caller.user_id:
                continue
            order = await parts.repository.get(event.order_id) if needs_order(event) else None
            found += [
                {"event": announcement.event, "data": announcement.data, "position": event.position}
                for announcement in announcements(event, order, parts.step)
                if heard_by(caller, event, announcement)
            ]
        if len(batch) < _BATCH:
            break
    return found, position
