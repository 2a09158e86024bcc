"""``GET /api/events``: what the caller would have heard over a socket, for those who cannot hold one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from ordercast.api.context import Caller, Parts, Services, json_response
from ordercast.api.description import problems
from ordercast.api.views import EventPage
from ordercast.errors import CursorGone, Invalid, InvalidToken, NotFound
from ordercast.orders.announcements import addressed, announcements, concerns, heard_by, may_be_lost, needs_order
from ordercast.orders.cursors import format_cursor, parse_cursor
from ordercast.orders.former import former
from ordercast.orders.models import OrderEvent
from ordercast.orders.ports import EventLog
from ordercast.orders.principal import Principal

MAX_WAIT = 60.0
"""s: below the 60 s after which nginx gives up on an upstream by default, with `wait` at 55 to be safe."""

_BATCH = 256
_ENOUGH = 500  # events in one answer, after which the caller asks again
_LOOKS = 16  # batches that one request goes through: some 4,000 events, most of which may be none of the caller's

router = APIRouter(
    prefix="/api",
    tags=["events"],
    responses=problems(401, 410, 422, 503),
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
    """What happened after a cursor, as far as the caller may see it. Ask again with the answer's `cursor`.

    An answer may come at once, without events and with a newer cursor: so far there is nothing for the caller, and
    there is more to look at.
    """
    head = await parts.log.head()
    position = head if after is None else _position(after, parts.log, head)
    wake = asyncio.Event()
    unsubscribe = parts.log.subscribe(wake.set), parts.revocations.subscribe(wake.set)
    if caller.expires_at is not None:
        wait = min(wait, max(caller.expires_at - time.time(), 0))  # the next one gets to hear that it has expired
    try:
        found, position, at_end = await _collect(parts, caller, position)
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                while not found and at_end and after is not None and not parts.revocations.is_revoked(caller):
                    await wake.wait()
                    wake.clear()
                    found, position, at_end = await _collect(parts, caller, position)
    finally:
        for stop in unsubscribe:
            stop()
    if parts.revocations.is_revoked(caller):  # while it waited
        raise InvalidToken("revoked")
    return json_response({"events": found, "position": position, "cursor": format_cursor(parts.log.log_id, position)})


async def _collect(parts: Services, caller: Principal, position: int) -> tuple[list[dict[str, Any]], int, bool]:
    """What the caller hears after ``position``, how far was looked, and whether that is the end of the log.

    Raises `CursorGone`.
    """
    found: list[dict[str, Any]] = []
    for _ in range(_LOOKS):
        events, through = await _look(parts, caller, position)
        if position < parts.log.floor:  # asked afterwards, since events may be removed between two batches
            raise CursorGone(
                "Events after this cursor have been removed. Fetch the orders anew and go on from the cursor of now."
            )
        position = through
        theirs = [event for event in events if concerns(caller, event) or may_be_lost(caller, event)]
        needed = {event.order_id for event in theirs if needs_order(event)}
        orders = {order.order_id: order for order in await parts.repository.get_all(needed)} if needed else {}
        for logged in theirs:
            order = orders.get(logged.order_id) if needs_order(logged) else None
            event = addressed(logged, order)
            before = await former(parts.repository, event) if may_be_lost(caller, event) else None
            found += [
                {"event": announcement.event, "data": announcement.data, "position": event.position}
                for announcement in announcements(event, order, parts.step, before)
                if heard_by(caller, event, announcement)
            ]
        if len(events) < _BATCH:
            return found, position, True
        if len(found) >= _ENOUGH:
            break
    return found, position, False


async def _look(parts: Services, caller: Principal, position: int) -> tuple[Sequence[OrderEvent], int]:
    """A batch of events after ``position``, and how far it is all that the caller might hear of.

    Raises `InvalidToken` where a share link has ended since its order became another customer's.
    """
    log = parts.log
    if caller.order_id is not None:
        head = await log.head()  # first: what the history has beyond it, it has whole
        try:
            history = await parts.orders.history(caller.order_id, caller)
        except NotFound:
            raise InvalidToken("its order is another customer's") from None
        missed = [event for event in history if event.position > position]
        return missed, max(head, missed[-1].position if missed else 0)
    if not caller.is_staff:
        return await log.of_customer(caller.user_id, position, _BATCH)
    events = await log.after(position, _BATCH)
    return events, events[-1].position if events else position
