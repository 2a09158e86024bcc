"""Cursors: where somebody stands in a log, as ``<logId>.<position>``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_POSITION = 2**63 - 1
"""What every database keeps as an integer; no log gets that far."""

_CURSOR = re.compile(r"(?:([A-Za-z0-9_-]{1,64})\.)?([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position, 0 to `MAX_POSITION`, and the log it was said to be of: ``None`` for a bare position."""

    log_id: str | None
    position: int

    def is_of(self, log_id: str) -> bool:
        """Whether it is a place in this log. A bare position is taken as one of any."""
        return self.log_id is None or self.log_id == log_id


def parse_cursor(value: object) -> Cursor:
    """A cursor as `format_cursor` writes it, or a position as an integer or its decimal text.

    Raises ``ValueError`` for anything else, of any type and size. Whether it is of the log at hand, and whether that
    still has what came after it, is for the caller to ask.
    """
    if type(value) is int:
        if 0 <= value <= MAX_POSITION:
            return Cursor(None, value)
    elif isinstance(value, str) and (match := _CURSOR.fullmatch(value)) and (position := int(match[2])) <= MAX_POSITION:
        return Cursor(match[1], position)
    raise ValueError("is neither a cursor nor a position")


def format_cursor(log_id: str, position: int) -> str:
    """The text that the contract calls a cursor."""
    return f"{log_id}.{position}"
