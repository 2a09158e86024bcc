"""How the parts of an `Ordercast` that is being entered are put together. Nothing here starts anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ordercast.api.context import Services
from ordercast.live.handlers import Handlers
from ordercast.live.recovery import Pids
from ordercast.live.replay import Replay
from ordercast.live.sessions import TokenClock
from ordercast.live.watching import Watching
from ordercast.orders.kept import Kept
from ordercast.orders.own_events import OwnEvents
from ordercast.orders.privacy import Privacy
from ordercast.orders.stats import Stats
from ordercast.storage.database import Storage
from ordercast.webhooks.hooks import Hooks
from ordercast.webhooks.runner import Line
from ordercast.webhooks.service import WebhookService
from ordercast.webhooks.when_needed import ClientWhenNeeded

if TYPE_CHECKING:
    from ordercast.app import Ordercast


def replay(oc: Ordercast, storage: Storage, kept: Kept) -> Replay:
    """What tells clients that come back what they missed."""
    return Replay(
        oc.feed,
        kept.log,
        kept.orders,
        oc.orders,
        Pids(storage.secret_key),
        storage.watches,
        oc.settings.replay_max_events,
        oc.settings.replay_max_age,
        oc.settings.max_watches,
    )


def watching(oc: Ordercast, storage: Storage) -> Watching:
    """What lets clients watch orders over Socket.IO."""
    return Watching(oc.io, oc.orders, oc.feed, storage.watches, oc.settings.max_watches)


def handlers(oc: Ordercast, storage: Storage, clock: TokenClock, watching: Watching) -> Handlers:
    """What lets clients come and go over Socket.IO."""
    return Handlers(
        oc.io,
        oc.verifier,
        oc.orders,
        oc.monitor,
        oc.connection_limit,
        clock,
        oc.replay,
        watching,
        storage.revocations,
    )


def line(oc: Ordercast, storage: Storage, kept: Kept, client: ClientWhenNeeded) -> Line:
    """What webhooks are sent by."""

    def step(status: str) -> int:
        return oc.workflow.step(status)  # of the workflow there is by then

    return Line(oc.nodes.run, storage.webhooks, kept.log, kept.orders, step, client, oc.settings.webhook_retries)


def services(oc: Ordercast, storage: Storage, kept: Kept, webhooks: WebhookService) -> Services:
    """What REST and the pages are served from."""

    def emit(rooms: Sequence[str], event: str, arguments: Sequence[Any]) -> None:
        oc.io.to(*rooms).emit(event, *arguments)

    return Services(
        orders=oc.orders,
        repository=kept.orders,
        log=kept.log,
        workflow=oc.workflow,
        verifier=oc.verifier,
        revocations=storage.revocations,
        privacy=Privacy(kept.orders, kept.personal, storage.revocations),
        own_events=OwnEvents(oc.orders, storage.requests, emit),
        presence=oc.nodes,
        stats=Stats(kept.figures, oc.workflow, oc.settings.shop_time_zone),
        board=oc.board,
        webhooks=webhooks,
        hooks=Hooks(oc.settings.hooks, storage.hooks),
        shares=oc.shares,
        shop=oc.settings,
        ready=oc.problems,
        metrics=oc.metrics.render,
        warnings=oc.warnings,
    )
