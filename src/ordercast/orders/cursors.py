"""Cursors: where in which log a client is. ``<logId>.<position>``; an integer alone is of the current log. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_CURSOR = re.compile(r"(?:([A-Za-z0-9_-]{1,64})\.)?([0-9]{1,19})")
_MAX_POSITION = 2**63  # what a database column holds


@dataclass(frozen=True, slots=True)
class Cursor:
    """``log_id`` is ``None`` where only a position was given."""

    log_id: str | None
    position: int

    def of(self, log_id: str) -> bool:
        """Whether it is of this log."""
        return self.log_id in (None, log_id)


def parse_cursor(value: object) -> Cursor:
    """Reads a cursor, or a position as an integer or its decimal text. Raises ``ValueError`` for anything else."""
    if type(value) is int and 0 <= value < _MAX_POSITION:
        return Cursor(None, value)
    match = _CURSOR.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[2]) >= _MAX_POSITION:
        raise ValueError("not a cursor")
    return Cursor(match[1], int(match[2]))


def format_cursor(log_id: str, position: int) -> str:
    """The text form."""
    return f"{log_id}.{position}"
