"""Cursors: ``<logId>.<position>``, where somebody stands in the log. Pure."""

from __future__ import annotations

import re

Cursor = str

_CURSOR = re.compile(r"\s*((?:[A-Za-z0-9_-]{1,64}\.)?[0-9]{1,19})\s*")


def read(stored: Cursor | int) -> Cursor:
    """A cursor as somebody has kept it: a newline around it is none of it. Raises ``ValueError`` for what is none, as
    an empty file is."""
    found = _CURSOR.fullmatch(str(stored))
    if found is None:
        raise ValueError(f"{stored!r:.80} is no cursor; give one as it was given, 0 for the log's beginning, or None")
    return found[1]


def split(cursor: Cursor) -> tuple[str, int]:
    """The log's id, empty where only a position is given, and the position. Raises ``ValueError`` for what is none."""
    log, _, position = cursor.rpartition(".")
    return log, int(position)


def placed(cursor: Cursor, position: int) -> Cursor:
    """The cursor of a position in the log that ``cursor`` is of."""
    return f"{split(cursor)[0]}.{position}"


def newest(a: Cursor | None, b: Cursor) -> Cursor:
    """The later of two; one of another log is of a newer one. Raises ``ValueError`` for what is none."""
    log_b, at_b = split(b)
    if a is None:
        return b
    log_a, at_a = split(a)
    return a if log_a == log_b and at_a > at_b else b


def moved_to(cursor: Cursor | None, position: int) -> Cursor | None:
    """The cursor of a later position of the same log; ``None`` where the log is not known."""
    return None if cursor is None or not split(cursor)[0] else newest(cursor, placed(cursor, position))
