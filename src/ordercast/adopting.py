"""Takes other settings over while clients are connected: looks at all of them first, then has each part adopt its own.

A part that reads a value where it is busy holds it itself, or in something immutable that is put in the place of what
was there; nothing asks the settings on the way.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, replace

from starlette.types import ASGIApp

from ordercast.api.application import create_api
from ordercast.api.context import Services
from ordercast.api.warm import warm
from ordercast.auth import RemoteKeys, TokenVerifier
from ordercast.config import Settings
from ordercast.config_changes import Changes, changes
from ordercast.errors import SettingsError
from ordercast.live.every import Every
from ordercast.live.limit import ConnectionLimit
from ordercast.live.replay import Replay
from ordercast.live.watching import Watching
from ordercast.orders.kept import Kept
from ordercast.orders.stats import Stats
from ordercast.orders.workflow import Workflow, load_workflow
from ordercast.socketio import Server
from ordercast.storage.database import Storage
from ordercast.webhooks.addresses import rules_of
from ordercast.webhooks.hooks import Hooks
from ordercast.webhooks.runner import Line
from ordercast.webhooks.when_needed import ClientWhenNeeded


class Reloads:
    """How reloads went: ``outcomes`` so far, whether the ``last`` one was taken, and when the settings that count now
    were read, in seconds since the epoch."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter(taken=0, refused=0)
        self.last_taken = True
        self.taken_at = time.time()

    def count(self, taken: bool) -> None:
        """One more."""
        self.outcomes["taken" if taken else "refused"] += 1
        self.last_taken = taken
        if taken:
            self.taken_at = time.time()


@dataclass(frozen=True, slots=True)
class News:
    """Settings that have been looked at, with what was made of them."""

    changes: Changes
    workflow: Workflow
    verifier: TokenVerifier


def look(before: Settings, after: Settings, workflow: Workflow, verifier: TokenVerifier) -> News:
    """What there is to take over; ``workflow`` and ``verifier`` are of now. Reads the files that the settings name.
    Raises `SettingsError`."""
    found = changes(before, after)
    news = News(found, load_workflow(after.workflow, after.status_map), TokenVerifier.from_settings(after))
    if news.workflow.describe() != workflow.describe():
        found = found.also("workflow")
    if after.jwt_public_key is not None and not news.verifier.has_keys_of(verifier):
        found = found.also("jwt_public_key")
    return replace(news, changes=found)


@dataclass(slots=True)
class Parts:
    """The parts of a running `ordercast.app.Ordercast` that other settings reach."""

    io: Server
    verifier: TokenVerifier
    watching: Watching
    replay: Replay
    limit: ConnectionLimit
    storage: Storage
    kept: Kept
    services: Services
    client: ClientWhenNeeded
    line: Line
    position: Every
    monitor: Every

    async def prepared(self, news: News) -> tuple[Services, ASGIApp]:
        """All that takes a while, for `adopt`, and the REST application as it is after it. Changes nothing. Raises
        `SettingsError` where new keys cannot be fetched."""
        now, taken = news.changes.settings, set(news.changes.taken)
        if "jwks_url" in taken and (problems := await news.verifier.problems()):
            await news.verifier.close()
            raise SettingsError(" ".join(problems))
        services = self._services(news)
        return services, await asyncio.to_thread(_rest, services, now)

    def adopt(self, news: News, services: Services) -> RemoteKeys | None:
        """Takes all of it over, in one turn of the loop, so that whoever gives a reload up gives up all of it or
        nothing. Returns keys that are to be closed. Raises `SettingsError` where the shop's own table has no word for a
        status, before anything has changed."""
        now, taken = news.changes.settings, set(news.changes.taken)
        if self.kept.adopt is not None:
            self.kept.adopt(now)
        if {"webhook_timeout", "webhook_allow_private"} & taken:
            self.client.adopt(rules_of(now.webhook_allow_private), now.webhook_timeout)
        self.services = services
        self._adopt(now, news.workflow)
        return self.verifier.adopt(news.verifier)

    def _services(self, news: News) -> Services:
        now, taken, storage = news.changes.settings, news.changes.taken, self.storage
        stats = self.services.stats
        if "workflow" in taken or "shop_time_zone" in taken:
            stats = Stats(self.kept.figures, news.workflow, now.shop_time_zone)
        hooks = Hooks(now.hooks, storage.hooks)
        return replace(self.services, workflow=news.workflow, stats=stats, hooks=hooks, shop=now)

    def _adopt(self, now: Settings, workflow: Workflow) -> None:
        self.io.adopt(cors_origins=now.cors_origins, trusted_proxies=now.trusted_proxies, **now.server_options())
        self.services.orders.workflow = workflow
        self.services.board.workflow = workflow
        self.services.shares.adopt(now.share_lifetime)
        self.watching.max_watches = now.max_watches
        self.replay.adopt(now.replay_max_events, now.replay_max_age, now.max_watches)
        self.limit.adopt(now.max_connections_per_user)
        self.storage.retention.adopt(now.log_retention)
        self.storage.closed.adopt(workflow.closed, now.order_retention, now.log_retention)
        self.storage.revocations.adopt(max(now.jwt_max_lifetime, now.share_lifetime))
        self.line.schedule = now.webhook_retries
        self.position.adopt(now.position_interval)
        self.monitor.adopt(now.monitor_interval)


def _rest(services: Services, settings: Settings) -> ASGIApp:
    """Made whole in the thread that this is called in."""
    rest = create_api(services, max_body=settings.max_body, cors_origins=settings.cors_origins)
    asyncio.run(warm(rest))
    return rest
