"""Whether everyone got what is theirs: reads append-only histories of writers and clients beside the log. Pure.

What the records say: `tests.histories`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.histories import Entry, Findings, Log, Record

OPERATORS = ("operator", "admin")

CONFLATES = 250
"""Events to one client in one connection below which the server sends each of them: they weigh less than the 64 kB from
which on only the newest event of an order waits for a client that is behind."""


def check(log: Sequence[Entry], acknowledged: Iterable[Record], records: Iterable[Record]) -> Findings:
    """Everything that is wrong with what writers and clients went through."""
    findings = Findings()
    book = Log(log)
    findings.violations += book.holes()
    for record in acknowledged:
        findings.violations += _acknowledged(book, record)
    clients: dict[str, _Client] = {}
    for record in records:
        name = record["client"]
        if record["what"] == "hello":
            clients[name] = _Client(record, book, findings)
        else:
            clients[name].take(record)
    for client in clients.values():
        client.judge_the_end()
    return findings


def _acknowledged(log: Log, record: Record) -> Iterable[str]:
    order, version = str(record["orderId"]), record["version"]
    what = f"order {order} version {version}"
    entry = log.at(order, version)
    if entry is None:
        yield f"{what} was acknowledged as {record['status']} and is not in the log"
    elif entry.status != record["status"]:
        yield f"{what} was acknowledged as {record['status']} and is {entry.status} in the log"
    elif record.get("position") not in (None, entry.position):
        yield f"{what} was acknowledged at position {record['position']} and is at {entry.position} in the log"


class _Client:
    """One client's history, read once from its beginning to its end."""

    def __init__(self, hello: Record, log: Log, findings: Findings) -> None:
        self.name = hello["client"]
        self.user = str(hello["user"])
        self.operator = hello["role"] in OPERATORS
        self.shops = None if hello.get("shops") is None else set(map(str, hello["shops"]))
        self.watches = set(map(str, hello.get("watches") or ()))
        self.log = log
        self.findings = findings
        # What must reach it whole: per order the events it is told of, those of orders it follows without watching.
        self.told = {order: self._told(order) for order in log.orders if self._follows(order) or order in self.watches}
        self.followed = [order for order in self.told if self._follows(order)]
        self.state: dict[str, tuple[int, str | None]] = {}
        self.accounted: dict[str, int] = defaultdict(int)
        self.missing: dict[str, set[int]] = defaultdict(set)
        self.seen: set[tuple[str, str, int]] = set()
        self.seen_now: set[tuple[str, str, int]] = set()
        self.incomplete = True  # no snapshot yet of what it follows
        self.unanswered = set(self.watches)
        self.newest = 0  # position of the newest event of this connection
        self.cursor = 0  # what it came back with, or was told since
        self.caught_up = 0
        self.ended = False

    def take(self, record: Record) -> None:
        """The next record."""
        getattr(self, f"_on_{record['what']}")(record)

    def _on_connect(self, record: Record) -> None:
        since = _position(record.get("since"))
        recovered = bool(record.get("recovered"))
        self.findings.connections += 1
        self.findings.recovered += recovered
        if since is not None:
            self._complete_up_to(since, f"came back with position {since}")
        elif not recovered:
            self.incomplete = True
        self.seen |= self.seen_now
        self.seen_now = set()
        self.newest, self.cursor, self.caught_up = 0, since or 0, 0
        if not recovered:
            self.unanswered = set(self.watches)

    def _on_disconnect(self, record: Record) -> None:
        """What it means shows at the next connect."""

    def _on_event(self, record: Record) -> None:
        event, order, version = record["event"], str(record["orderId"]), record["version"]
        self.findings.heard += 1
        what = f"{event} of order {order} version {version}"
        entry = self.log.at(order, version)
        if entry is None:
            return self._wrong(f"heard {what}, which is not in the log")
        if order not in self.told or (event == "order:status_changed" and not self.operator):
            return self._wrong(f"heard {what} of customer {entry.customer}, which it may not see")
        if record.get("status", entry.status) != entry.status:
            self._wrong(f"heard {what} as {record['status']}, and it is {entry.status} in the log")
        created = event == "order:created"  # at the first event's place, with the values of now
        place = self.log.orders[order][0].position if created else entry.position
        if record["position"] != place:
            self._wrong(f"heard {what} at position {record['position']}, and it is at {place} in the log")
        key = (event, order, 1 if created else version)
        if key in self.seen_now:
            self._wrong(f"heard {what} twice in one connection")
        elif place < self.newest:
            self._wrong(f"heard {what} at position {place} after position {self.newest}")
        elif place <= max(self.cursor, self.caught_up):
            reached = f"cursor {self.cursor}, caught up at {self.caught_up}"
            self._wrong(f"heard {what} at position {place}, which it had reached ({reached})")
        elif key in self.seen:
            self.findings.repeats += 1
        self.seen_now.add(key)
        self.newest = max(self.newest, place)
        if record["applied"]:
            self._apply(what, order, version, record.get("status"))
        self._account(order, version, whole=created)
        return None

    def _on_position(self, record: Record) -> None:
        position = _position(record["cursor"]) or 0
        self.findings.cursors_back += position < self.cursor
        self.cursor = max(self.cursor, position)

    def _on_caught_up(self, record: Record) -> None:
        self.findings.caught_up += 1
        self._complete_up_to(record["position"], f"was told to be caught up at position {record['position']}")
        self.caught_up = record["position"]

    def _on_resync(self, record: Record) -> None:
        self.findings.resyncs += 1
        self.incomplete = True

    def _on_snapshot(self, record: Record) -> None:
        self.incomplete = False
        for shown in record["orders"]:
            self._show(shown, "a snapshot")

    def _on_watching(self, record: Record) -> None:
        self.unanswered.discard(str(record["orderId"]))
        self._show(record, "the answer to a watch")

    def _on_note(self, record: Record) -> None:
        if str(record["to"]) != self.user:
            self._wrong(f"heard note {record['note']}, which is for {record['to']}")

    def _on_end(self, record: Record) -> None:
        self.ended = True

    def judge_the_end(self) -> None:
        """What must hold once all has arrived."""
        if not self.ended:
            return self._wrong("did not come to an end")
        if self.log.entries:
            self._complete_up_to(self.log.entries[-1].position, "is at the end")
        for order, entries in self.told.items():
            wanted = (entries[-1].version, entries[-1].status)
            version, status = self.state.get(order, (0, None))
            if (version, status) != wanted:
                self._wrong(f"ends with order {order} as {status} version {version}; the log has {wanted[::-1]}")
        return None

    # -- the pieces ----------------------------------------------------------------------------------------

    def _wrong(self, words: str) -> None:
        self.findings.violations.append(f"{self.name} {words}")

    def _follows(self, order: str) -> bool:
        entry = self.log.orders[order][0]
        return entry.customer == self.user or (self.operator and (self.shops is None or entry.shop in self.shops))

    def _told(self, order: str) -> list[Entry]:
        staff = self.operator and self._follows(order)
        return [entry for entry in self.log.orders[order] if staff or entry.public]

    def _show(self, shown: Record, by: str) -> None:
        order, version, status = str(shown["orderId"]), shown["version"], shown["status"]
        entry = self.log.at(order, version)
        if order not in self.told:
            self._wrong(f"was shown order {order} by {by}, which it may not see")
        elif entry is None or entry.status != status:
            found = "nothing" if entry is None else entry.status
            self._wrong(f"was shown order {order} version {version} as {status} by {by}; the log has {found}")
        else:
            if version >= self.state.get(order, (0, None))[0]:
                self.state[order] = (version, status)
            self._account(order, version, whole=True)

    def _apply(self, what: str, order: str, version: int, status: str | None) -> None:
        before, known = self.state.get(order, (0, None))
        if version <= before:
            self._wrong(f"applied {what} after version {before}")
        self.state[order] = (version, known if status is None else status)

    def _account(self, order: str, version: int, *, whole: bool) -> None:
        """The client has this version; ``whole``: and with it all that came before."""
        if whole:
            self.missing[order] = {gone for gone in self.missing[order] if gone > version}
        else:
            self.missing[order].discard(version)
            first = self.accounted[order]
            self.missing[order] |= {e.version for e in self.log.orders[order][first : version - 1] if e.version > first}
            self.missing[order] &= {e.version for e in self.told[order]}
        self.accounted[order] = max(self.accounted[order], version)

    def _complete_up_to(self, position: int, claim: str) -> None:
        """Reports what it should have by now and has not, once."""
        for order in () if self.incomplete else self.followed:
            entries = self.told[order]
            due = bisect_right(entries, position, key=lambda entry: entry.position)
            if due and entries[due - 1].version > self.accounted[order]:
                self._account(order, entries[due - 1].version, whole=False)
                self.missing[order].add(entries[due - 1].version)
        behind = len(self.seen_now) + sum(map(len, self.missing.values())) >= CONFLATES
        for order, versions in self.missing.items():
            if versions and not (self.incomplete if order in self.followed else order in self.unanswered):
                lost = sorted(version for version in versions if not (behind and self._replaced(order, version)))
                if lost:
                    self._wrong(f"{claim} and has never heard of order {order} version {lost}")
                self.findings.conflated += len(versions) - len(lost)
                versions.clear()

    def _replaced(self, order: str, version: int) -> bool:
        """Whether a newer event may have come instead."""
        entry = self.log.at(order, version)
        newer = (later.kind for later in self.told[order] if later.version > version)
        return entry is not None and entry.kind in newer


def _position(cursor: object) -> int | None:
    """The position in a cursor, ``<logId>.<position>`` or a number."""
    return None if cursor is None else int(str(cursor).rpartition(".")[2])
