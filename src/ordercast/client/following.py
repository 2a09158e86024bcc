"""Follows the log: every event that one may see, once, in order, from a cursor on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from datetime import UTC, datetime
from typing import Self

from ordercast.client.backoff import Backoff
from ordercast.client.connection import IDLE, Connection, ended_by
from ordercast.client.cursors import Cursor, read
from ordercast.client.errors import ClientError, Problem, Resync, TokenError, is_passing, is_refusal
from ordercast.client.models import Event, events_of
from ordercast.client.poller import WAIT, ask
from ordercast.client.rest import Rest

_log = logging.getLogger("ordercast.client")


class Events:
    """An asynchronous iterator over the log that ends only by raising. Whatever passes (a server that restarts, a
    network that is away) it waits out, which `connection` tells.

    Raises `Resync` where what came next cannot be given whole; it goes on from now if one iterates again. Raises
    `Problem` for what does not pass, as a token that is refused.
    """

    def __init__(self, rest: Rest, backoff: Backoff, since: Cursor | int | None) -> None:
        self._rest = rest
        self._backoff = backoff
        self._asked: Cursor | None = None if since is None else read(since)  # up to where it has been told
        self._given = self._asked
        self._waiting: deque[Event] = deque()
        self._wait = 0  # at first, so that it is known at once whether this way is open
        self._gone: Problem | None = None
        self.connection: Connection = IDLE

    @property
    def cursor(self) -> Cursor | None:
        """Where to go on another time: all before it has been given out, or is not for the caller. ``None``: it has
        not begun. It moves also where nothing comes for long, and the log is not kept for ever: store it now and then.
        """
        return self._given if self._waiting else self._asked

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        failures = 0
        while not self._waiting:
            try:
                await self._look()
                failures = 0
            except ClientError as error:
                failures += 1
                await self._failed(error, failures)
        event = self._waiting.popleft()
        self._given = event.cursor
        return event

    async def _look(self) -> None:
        """One request. Takes nothing in unless it has an answer, so that a cancelled one loses nothing."""
        self.connection = self.connection.opening()
        page = await ask(self._rest, None if self._gone else self._asked, self._wait)
        if self.connection.reason is not None:
            _log.info("the log can be followed again")
        self.connection = self.connection.polled(datetime.now(UTC))
        self._given, self._asked = self._asked, page["cursor"]
        if self._gone is not None:
            gone, self._gone = self._gone, None
            raise Resync(gone.document, self._asked) from gone
        self._wait = WAIT
        self._waiting.extend(events_of(page))

    async def _failed(self, error: ClientError, failures: int) -> None:
        self._wait = 0
        if isinstance(error, Resync):
            raise error
        if is_refusal(error) and error.status == 410 and self._gone is None:
            self._gone = error  # and where the log is now may take several tries to learn
            return
        if not is_passing(error):
            reason = ended_by(error.title) if is_refusal(error) else None
            self.connection = self.connection.ended(reason or "ended", None)
            raise error
        if failures == 1:
            _log.warning("the log cannot be followed, trying again: %s", error)
        self.connection = self.connection.failed("token" if isinstance(error, TokenError) else "unreachable")
        await asyncio.sleep(self._backoff.delay(failures, random.random()))  # noqa: S311 - spreads, hides nothing
