"""A server that does everything right, played: the histories of its clients, for the checker's own tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tests.checker import check
from tests.histories import Entry, Findings

STATUSES = ("received", "accepted", "preparing", "ready")
OWNERS = {"1": "ann", "2": "bob", "3": "ann"}


@dataclass
class World:
    """A server that does everything right, and what it leaves behind; faults are put into its histories."""

    log: list[Entry] = field(default_factory=list)
    acknowledged: list[dict[str, Any]] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    online: dict[str, bool] = field(default_factory=dict)
    who: dict[str, dict[str, Any]] = field(default_factory=dict)
    known: dict[str, dict[str, int]] = field(default_factory=dict)
    cursor: dict[str, int | None] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)

    def say(self, client: str, what: str, **rest: Any) -> None:
        self.records.append({"client": client, "what": what, **rest})

    def add(self, client: str, role: str, *watches: str) -> None:
        self.who[client] = {"user": client, "role": role, "watches": list(watches)}
        self.say(client, "hello", **self.who[client])
        self.known[client], self.cursor[client], self.reached[client] = {}, None, 0
        self.connect(client)

    def change(self, order: str) -> Entry:
        version = 1 + sum(entry.order == order for entry in self.log)
        status = STATUSES[(version - 1) % len(STATUSES)]
        entry = Entry(len(self.log) + 1, order, version, status, OWNERS[order])
        self.log.append(entry)
        self.acknowledged.append({"writer": "w", "orderId": order, "version": version, "status": status})
        for client, online in self.online.items():
            if online:
                self.tell(client, entry)
        return entry

    def event(self, client: str) -> str:
        return "order:status_changed" if self.who[client]["role"] == "operator" else "order:updated"

    def hears(self, client: str, entry: Entry) -> bool:
        me = self.who[client]
        if entry.version == 1 and me["role"] == "service":
            return False
        return me["role"] == "operator" or entry.customer == me["user"] or entry.order in me["watches"]

    def tell(self, client: str, entry: Entry, *, closed: bool = True) -> None:
        if not self.hears(client, entry):
            return
        known = self.known[client].get(entry.order, 0)
        event = "order:created" if entry.version == 1 else self.event(client)
        said = {"orderId": entry.order, "version": entry.version, "status": entry.status, "position": entry.position}
        self.say(client, "event", event=event, applied=entry.version > known, **said)
        self.known[client][entry.order] = max(known, entry.version)
        if closed:
            self.reached[client] = entry.position
            self.cursor[client] = entry.position
            self.say(client, "position", cursor=f"log.{entry.position}")

    def connect(self, client: str) -> None:
        since = self.cursor[client]
        self.say(client, "connect", since=None if since is None else f"log.{since}")
        self.online[client] = True
        if since is None:
            orders = [entry for entry in self.newest() if self.hears(client, replace(entry, version=2))]
            shown = [{"orderId": e.order, "version": e.version, "status": e.status} for e in orders]
            self.say(client, "snapshot", orders=shown)
            self.known[client] |= {entry.order: entry.version for entry in orders}
            return
        for entry in self.log[since:]:
            if entry.order not in self.who[client]["watches"]:
                self.tell(client, entry)
        self.say(client, "caught_up", position=len(self.log))
        for entry in self.newest():
            if entry.order in self.who[client]["watches"]:
                self.say(client, "watching", orderId=entry.order, version=entry.version, status=entry.status)
                self.known[client][entry.order] = entry.version

    def disconnect(self, client: str) -> None:
        self.say(client, "disconnect")
        self.online[client] = False

    def newest(self) -> list[Entry]:
        return list({entry.order: entry for entry in self.log}.values())

    def end(self) -> Findings:
        for client, online in self.online.items():
            if not online:
                self.connect(client)
            self.say(client, "end")
        return self.check()

    def check(self) -> Findings:
        return check(self.log, self.acknowledged, self.records)

    def events(self, client: str) -> list[int]:
        return [i for i, r in enumerate(self.records) if r["client"] == client and r["what"] == "event"]


def a_day() -> World:
    """Orders of two customers, an operator, a backend that watches; Ann is away for a while."""
    world = World()
    for order in OWNERS:
        world.change(order)
    for client, role in (("ann", "customer"), ("bob", "customer"), ("op", "operator")):
        world.add(client, role)
    world.add("backend", "service", "2")
    for order in ("1", "2", "3"):
        world.change(order)
    world.disconnect("ann")
    world.change("1")
    world.change("2")
    world.connect("ann")
    world.change("1")
    return world
