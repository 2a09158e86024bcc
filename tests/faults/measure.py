"""How long it took until all was well again: from histories that say when, and the log. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.checker import OPERATORS
from tests.histories import Log, Record
from tests.survive import ACKNOWLEDGED, HISTORY, Moment

Times = dict[tuple[str, int], float]
"""When a version of an order was first there."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """In s after a fault had ended. ``everyone``: until each client was connected and had all that had been committed
    by then; ``fresh``: until one heard of a change that was committed after; ``waited``: the longest that anyone waited
    for a change that was acknowledged from the fault's beginning on, reconnects included."""

    everyone: float
    fresh: float
    waited: float


@dataclass(slots=True)
class _Client:
    needs: dict[str, list[tuple[int, int]]]  # order → (position, version) of what it is told
    had: dict[str, list[tuple[float, int]]]  # order → (when, version)
    ups: list[tuple[float, bool]]

    def whole_at(self, moment: Moment) -> float:
        """When it was connected, after the fault, and had all up to its head."""
        found = moment.ended
        for order, told in self.needs.items():
            need = max((version for position, version in told if position <= moment.head), default=0)
            if need:
                found = max(found, next((at for at, version in self.had[order] if version >= need), float("inf")))
        before = [up for at, up in self.ups if at <= found]
        if before and before[-1]:
            return found
        return next((at for at, up in self.ups if up and at > found), float("inf"))


def recoveries(
    log: Log, acknowledged: Sequence[Record], records: Iterable[Record], moments: Sequence[Moment]
) -> list[Recovery]:
    """One for each moment."""
    acks: Times = {(str(one["orderId"]), one["version"]): one["at"] / 1e3 for one in acknowledged}
    clients: dict[str, _Client] = {}
    heard: dict[tuple[str, str, int], float] = {}
    fresh: list[tuple[float, int]] = []
    for record in records:
        name, what, at = record["client"], record["what"], record["at"] / 1e3
        if what == "hello":
            clients[name] = _Client(_needs(log, record), defaultdict(list), [])
        elif what in ("connect", "disconnect"):
            clients[name].ups.append((at, what == "connect"))
        elif what in ("event", "watching"):
            clients[name].had[str(record["orderId"])].append((at, record["version"]))
            if what == "event":
                heard.setdefault((name, str(record["orderId"]), record["version"]), at)
                fresh.append((at, record["position"]))
        elif what == "snapshot":
            for order in record["orders"]:
                clients[name].had[str(order["orderId"])].append((at, order["version"]))
    found = []
    for moment in moments:
        everyone = max(client.whole_at(moment) for client in clients.values()) - moment.ended
        first = min((at for at, position in fresh if position > moment.head), default=float("inf")) - moment.ended
        waits = (
            at - acks[order, version]
            for (_, order, version), at in heard.items()
            if moment.began <= acks.get((order, version), 0.0) <= moment.ended + 10
        )
        found.append(Recovery(everyone, max(first, 0.0), max(waits, default=0.0)))
    return found


def _needs(log: Log, hello: Record) -> dict[str, list[tuple[int, int]]]:
    user, operator = str(hello["user"]), hello["role"] in OPERATORS
    watches = set(map(str, hello.get("watches") or ()))
    return {
        order: [(entry.position, entry.version) for entry in entries if operator or entry.public]
        for order, entries in log.orders.items()
        if operator or entries[0].customer == user or order in watches
    }


def longest_pause(acknowledged: Sequence[Record], moments: Sequence[Moment]) -> float:
    """s between two acknowledged changes, from 1 s before the first fault on."""
    since = min((moment.began for moment in moments), default=0.0) - 1
    times = sorted(one["at"] / 1e3 for one in acknowledged if one["at"] / 1e3 >= since)
    return max((after - before for before, after in pairwise(times)), default=0.0)


def read_history(folder: Path) -> tuple[list[Record], list[Record]]:
    """What was acknowledged, and what the clients went through."""
    with (folder / ACKNOWLEDGED).open() as acknowledged, (folder / HISTORY).open() as clients:
        return [json.loads(line) for line in acknowledged], [json.loads(line) for line in clients]
