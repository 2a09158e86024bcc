"""What each metric of a running `Ordercast` reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

from ordercast.adopting import Reloads
from ordercast.live.feed import Feed
from ordercast.live.monitor import Monitor
from ordercast.live.nodes import Nodes
from ordercast.live.replay import Replay
from ordercast.metrics import Metrics
from ordercast.socketio import Server
from ordercast.storage.database import Storage
from ordercast.webhooks.sender import Sender

if TYPE_CHECKING:
    from ordercast.socketio.cluster_redis import RedisCluster


class Measured(Protocol):
    """What is read of an `Ordercast`, which stands above this module."""

    io: Server
    cluster: RedisCluster | None
    monitor: Monitor
    nodes: Nodes
    feed: Feed
    replay: Replay
    storage: Storage
    sender: Sender
    requests: Counter[str]
    reloads: Reloads


def bind(metrics: Metrics, app: Measured) -> None:
    """Has the metrics read the parts of ``app``, which has been entered, whenever they are asked for."""
    engine, root = app.io.engine, app.io.of("/")
    metrics.watch("connections", lambda: app.monitor.connections.total())
    metrics.watch("operators_online", lambda: app.monitor.operators)
    metrics.watch("nodes", lambda: len(app.nodes.alive()))
    metrics.watch("cluster_connections", lambda: app.nodes.connections)
    metrics.watch("cluster_operators_online", lambda: len(app.nodes.operators()))
    metrics.watch("sessions", lambda: len(engine))
    metrics.watch("rooms", lambda: len(root.rooms))
    metrics.watch("events_replayed", lambda: app.replay.replayed)
    metrics.watch("resyncs", lambda: app.replay.resyncs)
    metrics.watch("log_position", lambda: app.feed.position)
    metrics.watch("events_announced", lambda: app.feed.announced)
    metrics.watch("events_skipped", lambda: app.feed.skipped)
    metrics.watch("deliveries", lambda: root.delivered)
    metrics.watch("sessions_behind", lambda: engine.waiting()[0])
    metrics.watch("queued_bytes", lambda: engine.waiting()[1])
    metrics.watch("packets_conflated", lambda: engine.conflated)
    metrics.watch("packets_dropped", lambda: engine.dropped)
    metrics.watch("requests_passed_on", lambda: engine.passed_on)
    metrics.watch("sessions_opened", lambda: engine.opened)
    if (cluster := app.cluster) is not None:
        counters = cluster.counters
        metrics.watch("redis_connected", lambda: cluster.connected)
        metrics.watch("redis_published", lambda: counters.published)
        metrics.watch("redis_received", lambda: counters.received)
        metrics.watch("redis_bad", lambda: counters.bad)
        metrics.watch("redis_dropped", lambda: counters.dropped)
    metrics.watch_labelled("sessions_closed", lambda: engine.journal.closed)
    metrics.watch_labelled("requests_refused", lambda: engine.journal.refused)
    metrics.watch("orders_removed", lambda: app.storage.closed.removed)
    metrics.watch("webhooks_behind", lambda: app.sender.behind)
    metrics.watch("webhooks_oldest_seconds", lambda: app.sender.oldest_age)
    metrics.watch_labelled("webhook_attempts", lambda: app.sender.outcomes)
    metrics.watch_labelled("requests", lambda: app.requests)
    metrics.watch("config_last_reload_successful", lambda: app.reloads.last_taken)
    metrics.watch("config_last_reload_success_timestamp_seconds", lambda: app.reloads.taken_at)
    metrics.watch_labelled("config_reloads", lambda: app.reloads.outcomes)
    metrics.watch_labelled(
        "connections_by_role", lambda: {role.value: n for role, n in app.monitor.connections.items()}
    )
