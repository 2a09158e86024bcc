"""Every metric, declared once. Gauges read what the parts count themselves, when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Value = Callable[[], float]
Labelled = Callable[[], Mapping[str, float]]

_GAUGES = {
    "connections": "Sockets connected to this node.",
    "operators_online": "Operators and admins with at least one socket on this node.",
    "sessions": "Engine.IO sessions on this node, joined or not.",
    "rooms": "Rooms with at least one member on this node.",
    "sessions_behind": "Engine.IO sessions whose client does not read as fast as it is sent to.",
    "queued_bytes": "Bytes that wait for those clients.",
    "nodes": "Nodes that are there, this one included.",
    "cluster_connections": "Sockets connected, over all nodes.",
    "cluster_operators_online": "Operators and admins with at least one socket on any node.",
    "redis_connected": "1 where this node hears and reaches the others through Redis, 0 while Redis is away.",
    "webhooks_behind": "Webhooks this node sends to that have not got all yet.",
    "webhooks_oldest_seconds": "Age of the oldest event that one of them has not got yet.",
    "config_last_reload_successful": "1 where the settings were taken when last read, 0 where they were refused.",
    "config_last_reload_success_timestamp_seconds": "When the settings that count now were read.",
    "log_position": "Newest position of the event log that this node has emitted.",
}
_COUNTERS = {
    "events_announced": "Events of the log emitted on this node.",
    "events_skipped": "Events of the log that could not be emitted on this node, whatever was tried.",
    "events_replayed": "Events of the log played to sockets that came back.",
    "resyncs": "Sockets that came back and had to fetch anew.",
    "deliveries": "Events queued to a socket, over all sockets.",
    "orders_removed": "Closed orders older than ORDERCAST_ORDER_RETENTION that this node removed.",
    "sessions_opened": "Engine.IO sessions opened.",
    "requests_passed_on": "Engine.IO requests for sessions of other nodes, which were asked.",
    "packets_conflated": "Packets that a newer one of the same key replaced, for clients far behind.",
    "packets_dropped": "Packets that waited for clients that were cut for not reading.",
    "redis_published": "Messages to other nodes that Redis took.",
    "redis_received": "Messages from Redis.",
    "redis_bad": "Messages from Redis that could not be read.",
    "redis_dropped": "Messages to other nodes that were dropped, as Redis was away too long or refused them.",
}
_LABELLED_COUNTERS = {
    "sessions_closed": ("reason", "Engine.IO sessions closed."),
    "requests_refused": ("reason", "Engine.IO requests refused."),
    "webhook_attempts": ("outcome", "Attempts to send a webhook's message."),
    "config_reloads": ("outcome", "Times that the settings were read again."),
    "requests": ("method", "HTTP requests other than Engine.IO's: REST, pages and files."),
}
_LABELLED_GAUGES = {"connections_by_role": ("role", "Sockets connected to this node, by role.")}


class Metrics(Collector):
    """The metrics of one Ordercast, under ``ordercast_``. `watch` binds a declared name to where its value is."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._values: dict[str, Value] = {}
        self._labelled: dict[str, Labelled] = {}
        self.registry.register(self)

    def watch(self, name: str, value: Value) -> None:
        """Binds a metric without labels. Raises ``KeyError`` for one that is not declared."""
        if name not in _GAUGES and name not in _COUNTERS:
            raise KeyError(name)
        self._values[name] = value

    def watch_labelled(self, name: str, values: Labelled) -> None:
        """Binds a metric with a label. Raises ``KeyError`` for one that is not declared."""
        if name not in _LABELLED_COUNTERS and name not in _LABELLED_GAUGES:
            raise KeyError(name)
        self._labelled[name] = values

    def collect(self) -> Iterable[Metric]:
        """Called by Prometheus's registry."""
        for name, value in self._values.items():
            if name in _GAUGES:
                yield GaugeMetricFamily(f"ordercast_{name}", _GAUGES[name], value=value())
            else:
                yield CounterMetricFamily(f"ordercast_{name}", _COUNTERS[name], value=value())
        for name, values in self._labelled.items():
            family: GaugeMetricFamily | CounterMetricFamily
            if name in _LABELLED_GAUGES:
                label, text = _LABELLED_GAUGES[name]
                family = GaugeMetricFamily(f"ordercast_{name}", text, labels=[label])
            else:
                label, text = _LABELLED_COUNTERS[name]
                family = CounterMetricFamily(f"ordercast_{name}", text, labels=[label])
            for key, number in values().items():
                family.add_metric([key], number)
            yield family

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
