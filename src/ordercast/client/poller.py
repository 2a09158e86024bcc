"""Asks ``GET /api/events`` again and again, in place of a socket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from ordercast.client.answers import understood
from ordercast.client.backoff import Backoff
from ordercast.client.connection import Reason, ended_by
from ordercast.client.cursors import Cursor, split
from ordercast.client.errors import ClientError, TokenError, is_refusal
from ordercast.client.rest import Rest

WAIT = 20
"""s that the server may keep a request waiting; below the 30 s after which many proxies give up."""

PATIENCE = 15.0
"""s that an answer may take on top of that, after which the connection counts as dead."""

Page = Mapping[str, Any]
"""An answer: ``{events, position, cursor}``."""


async def ask(rest: Rest, after: Cursor | None, wait: float) -> Page:
    """What happened after a cursor, waiting for it; ``None``: only where the log is now. Raises as `Rest.call` does."""
    query = {"after": after, "wait": wait or None}
    return understood(_page, await rest.call("GET", "events", query=query, patience=wait + PATIENCE))


def _page(answer: Any) -> Page:
    split(answer["cursor"])
    int(answer["position"])
    for said in answer["events"]:
        _ = said["event"], said["data"], int(said["position"])
    page: Page = answer
    return page


class PollerEvents(Protocol):
    """What a poller tells of."""

    def restarted(self, page: Page) -> Awaitable[None]:
        """There is no going on from where it was: what is shown is to be fetched anew; events follow from here on."""

    def polled(self, page: Page) -> None:
        """An answer."""

    def missed(self, why: Reason) -> None:
        """A try has failed."""

    def ended(self, reason: Reason) -> None:
        """For good."""


async def poll(rest: Rest, backoff: Backoff, cursor: Callable[[], Cursor | None], events: PollerEvents) -> None:
    """Until the end for good, or until it is cancelled."""
    failures = 0
    wait = 0  # at first, so that it is known at once whether this way is open
    restart = cursor() is None
    while True:
        after = None if restart else cursor()
        try:
            page = await ask(rest, after, wait)
        except ClientError as error:
            wait = 0
            if is_refusal(error) and error.status == 410 and after is not None:
                restart = True
                continue
            if is_refusal(error) and error.status == 401:
                events.ended(ended_by(error.title) or "unauthorized")
                return
            failures += 1
            events.missed("token" if isinstance(error, TokenError) else "unreachable")
            await asyncio.sleep(backoff.delay(failures, random.random()))  # noqa: S311 - spreads, hides nothing
        else:
            if after is None:
                await events.restarted(page)
            events.polled(page)
            restart, failures, wait = False, 0, WAIT
