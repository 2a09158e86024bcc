"""What is known of one order, merged from snapshots and events by version. Pure.

A version names one state of an order, and events carry only what changed in it. So each field is kept with the version
it is of and only a newer one replaces it: in whatever order, and however often, snapshots and events come, the outcome
is the same. What is known is whole where no version between a snapshot and the newest is unheard of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """``version``: the newest that anything has told of. ``whole``: every version up to this one is contained; 0: there
    has been no snapshot. ``heard``: versions past ``whole`` that have been heard. ``of``: the version that each of the
    ``fields`` is of."""

    version: int = 0
    whole: int = 0
    heard: frozenset[int] = frozenset()
    fields: Json = field(default_factory=dict)
    of: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether no version up to the newest is missing; otherwise a snapshot must be fetched."""
        return 0 < self.whole >= self.version

    def with_snapshot(self, order: Json) -> Known:
        """Takes in a whole order, from REST or ``order:created``. It wins over an event of its own version, which may
        carry a value from later on; a later event brings that."""
        version = order["version"]
        values = {name: value for name, value in order.items() if name not in ("version", "position")}
        return self._written(values, version, lambda of: of <= version)._settled(max(self.whole, version))

    def with_event(self, event: Json) -> Known:
        """Takes in ``order:updated``, ``order:status_changed`` or ``order:changed``."""
        version = event["version"]
        values = event["changes"] if "changes" in event else _status_of(event)
        after = self._written(values, version, lambda of: of < version)
        if version <= after.whole:
            return after
        return replace(after, heard=after.heard | {version})._settled(after.whole)

    def with_glimpse(self, seen: Json) -> Known:
        """Takes in ``watching``: a version and its status, and nothing of how the order came to it."""
        return self._written({"status": seen["status"]}, seen["version"], lambda of: of < seen["version"])

    def order(self, step_of: Callable[[str], int | None] = lambda _: None) -> dict[str, Any] | None:
        """The order, or ``None`` before there was a snapshot. Events carry no ``step``: ``step_of`` tells it."""
        if self.whole == 0:
            return None
        step = step_of(self.fields["status"])
        return {**self.fields, "version": self.version, **({} if step is None else {"step": step})}

    def _written(self, values: Json, version: int, replaces: Callable[[int], bool]) -> Known:
        new = {name: value for name, value in values.items() if replaces(self.of.get(name, 0))}
        return replace(
            self,
            fields={**self.fields, **new},
            of={**self.of, **dict.fromkeys(new, version)},
            version=max(self.version, version),
        )

    def _settled(self, whole: int) -> Known:
        """Counts what was heard right after ``whole`` as contained too. Events alone make no whole order."""
        while whole > 0 and whole + 1 in self.heard:
            whole += 1
        return replace(self, whole=whole, heard=frozenset(version for version in self.heard if version > whole))


NOTHING = Known()


def _status_of(event: Json) -> Json:
    return {"status": event["status"], "statusSince": event["updatedAt"], "updatedAt": event["updatedAt"]}
