"""Histories of writers and clients, and the log beside them: what `tests.checker` reads.

A writer's record is what was acknowledged: ``{"writer", "orderId", "version", "status", "position"?}``. A client's
records carry ``client`` and ``what``, and of both some say when (``at``, ms since 1970):

- ``hello``: who it is: ``{user, role, shops?, watches?}``; the first record of every client
- ``connect``: ``{since, recovered?}``, with the cursor or position it came back with, if any; ``disconnect``
- ``event``: ``{event, orderId, version, position, status?, applied}``: an order event, and whether the page took it
- ``position`` ``{cursor}``, ``caught_up`` ``{position}``, ``resync`` ``{position}``: as the server said them
- ``snapshot``: ``{orders: [{orderId, version, status}]}``, fetched by REST; ``watching``: the answer to a watch
- ``note``: ``{to, note}``: an event of the shop's own, and which user it was for
- ``end``: everything sent before has arrived, and the client stopped
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of the log. ``public``: its customer and its watchers are told too; ``kind``: which newer events may
    stand in for it, for a client that is far behind."""

    position: int
    order: str
    version: int
    status: str
    customer: str
    shop: str | None = None
    public: bool = True
    kind: str = "status"


@dataclass(slots=True)
class Findings:
    """What is wrong, in words, and how much was looked at. ``repeats``: events that came again after a reconnect;
    ``conflated``: events of which only a newer one came, to a client far behind; ``cursors_back``: older cursors that
    came after newer ones, with which one would go on from further back than needed."""

    violations: list[str] = field(default_factory=list)
    heard: int = 0
    repeats: int = 0
    connections: int = 0
    recovered: int = 0
    caught_up: int = 0
    resyncs: int = 0
    conflated: int = 0
    cursors_back: int = 0


class Log:
    """The log's events, by order."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = list(entries)
        self.orders: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self.orders[entry.order].append(entry)

    def at(self, order: str, version: int) -> Entry | None:
        """The event that made this version of an order."""
        entries = self.orders.get(order, [])
        if 0 < version <= len(entries) and entries[version - 1].version == version:
            return entries[version - 1]
        return next((entry for entry in entries if entry.version == version), None)

    def holes(self) -> Iterable[str]:
        """Positions and versions that are missing, or that are there twice."""
        for index, entry in enumerate(self.entries, 1):
            if entry.position != index:
                yield f"the log has position {entry.position} where {index} belongs"
                break
        for order, entries in self.orders.items():
            versions = [entry.version for entry in entries]
            if versions != list(range(1, len(versions) + 1)):
                yield f"order {order} has the versions {versions} in the log"


def read(lines: Iterable[str]) -> list[Record]:
    """Histories as they were written: a JSON object a line."""
    return [json.loads(line) for line in lines if line.strip()]
