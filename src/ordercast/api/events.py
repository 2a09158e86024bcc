"""``GET /api/events``: what the caller would have heard over a socket, for those who cannot hold one."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from ordercast.api.context import Caller, Parts, Services, json_response
from ordercast.api.schemas import EventPage, ProblemView
from ordercast.errors import CursorGone, Invalid, InvalidToken
from ordercast.orders.announcements import announcements, heard_by, needs_order
from ordercast.orders.cursors import format_cursor, parse_cursor
from ordercast.orders.ports import EventLog
from ordercast.orders.principal import Principal

MAX_WAIT = 60.0
"""s: below the 60 s after which nginx gives up on an upstream by default, with `wait` at 55 to be safe."""

_BATCH = 256
_ENOUGH = 500  # events in one answer, after which the caller asks again

router = APIRouter(
    prefix="/api",
    tags=["events"],
    responses={status: {"model": ProblemView} for status in (401, 410, 422, 503)},
)


def _position(cursor: str, log: EventLog, head: int) -> int:
    """The place in the log that a cursor names. Raises `Invalid`, or `CursorGone` for one of another log or from the
    future."""
    try:
        found = parse_cursor(cursor)
    except ValueError:
        raise Invalid("after: must be a cursor as an earlier answer gave it, or a position from 0 up") from None
    if not found.of(log.log_id) or found.position > head:
        raise CursorGone("This cursor is not of this log. Fetch the orders anew and go on from the cursor of now.")
    return found.position


@router.get("/events", response_model=EventPage)
async def events(
    caller: Caller,
    parts: Parts,
    after: Annotated[str | None, Query(max_length=128, description="A cursor; none: from now on")] = None,
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="Seconds to wait if there is nothing yet")] = 0,
) -> Response:
    """What happened after a cursor, as far as the caller may see it. Ask again with the answer's `cursor`."""
    head = await parts.log.head()
    position = head if after is None else _position(after, parts.log, head)
    wake = asyncio.Event()
    unsubscribe = parts.log.subscribe(wake.set), parts.revocations.subscribe(wake.set)
    if caller.expires_at is not None:
        wait = min(wait, max(caller.expires_at - time.time(), 0))  # the next one gets to hear that it has expired
    try:
        found, position = await _collect(parts, caller, position)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while not found and after is not None and not parts.revocations.is_revoked(caller):
                    await wake.wait()
                    wake.clear()
                    found, position = await _collect(parts, caller, position)
    finally:
        for stop in unsubscribe:
            stop()
    if parts.revocations.is_revoked(caller):  # while it waited
        raise InvalidToken("revoked")
    return json_response({"events": found, "position": position, "cursor": format_cursor(parts.log.log_id, position)})


async def _collect(parts: Services, caller: Principal, position: int) -> tuple[list[dict[str, Any]], int]:
    """What the caller hears after ``position``, and how far was looked. Raises `CursorGone`."""
    found: list[dict[str, Any]] = []
    while len(found) < _ENOUGH:
        batch = await parts.log.after(position, _BATCH)
        if position < parts.log.floor:  # asked afterwards, since events may be removed between two batches
            raise CursorGone(
                "Events after this cursor have been removed. Fetch the orders anew and go on from the cursor of now."
            )
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
